"""Whether a namespace holds anything that is not Kubernetes' or Skupper's own, before it is removed with all in it."""

from __future__ import annotations

from hzlink.model import objects
from hzlink.programs.kubectl import Kubectl

# Objects of every namespace, and objects that appear and disappear by themselves.
_OWN = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default"), ("ConfigMap", "openshift-service-ca.crt")}
_PASSING = {"Event", "Endpoints", "EndpointSlice", "PodMetrics"}


async def foreign_objects(kubectl: Kubectl) -> list[str]:
    """All objects of every listable type that would be lost with the namespace, as `Kind name`.

    Raises:
        KubectlError: a type cannot be listed; then the namespace had better stay.
    """
    types = await kubectl.listable_types()
    return [
        f"{item['kind']} {objects.name(item)}"
        for item in await kubectl.objects(types)
        if (item["kind"], objects.name(item)) not in _OWN
        and item["kind"] not in _PASSING
        and objects.name(item) != objects.SKUPPER_LEASE.name
        and not (item.get("metadata") or {}).get("ownerReferences")
    ]
