"""Finds the members that hzlink did not deploy among a cluster site's objects. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from shlex import quote

from hzlink.model import conditions, objects, selectors
from hzlink.model import existing_members as existing
from hzlink.model.errors import HzlinkError, PrerequisiteError, UsageError
from hzlink.model.existing_members import Found, Source, SourceKind
from hzlink.model.members import pods_of
from hzlink.model.objects import Object
from hzlink.model.selectors import Selector
from hzlink.model.topology import Topology
from hzlink.observe import membership
from hzlink.observe.snapshot import Snapshot
from hzlink.programs import hints

# How many names of workloads a message lists.
_LISTED = 8


def source(topology: Topology, cluster: Snapshot) -> Source | None:
    """Where the members come from: as the user says, otherwise as the Connector of the last `up` says.

    None: hzlink deploys them.
    """
    settings = topology.settings
    if settings.members_from is not None or settings.own_members:
        return settings.members_from
    text = annotation(topology, cluster, existing.MEMBERS_FROM)
    try:
        return existing.parse(text) if text else None
    except ValueError:
        return None


def annotation(topology: Topology, cluster: Snapshot, key: str) -> str:
    """An annotation of the topology's Connector; empty if there is none."""
    connector = cluster.get("Connector", topology.service)
    if connector is None or not objects.is_ours(connector, topology.name):
        return ""
    return str(((connector.get("metadata") or {}).get("annotations") or {}).get(key) or "")


def connector_of_source(topology: Topology, cluster: Snapshot) -> Object | None:
    """The topology's Connector, if it was made for the same members; None if there is none."""
    wanted = source(topology, cluster)
    if annotation(topology, cluster, existing.MEMBERS_FROM) != str(wanted or ""):
        return None
    connector = cluster.get("Connector", topology.service)
    return connector if connector is not None and objects.is_ours(connector, topology.name) else None


def find(topology: Topology, cluster: Snapshot) -> Found | None:
    """The members as far as they are there; None if hzlink deploys them. `problem` says what is wrong with them."""
    wanted = source(topology, cluster)
    if wanted is None:
        return None
    workload = cluster.get(wanted.workload, wanted.name) if wanted.name else None
    selector = _selector(topology, wanted, workload, cluster)
    found = pods(selector, cluster)
    port = _known_port(topology, wanted, workload, found, cluster) or existing.DEFAULT_PORT
    return Found(wanted, selector, port, _names(wanted, workload, found), _cluster_name(topology, wanted, cluster))


def with_found(topology: Topology, cluster: Snapshot) -> Topology:
    """The topology with the members that hzlink did not deploy, as they are there; unchanged for its own."""
    found = find(topology, cluster)
    if found is None:
        return topology
    workload = cluster.get(found.source.workload, found.source.name)
    wanted = conditions.wanted_replicas(workload) if workload is not None else 0
    count = max(wanted, len(found.names))
    return replace(topology, settings=replace(topology.settings, found=found, members=count))


def ready_names(topology: Topology, cluster: Snapshot) -> tuple[str, ...]:
    """The names of the members' ready pods."""
    return tuple(objects.name(pod) for pod in pods_of(topology, cluster.of("Pod")) if conditions.is_ready(pod))


def described(topology: Topology, cluster: Snapshot) -> str:
    """The members that were found: workload, ready pods, port, cluster name and versions."""
    identities = membership.identities(cluster.member_log or "")
    ready, wanted = len(ready_names(topology, cluster)), topology.settings.members
    versions = ", ".join(sorted({one.version for one in identities.values()}))
    said = topology.found is not None and topology.found.cluster_name
    name = f"cluster name {topology.cluster_name}{'' if said else ' (assumed: their logs do not say)'}"
    return ", ".join(
        (
            f"{topology.workload_title} ({ready}/{wanted} ready)",
            f"port {topology.member_port}",
            name,
            *((f"Hazelcast {versions}",) if versions else ()),
        )
    )


def _cluster_name(topology: Topology, wanted: Source, cluster: Snapshot) -> str:
    """The Hazelcast cluster's name: the user's, otherwise what the members' logs say, otherwise of the last `up`."""
    said = [identity.cluster for identity in membership.identities(cluster.member_log or "").values()]
    common = max(said, key=said.count, default="")
    recorded = _recorded(topology, wanted, cluster, existing.HAZELCAST_CLUSTER)
    return topology.settings.hazelcast_cluster or common or recorded


