"""kwokctl's configuration: component settings, the node's Stage and the audit policy. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

import yaml

from sandbox.api.kinds import Obj
from sandbox.layout import CONTEXTS, KUBERNETES_VERSION, architecture

PORT_NAMES = ("apiserver", "etcd", "etcd_peer", "controller_manager", "scheduler", "kwok")

# KWOK simulates the nodes and answers as their kubelet (port-forward, logs). Pods get their status from sandbox.pods,
# because it follows real processes, so there is a Stage for nodes only. A node's phase is deprecated in Kubernetes;
# here it marks nodes whose status is complete.
_NODE_STATUS = """
addresses:
- {type: InternalIP, address: 127.0.0.1}
- {type: Hostname, address: 127.0.0.1}
daemonEndpoints: {kubeletEndpoint: {Port: {{ NodePort }}}}
capacity: {cpu: "32", memory: 64Gi, pods: "500", ephemeral-storage: 100Gi}
allocatable: {cpu: "32", memory: 64Gi, pods: "500", ephemeral-storage: 100Gi}
conditions:
{{ range NodeConditions }}
- type: {{ .type | Quote }}
  status: {{ .status | Quote }}
  reason: {{ .reason | Quote }}
  message: {{ .message | Quote }}
  lastHeartbeatTime: {{ Now | Quote }}
  lastTransitionTime: {{ Now | Quote }}
{{ end }}
nodeInfo:
  architecture: @ARCH@
  operatingSystem: linux
  bootID: ""
  containerRuntimeVersion: "hzlink-sandbox://simulated"
  kernelVersion: "simulated"
  kubeProxyVersion: ""
  kubeletVersion: "kwok-{{ Version }}"
  machineID: ""
  osImage: "simulated by KWOK"
  systemUUID: ""
phase: Running
"""


_NODE_STAGE: Obj = {
    "apiVersion": "kwok.x-k8s.io/v1alpha1",
    "kind": "Stage",
    "metadata": {"name": "node-up"},
    "spec": {
        "resourceRef": {"apiGroup": "v1", "kind": "Node"},
        "selector": {"matchExpressions": [{"key": ".status.phase", "operator": "DoesNotExist"}]},
        "next": {"statusTemplate": _NODE_STATUS.replace("@ARCH@", architecture())},
    },
}

AUDIT_POLICY: Obj = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    # Every component has the same identity here; an event's userAgent tells who wrote.
    "rules": [
        # No component uses a service account; tests use them as users with few rights, and check their reads too.
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "None", "resources": [{"group": "", "resources": ["events"]}]},
        {"level": "None", "resources": [{"group": "events.k8s.io", "resources": ["events"]}]},
        {"level": "None", "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
        {"level": "Metadata"},
    ],
}


_PROGRAM_OPTIONS = {
    "kwokControllerBinary": "kwok",
    "etcdBinary": "etcd",
    "kubeApiserverBinary": "kube-apiserver",
    "kubeControllerManagerBinary": "kube-controller-manager",
    "kubeSchedulerBinary": "kube-scheduler",
}


def kwokctl_config(server: str, ports: Mapping[str, int], programs: Mapping[str, Path], audit_policy: Path) -> str:
    """The `--config` file for one control plane. `ports` has every one of `PORT_NAMES`."""
    # Different ranges, so that an address in a log shows its cluster.
    service_range = "10.96.0.0/16" if server == "client" else "10.97.0.0/16"
    config: Obj = {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": {
            "runtime": "binary",
            "bindAddress": "127.0.0.1",
            "kubeVersion": f"v{KUBERNETES_VERSION}",
            **{option: str(programs[program]) for option, program in _PROGRAM_OPTIONS.items()},
            "kubeApiserverPort": ports["apiserver"],
            "etcdPort": ports["etcd"],
            "etcdPeerPort": ports["etcd_peer"],
            "kubeControllerManagerPort": ports["controller_manager"],
            "kubeSchedulerPort": ports["scheduler"],
            "kwokControllerPort": ports["kwok"],
            "kubeAuthorization": True,
            "kubeAuditPolicy": str(audit_policy),
            "enableCRDs": ["PortForward", "Logs"],
            "disableQPSLimits": True,
        },
        "componentsPatches": [
            # The data is removed with the sandbox and need not survive a crash: it is written seldom, and not synced.
            _patch("etcd", {"unsafe-no-fsync": "true", "backend-batch-interval": "10s"}),
            _patch("kube-apiserver", {"service-cluster-ip-range": service_range, "profiling": "false"}),
            _patch("kube-controller-manager", {"leader-elect": "false", "profiling": "false"}),
            _patch("kube-scheduler", {"leader-elect": "false", "profiling": "false"}),
        ],
    }
    return yaml.safe_dump_all([config, _NODE_STAGE])


def _patch(component: str, arguments: Mapping[str, str]) -> Obj:
    return {"name": component, "extraArgs": [{"key": k, "value": v} for k, v in arguments.items()]}


def kubeconfig(servers: Mapping[str, tuple[int, Path]]) -> str:
    """One kubeconfig for all contexts, with the credentials inside. `servers`: name -> (port, certificates)."""
    config: Obj = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "client",
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": f"https://127.0.0.1:{port}",
                    "certificate-authority-data": _encoded(pki / "ca.crt"),
                },
            }
            for name, (port, pki) in servers.items()
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": _encoded(pki / "admin.crt"),
                    "client-key-data": _encoded(pki / "admin.key"),
                },
            }
            for name, (_, pki) in servers.items()
        ],
        "contexts": [
            {"name": name, "context": {"cluster": server, "user": server, "namespace": namespace}}
            for name, (server, namespace) in CONTEXTS.items()
        ],
    }
    return yaml.safe_dump(config, sort_keys=False)


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
