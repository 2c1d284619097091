"""Removes what hzlink made at a site, in the order of its Teardown, and leaves what another topology uses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from hzlink.model import objects
from hzlink.model.choices import Role
from hzlink.model.errors import HzlinkError, WaitTimeout
from hzlink.model.events import Emit, Event, Mark
from hzlink.model.objects import Ref
from hzlink.model.topology import Site, Topology, labels
from hzlink.observe.foreign_objects import foreign_objects
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import teardown
from hzlink.plan.sharing import Handover
from hzlink.plan.teardown import Teardown
from hzlink.programs import hints
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal


@dataclass(frozen=True)
class Removal:
    """What is removed at a site, or in an application namespace (`app`).

    `namespace`: whether the namespace is removed, too. `namespace_stays`: it is hzlink's, and another topology gets it.
    """

    site: Site
    teardown: Teardown
    namespace: bool
    handover: Handover = field(default_factory=Handover)
    namespace_stays: bool = False
    app: bool = False

    @property
    def name(self) -> str:
        """The site's name, for the list; with the namespace if it is an application namespace."""
        return f"{self.site.name} (namespace {self.site.namespace})" if self.app else self.site.name

    @property
    def lines(self) -> list[str]:
        """The list for the user, a line for each object."""
        lines = [f"{self.name}: {target}" for target in self.teardown.refs if target != objects.SKUPPER_LEASE]
        restore = self.teardown.restore
        if restore is not None and restore.patch is not None:
            lines.append(f"{self.site.name}: {restore.ref}: {restore.text}")
        return [*lines, f"{self.site.name}: namespace/{self.site.namespace}"] if self.namespace else lines


async def plan(topology: Topology, snapshot: Snapshot, handover: Handover, granted: Collection[str] = ()) -> Removal:
    """The removal at a site that was observed; of nothing if the namespace does not exist.

    `granted`: the UIDs of hzlink's grants at all sites, which show what an interrupted run left.
    """
    made = teardown.make(topology, snapshot, handover.refs, handover.heir, granted)
    if snapshot.refusal is Refusal.NO_NAMESPACE:
        return Removal(snapshot.site, made, False)
    try:
        namespace = await Kubectl(snapshot.site).namespace()
    except KubectlError:
        # `up --create-namespace` needs the right to read namespaces, so hzlink did not create this one.
        namespace = None
    ours = namespace is not None and objects.is_ours(namespace, topology.name)
    stays = ours and bool(handover.heir)
    return Removal(snapshot.site, made, ours and not stays, handover, stays)


async def each(
    removing: Callable[[Removal, float, Emit], Awaitable[None]], removals: Sequence[Removal], until: float, emit: Emit
) -> list[HzlinkError]:
    """Runs `removing` for each site in parallel, and returns the errors."""

    async def one(removal: Removal) -> HzlinkError | None:
        try:
            await removing(removal, until, emit)
        except HzlinkError as error:
            error.site = error.site or removal.site.name
            emit(Event(Mark.FAIL, error.message, removal.site.name))
            return error
        return None

    return [error for error in await asyncio.gather(*(one(removal) for removal in removals)) if error]


async def remove(removal: Removal, until: float, emit: Emit) -> None:
    """Removes the objects of a site, stage by stage."""
    site, plan = removal.site, removal.teardown
    kubectl, began = Kubectl(site, until=until), time.monotonic()

    def tell(text: str) -> None:
        emit(Event(Mark.OK, text, site.name, elapsed=time.monotonic() - began))

    # First, so that an interrupted run leaves no Site that belongs to a topology without objects.
    await _hand_over(kubectl, removal, emit)
    for stage in plan.stages:
        await kubectl.delete(stage)
        if any(target.resource == objects.RESOURCES["Site"] for target in stage):
            await _gone(kubectl, (*stage, *plan.dependents), until, "the objects that Skupper made for the Site")
            tell("unlinked; the Skupper Site and its objects are removed")
    if plan.restore is not None and plan.restore.patch is not None:
        await kubectl.patch(plan.restore.ref, plan.restore.patch)
        tell(f"Site {plan.restore.ref.name}: {plan.restore.text}")
    if plan.pods:
        text = "1 pod is terminating" if len(plan.pods) == 1 else f"{len(plan.pods)} pods are terminating"
        text += "; each member first moves its data to the others" if site.role is Role.CLUSTER else ""
        emit(Event(Mark.NOTE, text, site.name))
    await _gone(kubectl, (*plan.refs, *plan.derived, *plan.pods), until, "the workload")
    if plan.refs:
        count = len(removal.lines)
        tell(f"{count} object{'' if count == 1 else 's'} removed")


async def _hand_over(kubectl: Kubectl, removal: Removal, emit: Emit) -> None:
    """Gives what stays the label of a topology that uses it."""
    site, marks = removal.site, {"metadata": {"labels": labels(removal.handover.heir)}}
    for target in removal.handover.refs:
        await kubectl.patch(target, marks)
    if removal.namespace_stays:
        try:
            await kubectl.patch(Ref(objects.RESOURCES["Namespace"], site.namespace), marks)
        except KubectlError as error:
            if error.refusal is not Refusal.FORBIDDEN:
                raise
            text = f"you may not label namespace {site.namespace}, so the last `down` will not remove it"
            emit(Event(Mark.WARN, text, site.name))


async def _gone(kubectl: Kubectl, targets: Sequence[Ref], until: float, what: str) -> None:
    began = time.monotonic()
    if not await kubectl.wait_gone(targets, max(1.0, until - began)):
        raise WaitTimeout(
            f"timed out waiting for the deletion of {what}",
            site=kubectl.site.name,
            waited=time.monotonic() - began,
            next_step=hints.kubectl(kubectl.site, "get all,sites.skupper.io"),
        )


async def remove_namespace(removal: Removal, until: float, emit: Emit) -> None:
    """Removes the namespace, unless it contains objects of other users."""
    site = removal.site
    kubectl = Kubectl(site, until=until)
    foreign = await foreign_objects(kubectl)
    if foreign:
        text = f"namespace {site.namespace} is not removed: it has objects of others: {', '.join(foreign[:8])}"
        emit(Event(Mark.WARN, text, site.name))
        return
    target = Ref(objects.RESOURCES["Namespace"], site.namespace)
    await kubectl.delete([target])
    await _gone(kubectl, [target], until, f"namespace {site.namespace}")
    emit(Event(Mark.OK, f"namespace {site.namespace} removed", site.name))
