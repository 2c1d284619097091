"""Makes the Job and the ConfigMap of `verify --in-cluster`, and evaluates how the Job's pod ended. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hzlink.apply import lease
from hzlink.apply.lease import Holder
from hzlink.model import conditions, objects
from hzlink.model.conditions import Condition, State
from hzlink.model.objects import RESOURCES, Object, Ref
from hzlink.model.probe_labels import COMPONENT, JOB_NAME, JOBS, VERIFY
from hzlink.model.topology import labels

CONTAINER = "probe"

_MOUNT = "/probe"
_ARCHIVE, _PLAN = "hzlink.zip", "plan.json"
# Also the user of the members' pods. PodSecurity `restricted` needs a numeric user that is not root.
_NOBODY = 65534
# Time for the probe to remove its map from the members after SIGTERM.
GRACE_SECONDS = 10
# Time after the probe's end when the cluster removes the objects of a killed run.
TTL_SECONDS = 120


def refs(name: str) -> tuple[Ref, ...]:
    """The Job and the ConfigMap of that name."""
    return (Ref(JOBS, name), Ref(RESOURCES["ConfigMap"], name))


def selector(topology_name: str) -> str:
    """The label selector of the topology's probes."""
    return ",".join(f"{key}={value}" for key, value in _labels(topology_name).items())


def pods_selector(name: str) -> str:
    """The label selector of the Job's pods."""
    return f"{JOB_NAME}={name}"


def chooses_users(namespace: Object | None) -> bool:
    """Whether the cluster assigns user IDs to the namespace and refuses others, as OpenShift does."""
    marks = ((namespace or {}).get("metadata") or {}).get("annotations") or {}
    return "openshift.io/sa.scc.uid-range" in marks


def job(
    topology_name: str,
    name: str,
    image: str,
    seconds: int,
    holder: Holder,
    *,
    with_user: bool = True,
    pull_secrets: Sequence[str] = (),
) -> dict[str, Any]:
    """The Job, with a limit of `seconds`, and with annotations that identify its run.

    `pull_secrets`: the names of Secrets for pulling the image. Without `with_user`, the cluster must choose a user that
    is not root. The Job needs no rights, no disk and no root, and nothing from outside the namespace except the image.
    """
    container = {
        "name": CONTAINER,
        "image": image,
        # Isolated mode: ignore the image's Python packages and variables.
        "command": ["python3", "-I", "-S", "-B", f"{_MOUNT}/{_ARCHIVE}", f"{_MOUNT}/{_PLAN}"],
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "256Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": CONTAINER, "mountPath": _MOUNT, "readOnly": True}],
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            **({"runAsUser": _NOBODY, "runAsGroup": _NOBODY} if with_user else {}),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **({"imagePullSecrets": [{"name": one} for one in pull_secrets]} if pull_secrets else {}),
        "containers": [container],
        "volumes": [{"name": CONTAINER, "configMap": {"name": name}}],
    }
    marks = {"name": name, "labels": _labels(topology_name), "annotations": lease.annotations_of(holder)}
    template = {"metadata": {"labels": {**_labels(topology_name), "app": "hzlink-verify"}}, "spec": pod}
    spec = {
        "backoffLimit": 0,
        "activeDeadlineSeconds": seconds,
        "ttlSecondsAfterFinished": TTL_SECONDS,
        "template": template,
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": marks, "spec": spec}


def config_map(topology_name: str, made: Object, archive: bytes, plan: str) -> dict[str, Any]:
    """The ConfigMap that the Job's pod mounts. The Job owns it, so it is deleted with the Job."""
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": objects.name(made), "uid": objects.uid(made)}
    metadata = {"name": objects.name(made), "labels": _labels(topology_name), "ownerReferences": [owner]}
    encoded = base64.b64encode(archive).decode()
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "immutable": True,
        "data": {_PLAN: plan},
        "binaryData": {_ARCHIVE: encoded},
    }


def has_ended(made: Object, pods: Iterable[Object]) -> Condition:
    """Whether the Job's pod has ended, with or without success. Pods that the Job does not own do not count."""
    own = pods_of(made, pods)
    if not own:
        return Condition(State.WAITING, "no pod yet")
    if any(_end(pod) or objects.status(pod).get("phase") in ("Succeeded", "Failed") for pod in own):
        return Condition(State.OK)
    problem = conditions.pod_trouble(own[0])
    return Condition(State.WAITING, problem.text or str(objects.status(own[0]).get("phase") or "Pending"))


def pods_of(made: Object, pods: Iterable[Object]) -> list[Object]:
    """The pods that the Job owns."""
    return [pod for pod in pods if objects.is_owned_by(pod, objects.uid(made))]


def why_ended(pod: Object) -> str:
    """Why a pod ended without a verdict, as the cluster says."""
    status, end = objects.status(pod), _end(pod)
    code = f"exit code {end['exitCode']}" if "exitCode" in end else ""
    texts = [status.get("reason"), status.get("message"), end.get("reason"), end.get("message"), code]
    return ": ".join(str(text).strip() for text in texts if text)


def _end(pod: Object) -> Mapping[str, Any]:
    """How the probe's container ended; empty while it runs. An injected sidecar may continue to run."""
    for container in objects.status(pod).get("containerStatuses") or []:
        if container.get("name") == CONTAINER:
            end: Mapping[str, Any] = (container.get("state") or {}).get("terminated") or {}
            return end
    return {}


def _labels(topology_name: str) -> dict[str, str]:
    return {**labels(topology_name), COMPONENT: VERIFY}