def _selector(topology: Topology, wanted: Source, workload: Object | None, cluster: Snapshot) -> Selector:
    if wanted.kind is SourceKind.SELECTOR:
        return wanted.selector
    if workload is not None:
        return selectors.of_workload(workload)
    # The workload was deleted. Its pods may still exist, and the Connector still leads to them.
    text = str(objects.spec(cluster.get("Connector", topology.service) or {}).get("selector") or "")
    try:
        return selectors.parse(text)
    except ValueError:
        return Selector()


def pods(selector: Selector, cluster: Snapshot) -> list[Object]:
    """The pods of a selector, by name, without those that have ended."""
    found = [pod for pod in cluster.of("Pod") if selector.matches(objects.labels(pod))]
    return sorted((pod for pod in found if not conditions.has_ended(pod)), key=objects.name)


def _names(wanted: Source, workload: Object | None, found: Iterable[Object]) -> tuple[str, ...]:
    if wanted.kind is SourceKind.STATEFULSET and workload is not None:
        first = int((objects.spec(workload).get("ordinals") or {}).get("start") or 0)
        return tuple(f"{wanted.name}-{first + number}" for number in range(conditions.wanted_replicas(workload)))
    return tuple(objects.name(pod) for pod in found if not objects.is_being_deleted(pod))


def _recorded(topology: Topology, wanted: Source, cluster: Snapshot, key: str) -> str:
    """An annotation of the Connector that the last `up` made for the same source."""
    same = annotation(topology, cluster, existing.MEMBERS_FROM) == str(wanted)
    return annotation(topology, cluster, key) if same else ""


def _known_port(
    topology: Topology, wanted: Source, workload: Object | None, found: Sequence[Object], cluster: Snapshot
) -> int | None:
    recorded = _recorded(topology, wanted, cluster, existing.MEMBERS_PORT)
    given = topology.settings.members_port or (int(recorded) if recorded.isdecimal() else None)
    return given or _port(found, workload)


def _port(found: Sequence[Object], workload: Object | None) -> int | None:
    """The container port named hazelcast, otherwise 5701 if a container has it; None if there is neither."""
    template = (objects.spec(workload or {}).get("template") or {}).get("spec") or {}
    ports = _ports(objects.spec(found[0]) if found else template)
    named = next((int(port["containerPort"]) for port in ports if port.get("name") == existing.PORT_NAME), None)
    usual = any(port.get("containerPort") == existing.DEFAULT_PORT for port in ports)
    return named or (existing.DEFAULT_PORT if usual else None)


def _ports(pod_spec: Object) -> list[Object]:
    return [port for container in pod_spec.get("containers") or [] for port in container.get("ports") or []]


def problem(topology: Topology, cluster: Snapshot) -> HzlinkError | None:
    """Why these members cannot be linked; None if they can, or if hzlink deploys them."""
    wanted = source(topology, cluster)
    found = find(topology, cluster)
    if wanted is None or found is None:
        return None
    workload = cluster.get(wanted.workload, wanted.name) if wanted.name else None
    present = pods(found.selector, cluster)
    error = (
        _given_number(topology, wanted, cluster)
        or _own_members(topology, wanted, cluster)
        or _no_workload(wanted, workload, cluster)
        or _no_pods(wanted, workload, present, cluster)
        or _several_workloads(wanted, present, cluster)
        or _no_port(topology, wanted, workload, present, cluster)
    )
    if error is not None:
        error.site = topology.cluster.name
    return error


def _given_number(topology: Topology, wanted: Source, cluster: Snapshot) -> HzlinkError | None:
    settings = topology.settings
    if not (settings.members_given or settings.image):
        return None
    option = "--members" if settings.members_given else "--image"
    scale = f"scale {wanted.kind}/{quote(wanted.name)} --replicas {settings.members}"
    command = hints.kubectl(cluster.site, scale) if wanted.name and settings.members_given else hints.hzlink("up")
    return UsageError(f"{option} is for members that hzlink deploys, but these are {wanted.title}", next_step=command)


def _own_members(topology: Topology, wanted: Source, cluster: Snapshot) -> HzlinkError | None:
    """Members that hzlink deployed for this topology have data, which would be lost."""
    own = [item for item in cluster.of("StatefulSet") if objects.is_ours(item, topology.name)]
    if not own:
        return None
    name, count = objects.name(own[0]), conditions.wanted_replicas(own[0])
    return UsageError(
        f"topology {topology.name} has members of its own: with --members-from {wanted} they would be deleted",
        subject=f"StatefulSet {name}",
        said=f"hzlink deployed it, with {count} member{'' if count == 1 else 's'}; data that is only in memory would "
        "be lost",
        next_step=f"{hints.hzlink('down')}   (deletes these members), then run `hzlink up --members-from` again; "
        f"to keep them: {hints.hzlink('up --members-from none')}",
    )


