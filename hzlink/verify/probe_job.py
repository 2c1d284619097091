"""The Job of `verify --in-cluster` and its ConfigMap: their content, and how the Job's pod ended. Pure."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
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
# The user of members' pods, too; PodSecurity `restricted` wants one that is a number and not root.
_NOBODY = 65534
# Seconds for the probe to remove its values from the members after SIGTERM.
GRACE = 10
# Seconds after which the cluster itself removes what a run that died has left, counted from the probe's end.
KEPT = 120


def refs(name: str) -> tuple[Ref, ...]:
    """The Job and the ConfigMap of that name."""
    return (Ref(JOBS, name), Ref(RESOURCES["ConfigMap"], name))


def selector(topology_name: str) -> str:
    """Takes the topology's probes."""
    return ",".join(f"{key}={value}" for key, value in _labels(topology_name).items())


def pods_selector(name: str) -> str:
    """Selects the pods of the Job."""
    return f"{JOB_NAME}={name}"


def chooses_users(namespace: Object | None) -> bool:
    """Whether the cluster gives each namespace user numbers of its own, and refuses others: OpenShift does."""
    marks = ((namespace or {}).get("metadata") or {}).get("annotations") or {}
    return "openshift.io/sa.scc.uid-range" in marks


def job(
    topology_name: str, name: str, image: str, seconds: int, holder: Holder, *, with_user: bool = True
) -> dict[str, Any]:
    """The Job. It is given `seconds`, and carries whose run it belongs to.

    Without `with_user` the cluster has to choose a user that is not root. It needs no right, no disk, not root, and
    nothing from outside the namespace but the image.
    """
    container = {
        "name": CONTAINER,
        "image": image,
        # Isolated: nothing of the image's own packages or variables counts.
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
        "terminationGracePeriodSeconds": GRACE,
        "securityContext": {
            "runAsNonRoot": True,
            **({"runAsUser": _NOBODY, "runAsGroup": _NOBODY} if with_user else {}),
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": CONTAINER, "configMap": {"name": name}}],
    }
    marks = {"name": name, "labels": _labels(topology_name), "annotations": lease.marks_of(holder)}
    template = {"metadata": {"labels": {**_labels(topology_name), "app": "hzlink-verify"}}, "spec": pod}
    spec = {
        "backoffLimit": 0,
        "activeDeadlineSeconds": seconds,
        "ttlSecondsAfterFinished": KEPT,
        "template": template,
    }
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": marks, "spec": spec}


def config_map(topology_name: str, made: Object, archive: bytes, plan: str) -> dict[str, Any]:
    """What the pod of the Job that was made mounts. The Job owns it: it goes when the Job goes."""
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
    """Whether the Job's pod has run to its end, however that was. A pod that others put beside it does not count."""
    own = pods_of(made, pods)
    if not own:
        return Condition(State.WAITING, "no pod yet")
    if any(_end(pod) or objects.status(pod).get("phase") in ("Succeeded", "Failed") for pod in own):
        return Condition(State.OK)
    trouble = conditions.pod_trouble(own[0])
    return Condition(State.WAITING, trouble.text or str(objects.status(own[0]).get("phase") or "Pending"))


def pods_of(made: Object, pods: Iterable[Object]) -> list[Object]:
    """The pods that the Job owns."""
    return [pod for pod in pods if objects.is_owned_by(pod, objects.uid(made))]


def why_ended(pod: Object) -> str:
    """How a pod ended that printed no verdict, in the cluster's words."""
    status, end = objects.status(pod), _end(pod)
    code = f"exit code {end['exitCode']}" if "exitCode" in end else ""
    told = [status.get("reason"), status.get("message"), end.get("reason"), end.get("message"), code]
    return ": ".join(str(text).strip() for text in told if text)


def _end(pod: Object) -> Mapping[str, Any]:
    """How the container ended; empty while it has not. One that was put beside it by others may run on."""
    for container in objects.status(pod).get("containerStatuses") or []:
        if container.get("name") == CONTAINER:
            end: Mapping[str, Any] = (container.get("state") or {}).get("terminated") or {}
            return end
    return {}


def _labels(topology_name: str) -> dict[str, str]:
    return {**labels(topology_name), COMPONENT: VERIFY}
