"""A release of the Helm chart hazelcast/hazelcast 5.10, as far as members, discovery and probes depend on it.

There is no Helm in the sandbox. This follows the chart's templates: names, labels, the order of environment variables,
the mounted configuration, probes, ports and the Service for each pod. RBAC and Management Center are left out.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import yaml

Values = dict[str, Any]

# The chart's own values.
DEFAULTS: Values = {
    "image": "hazelcast/hazelcast:5.5.0",
    "memberCount": 3,
    "hazelcast": {
        "javaOpts": "",
        "yaml": {
            "hazelcast": {
                "network": {
                    "join": {
                        "kubernetes": {"enabled": True, "service-name": "${serviceName}", "namespace": "${namespace}"}
                    },
                    "rest-api": {"enabled": True},
                },
                "jet": {"enabled": "${hz.jet.enabled}"},
            }
        },
    },
    "livenessProbe": {"path": "/hazelcast/health/node-state", "port": 5701},
    "readinessProbe": {"path": "/hazelcast/health/ready", "port": 5701},
    "externalAccess": {"enabled": False, "service": {"type": "LoadBalancer"}},
}


def merged(below: Values, above: Values) -> Values:
    """Values with others merged into them, as Helm does: maps are merged, null removes a value."""
    found = dict(below)
    for key, value in above.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, dict) and isinstance(found.get(key), dict):
            found[key] = merged(found[key], value)
        else:
            found[key] = value
    return found


def render(release: str, namespace: str, values: Values) -> str:
    """The release's objects as a JSON list for kubectl."""
    chosen = merged(DEFAULTS, values)
    name = release if "hazelcast" in release else f"{release}-hazelcast"
    labels = {"app.kubernetes.io/name": "hazelcast", "app.kubernetes.io/instance": release}
    selector = {**labels, "role": "hazelcast"}
    items = [
        _configuration(name, labels, chosen),
        _service(name, labels, selector, headless=True),
        _stateful_set(name, namespace, labels, selector, chosen),
    ]
    if chosen["externalAccess"]["enabled"]:
        for number in range(chosen["memberCount"]):
            pod = f"{name}-{number}"
            one = {**selector, "statefulset.kubernetes.io/pod-name": pod}
            service = _service(pod, {**labels, "pod": pod}, one, headless=False)
            service["spec"]["type"] = chosen["externalAccess"]["service"]["type"]
            items.append(service)
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


def _configuration(name: str, labels: dict[str, str], values: Values) -> dict[str, Any]:
    configuration = json.loads(json.dumps(values["hazelcast"]["yaml"]))
    # The template reads this path and fails without it: nobody can remove `network` from the chart's values.
    join = configuration["hazelcast"]["network"]["join"]["kubernetes"]
    if "service-dns" in join:
        join.pop("service-name", None)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{name}-configuration", "labels": labels},
        "data": {"hazelcast.yaml": yaml.safe_dump(configuration)},
    }


def _service(name: str, labels: dict[str, str], selector: dict[str, str], *, headless: bool) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "selector": selector,
        "ports": [{"name": "hazelcast", "port": 5701, "targetPort": "hazelcast"}],
    }
    if headless:
        spec |= {"type": "ClusterIP", "clusterIP": "None"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": labels}, "spec": spec}


def _stateful_set(
    name: str, namespace: str, labels: dict[str, str], selector: dict[str, str], values: Values
) -> dict[str, Any]:
    options = (
        f"-Dhazelcast.config=/data/hazelcast/hazelcast.yaml -DserviceName={name} -Dnamespace={namespace} "
        "-Dhz.jet.enabled=true -Dhazelcast.shutdownhook.policy=GRACEFUL -Dhazelcast.shutdownhook.enabled=true "
        f"-Dhazelcast.graceful.shutdown.max.wait=600  {values['hazelcast']['javaOpts']}"
    )
    container = {
        "name": name,
        "image": values["image"],
        "ports": [{"name": "hazelcast", "containerPort": 5701}],
        "livenessProbe": _probe(values["livenessProbe"]),
        "readinessProbe": _probe(values["readinessProbe"]),
        "volumeMounts": [{"name": "hazelcast-storage", "mountPath": "/data/hazelcast"}],
        "env": [
            {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            {"name": "JAVA_OPTS", "value": options},
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
        },
    }
    checksum = hashlib.sha256(yaml.safe_dump(values["hazelcast"]["yaml"]).encode()).hexdigest()
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "serviceName": name,
            "replicas": values["memberCount"],
            "selector": {"matchLabels": selector},
            "template": {
                "metadata": {"labels": selector, "annotations": {"checksum/hazelcast-config": checksum}},
                "spec": {
                    "terminationGracePeriodSeconds": 600,
                    "containers": [container],
                    "volumes": [{"name": "hazelcast-storage", "configMap": {"name": f"{name}-configuration"}}],
                },
            },
        },
    }


def _probe(values: Values) -> dict[str, Any]:
    return {
        "httpGet": {"path": values["path"], "port": values["port"]},
        "initialDelaySeconds": 30,
        "periodSeconds": 10,
        "timeoutSeconds": 10,
        "failureThreshold": 10,
    }