def _no_workload(wanted: Source, workload: Object | None, cluster: Snapshot) -> HzlinkError | None:
    if not wanted.name or workload is not None:
        return None
    others = [f"{kind.lower()}/{objects.name(item)}" for kind in _WORKLOADS for item in cluster.of(kind)]
    listed = ", ".join(others[:_LISTED]) + (", ..." if len(others) > _LISTED else "")
    return PrerequisiteError(
        f"there is no {wanted.title} in namespace {cluster.site.namespace}",
        said=f"its workloads: {listed}" if others else "it has no StatefulSet and no Deployment",
        next_step=f"{hints.kubectl(cluster.site, 'get statefulsets,deployments')}   (and give --members-from one)",
    )


_WORKLOADS = ("StatefulSet", "Deployment")


def _no_pods(
    wanted: Source, workload: Object | None, present: Sequence[Object], cluster: Snapshot
) -> HzlinkError | None:
    if present:
        return None
    if workload is not None and not conditions.wanted_replicas(workload):
        return PrerequisiteError(
            "the members are scaled to 0",
            subject=wanted.title,
            said="spec.replicas is 0: there is no member to link to",
            next_step=hints.kubectl(cluster.site, f"scale {wanted.kind}/{quote(wanted.name)} --replicas 3"),
        )
    why = conditions.not_created(workload) if workload is not None else ""
    look = f"describe {wanted.kind}/{quote(wanted.name)}" if wanted.name else "get pods --show-labels"
    return PrerequisiteError(
        "there is no member to link to: no pods",
        subject=wanted.title,
        said=why or None,
        next_step=hints.kubectl(cluster.site, look),
    )


def owner(pod: Object) -> str:
    """The workload that a pod belongs to, as KIND/NAME; its own name if it has no owner.

    A Deployment's ReplicaSet has the Deployment's name and the pod's label `pod-template-hash`.
    """
    owners = (pod.get("metadata") or {}).get("ownerReferences") or []
    if not owners:
        return f"pod/{objects.name(pod)}"
    kind, name = str(owners[0].get("kind", "")), str(owners[0].get("name", ""))
    template = objects.labels(pod).get("pod-template-hash")
    if kind == "ReplicaSet" and template and name.endswith(f"-{template}"):
        return f"deployment/{name.removesuffix(f'-{template}')}"
    return f"{kind.lower()}/{name}"


def _several_workloads(wanted: Source, present: Sequence[Object], cluster: Snapshot) -> HzlinkError | None:
    owners = sorted({owner(pod) for pod in present})
    if len(owners) < 2:
        return None
    examples = [f"{one}: {next(objects.name(pod) for pod in present if owner(pod) == one)}" for one in owners]
    known = next((one for one in owners if one.startswith(("statefulset/", "deployment/"))), owners[0])
    # A workload whose own selector matches other pods cannot be told apart by its name.
    try_this = f"--members-from {known}" if wanted.kind is SourceKind.SELECTOR else "--members-from selector/KEY=VALUE"
    return UsageError(
        f"{wanted.title}: the label selector matches pods of {len(owners)} workloads",
        said="; ".join(examples[:_LISTED]),
        next_step=f"{hints.kubectl(cluster.site, 'get pods --show-labels')}   (and give {try_this})",
    )


def _no_port(
    topology: Topology, wanted: Source, workload: Object | None, present: Sequence[Object], cluster: Snapshot
) -> HzlinkError | None:
    if _known_port(topology, wanted, workload, present, cluster):
        return None
    ports = [f"{port.get('name', '')} {port.get('containerPort')}".strip() for port in _ports(objects.spec(present[0]))]
    return PrerequisiteError(
        f"it is not known on which port these members accept clients: no container port is named "
        f"{existing.PORT_NAME}, and none is {existing.DEFAULT_PORT}",
        subject=wanted.title,
        said=f"container ports of pod {objects.name(present[0])}: {', '.join(ports) or 'none'}",
        next_step=f"{hints.hzlink(f'up --members-from {quote(str(wanted))} --members-port PORT')}",
    )
