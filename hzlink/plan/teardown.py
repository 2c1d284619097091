"""Plans which objects `down` removes at a site, and in which order. Pure.

With this order Skupper 2.2 leaves no objects: Listener and Connector; tokens before Links, because they would make the
Links again; Links with their Secrets; the access of --link-host, which the Site does not own; grants; the Site, with
the objects that it owns; then the workload.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hzlink.model import link_host, objects, probe_labels
from hzlink.model.choices import Role
from hzlink.model.objects import RESOURCES, SKUPPER_LEASE, Object, Ref
from hzlink.model.topology import Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import consent, leftovers, planner
from hzlink.plan.consent import Restore

# Skupper's Lease has no owner, so the garbage collector does not remove it with its Site.

_ORDER = (
    *(("Listener", "Connector"), ("AccessToken",), ("Link",)),
    *(("RouterAccess", "Certificate"), ("AccessGrant",), ("Site",)),
)


@dataclass(frozen=True)
class Teardown:
    """The objects to delete, in stages, one after the other.

    `dependents`: objects that the garbage collector deletes with the Site; `derived`: with a RouterAccess of hzlink.
    `pods`: the pods of the workload.
    `restore`: what happens to link access that hzlink enabled on a Site of others.
    """

    stages: tuple[tuple[Ref, ...], ...]
    dependents: tuple[Ref, ...]
    pods: tuple[Ref, ...]
    restore: Restore | None = None
    derived: tuple[Ref, ...] = ()

    @property
    def refs(self) -> tuple[Ref, ...]:
        """All objects that hzlink deletes, in the order of the stages."""
        return tuple(ref for stage in self.stages for ref in stage)


def make(
    topology: Topology,
    snapshot: Snapshot,
    kept: Collection[Ref] = (),
    heir: str = "",
    granted: Collection[str] = (),
) -> Teardown:
    """The teardown of one site: only objects of this topology made by hzlink, and those that Skupper made from them.

    `kept`: objects that another topology gets. `heir`: its name, also if it gets no objects; empty if there is none.
    `granted`: the UIDs of hzlink's grants at all sites.
    """
    names = {planner.link_name(topology, site.name) for site in topology.sites}
    abandoned = {*leftovers.refs(topology, snapshot, names, granted)}
    abandoned |= {objects.ref(link) for link in leftovers.unmarked_links(topology, snapshot, (), granted)}
    ours = [item for item in snapshot.items if objects.is_ours(item, topology.name) or objects.ref(item) in abandoned]
    ours = [item for item in ours if objects.ref(item) not in kept]
    stages = [[objects.ref(item) for kind in kinds for item in ours if item["kind"] == kind] for kinds in _ORDER]
    # The Site owns a Link's Secret, but the Secret must be deleted before its name is used again.
    secrets = {links.token_of(item): None for item in ours if item["kind"] == "Link"}
    stages[2] += [Ref(RESOURCES["Secret"], name) for name in secrets]
    sites = [item for item in ours if item["kind"] == "Site"]
    done = {ref for stage in stages for ref in stage}
    workload = [ref for item in ours if (ref := objects.ref(item)) not in done]
    # A probe's Job is found through its ConfigMap and pod, because not every user may list Jobs.
    workload += {job: None for item in ours if (job := probe_labels.job_of(item)) is not None}
    # An interrupted run may have deleted the Site but not the workload, of which a hub has none.
    left = bool(workload) or snapshot.site.role is Role.HUB
    if sites or (left and not snapshot.of("Site")):
        stages.append([SKUPPER_LEASE])
    return Teardown(
        stages=tuple(tuple(stage) for stage in (*stages, workload) if stage),
        dependents=_owned(snapshot, sites),
        derived=_of_accesses(snapshot, ours),
        pods=tuple(objects.ref(pod) for pod in snapshot.of("Pod") if _is_of(topology, pod, ours)),
        restore=consent.hand_over(topology, snapshot, heir)
        if heir
        else consent.restore(topology, snapshot, names | _names_of_links(topology, snapshot)),
    )


def _names_of_links(topology: Topology, snapshot: Snapshot) -> set[str]:
    """The names that hzlink gives to Links to the namespace's Sites."""
    return {planner.link_name(topology, objects.name(site)) for site in snapshot.of("Site")}


def _owned(snapshot: Snapshot, sites: list[Object]) -> tuple[Ref, ...]:
    owners = [objects.uid(site) for site in sites]
    return tuple(
        objects.ref(item) for item in snapshot.items if any(objects.is_owned_by(item, owner) for owner in owners)
    )


def _of_accesses(snapshot: Snapshot, ours: list[Object]) -> tuple[Ref, ...]:
    """What Skupper made from a RouterAccess of hzlink: a SecuredAccess, and a Service from that.

    Also if an interrupted `down` has deleted the RouterAccess.
    """
    access = snapshot.get("RouterAccess", link_host.ACCESS)
    if access is not None and access not in ours:
        return ()
    secured = [item for item in snapshot.of("SecuredAccess") if link_host.is_own_endpoint(f"{objects.name(item)}.")]
    made = [item for item in secured if objects.owner_uids(item, "RouterAccess")]
    return (*map(objects.ref, made), *_owned(snapshot, made))


def _is_of(topology: Topology, pod: Object, ours: list[Object]) -> bool:
    """Whether the pod belongs to a workload of hzlink: to a StatefulSet, or to a Deployment through a ReplicaSet."""
    if any(objects.is_owned_by(pod, objects.uid(item)) for item in ours if item["kind"] == "StatefulSet"):
        return True
    names = {objects.name(item) for item in ours if item["kind"] == "Deployment"}
    return objects.labels(pod).get("app") in names - {topology.service}
