"""The Services with which the names that clients call work in application namespaces. Pure.

Each is of type ExternalName: an alias of the name in the site's namespace, so that it needs no address and no change
when Skupper makes a Service again. At the cluster site it is an alias of the pod's own name in DNS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hzlink.model import objects
from hzlink.model.app_namespaces import ANNOTATION, APP_NAMES, is_app_name
from hzlink.model.choices import Mode, Role
from hzlink.model.objects import Object
from hzlink.model.probe_labels import COMPONENT
from hzlink.model.topology import Site, Topology, labels
from hzlink.observe.snapshot import Snapshot


def members(topology: Topology, mode: Mode, names: Sequence[str]) -> tuple[str, ...]:
    """The members that clients call by name: none with a single connection."""
    return tuple(names) if mode is Mode.SMART else ()


def has_pod_names(topology: Topology) -> bool:
    """Whether the members' pods have names in DNS at the cluster site, which only a StatefulSet gives."""
    return topology.workload_kind == "StatefulSet"


def targets(
    topology: Topology, site: Site, namespace: str, cluster: Snapshot, members: Sequence[str]
) -> Mapping[str, str]:
    """The names that have to work in a namespace, and the DNS name (without the cluster domain) that each stands for.

    `cluster`: the cluster site, whose StatefulSet names the members' headless Service.
    """
    if site.role is Role.CLIENT:
        return {name: f"{name}.{site.namespace}.svc" for name in (topology.service, *members)}
    if not has_pod_names(topology):
        return {}
    workload = cluster.get("StatefulSet", topology.workload)
    headless = str(objects.spec(workload or {}).get("serviceName") or topology.workload)
    found = {topology.service: f"{headless}.{site.namespace}.svc"}
    if (namespace, headless) == (site.namespace, topology.service):
        # The headless Service has the name already.
        found = {}
    return found | {name: f"{name}.{headless}.{site.namespace}.svc" for name in members}


def services(topology: Topology, namespace: str, targets: Mapping[str, str]) -> list[Object]:
    """The Services to apply in a namespace."""
    return [_service(topology, namespace, name, target) for name, target in targets.items()]


def _service(topology: Topology, namespace: str, name: str, target: str) -> Object:
    marks = {**labels(topology.name), COMPONENT: APP_NAMES}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "labels": marks},
        "spec": {"type": "ExternalName", "externalName": f"{target}.{topology.settings.cluster_domain}"},
    }


def foreign(topology: Topology, app: Snapshot, names: Sequence[str]) -> list[str]:
    """The names that are taken in a namespace by Services which hzlink did not make there."""
    found = ((name, app.get("Service", name)) for name in names)
    return [name for name, item in found if item is not None and not is_app_name(item, topology.name)]


def marked(item: Object, topology: Topology, site: Site) -> Object:
    """The object; the site's Listener or Connector with the annotation that names its application namespaces."""
    namespaces = topology.app_namespaces(site)
    if not namespaces or item.get("kind") not in ("Listener", "Connector"):
        return item
    metadata = dict(item["metadata"])
    metadata["annotations"] = {**(metadata.get("annotations") or {}), ANNOTATION: ",".join(namespaces)}
    return {**item, "metadata": metadata}
