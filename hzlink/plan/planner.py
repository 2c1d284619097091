"""Makes the plan: the steps from the snapshots to the wanted state, with their dependencies. Pure.

The plan of a converged topology is empty, so that the run writes nothing. An interrupted run is resumed by planning
again from the current state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hzlink.model import conditions, members, objects, probe_labels
from hzlink.model.app_namespaces import is_app_name
from hzlink.model.choices import LinkFrom, Mode, Role
from hzlink.model.objects import Object, Ref
from hzlink.model.topology import Site, Topology
from hzlink.observe import certificates, existing_members, links, losses, mancenter, ways
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.plan import consent, foreign, hub, leftovers, link_host, member_names, scaling, sharing, upgrade
from hzlink.plan.drift import drift


class Action(StrEnum):
    """What a step does. apply/runner.py has a function for each action."""

    CLEAN_UP = "tidy"
    NAMESPACE = "namespace"
    COLLECT = "collect"
    STOP = "stop"
    APPLY = "apply"
    PRUNE = "prune"
    ACCESS = "access"
    SITE = "site"
    MEMBERS = "members"
    LINK_HOST = "link-host"
    LINK = "link"
    REPAIR = "repair"
    NAMES = "names"
    MANCENTER = "mancenter"
    APP_NAMES = "app-names"
    UNLINK = "unlink"
    LEAVE = "leave"


# The others only wait.
_WRITING = frozenset(Action) - {Action.COLLECT, Action.SITE, Action.MEMBERS, Action.NAMES, Action.MANCENTER}


@dataclass(frozen=True)
class Step:
    """An action at a site, after the steps in `needs`. `why` is the reason, for the user.

    `items` are objects to apply (of ACCESS: a patch), `refs` objects to delete or to wait for.
    """

    action: Action
    site: Site
    why: str
    needs: frozenset[str] = frozenset()
    items: tuple[Object, ...] = ()
    refs: tuple[Ref, ...] = ()

    @property
    def key(self) -> str:
        """The step's name in its plan. A site may have several application namespaces."""
        own = key(self.site, self.action)
        return f"{own}/{self.site.namespace}" if self.action is Action.APP_NAMES else own

    @property
    def writes(self) -> bool:
        """Whether the step changes a cluster. Other steps only wait."""
        return self.action in _WRITING


def key(site: Site, action: Action) -> str:
    """The name of a site's step."""
    return f"{site.name}/{action}"


Wanted = Mapping[Site, Sequence[Object]]


def issuers(topology: Topology, snapshots: Snapshots) -> dict[Site, Site]:
    """The issuing side for each linked site: the target, unless the settings or an existing Link differ.

    An existing link keeps its direction, so that a second run changes nothing.
    """
    return {client: _issuer(topology, snapshots, client) for client in topology.linked}


def _issuer(topology: Topology, snapshots: Snapshots, client: Site) -> Site:
    if topology.hub is not None:
        return topology.hub
    asked = topology.settings.issuing_side
    # A link that another topology uses, too, keeps its direction.
    shared = any(sharing.is_shared(topology, snapshots[site].skupper_site) for site in (client, topology.cluster))
    if asked is not LinkFrom.AUTO and not (shared and _is_linked(topology, snapshots, client)):
        return client if asked is LinkFrom.CLIENT else topology.cluster
    if links.between(snapshots, redeemer=client, issuer=topology.cluster):
        return topology.cluster
    if links.between(snapshots, redeemer=topology.cluster, issuer=client):
        return client
    cluster = topology.cluster
    able = [site for site in (cluster, client) if foreign.can_issue(topology, snapshots[site])]
    if len(able) == 1:
        return able[0]
    # An interrupted run in which the client side issued is continued with the same side.
    has_address = conditions.address(snapshots[client].skupper_site) is not None
    return client if has_address and not conditions.address(snapshots[cluster].skupper_site) else cluster


def _is_linked(topology: Topology, snapshots: Snapshots, client: Site) -> bool:
    ends = ((client, topology.cluster), (topology.cluster, client))
    return any(links.between(snapshots, redeemer=one, issuer=other) for one, other in ends)


def unable_issuers(topology: Topology, snapshots: Snapshots) -> list[Site]:
    """The sites that have to issue but cannot: their Skupper Site is not hzlink's and has no link access."""
    chosen = issuers(topology, snapshots)
    needed = {issuer for client, issuer in chosen.items() if why_to_link(topology, snapshots, client, issuer)}
    return [site for site in topology.sites if site in needed and not foreign.can_issue(topology, snapshots[site])]


def skupper_name(site: Site, snapshots: Snapshots) -> str:
    """The name of the site's Skupper Site: of the existing one, otherwise the site's name."""
    found = snapshots[site].skupper_site
    return objects.name(found) if found is not None else site.name


def link_name(topology: Topology, issuer_skupper_name: str) -> str:
    """The name of a Link (and of its token and Secret) in the redeeming site's namespace."""
    return links.name_for(topology.name, issuer_skupper_name)


def make(
    topology: Topology,
    wanted: Wanted,
    snapshots: Snapshots,
    missing: frozenset[Site] = frozenset(),
    *,
    repair: bool = False,
) -> list[Step]:
    """The steps of `up`. `missing`: the sites whose namespace has to be created.

    `repair`: include the steps that repair what Skupper has lost.
    """
    steps = leftover_steps(topology, snapshots)
    for site in topology.sites:
        steps += _site_steps(topology, site, wanted[site], snapshots[site], site in missing)
    steps += access_steps(topology, snapshots)
    planned = {step.key for step in steps}
    chosen = issuers(topology, snapshots)
    repairs = repair_steps(topology, snapshots) if repair else []
    planned |= {step.key for step in repairs}
    moving = {site for site in topology.sites if _changes_link_access(topology, wanted[site], snapshots[site])}
    linking = _link_steps(topology, chosen, snapshots, planned, moving)
    planned |= {step.key for step in linking}
    steps += [step for step in linking if step.site not in topology.clients]
    for client in topology.clients:
        steps += [step for step in linking if step.site == client]
        steps += _client_steps(topology, client, snapshots, planned)
    return [*steps, *repairs]


def access_steps(topology: Topology, snapshots: Snapshots) -> list[Step]:
    """Steps that enable link access of Sites of others that have to issue, if the user allows it."""
    if not topology.settings.enable_link_access:
        return []
    steps = []
    for site in unable_issuers(topology, snapshots):
        found = snapshots[site].skupper_site or {}
        maker = foreign.made_by(topology, found)
        why = f"Site {objects.name(found)}, {maker}, gets linkAccess {consent.value(topology)}"
        patch = consent.patch(topology, found)
        steps.append(Step(Action.ACCESS, site, why, items=(patch,), refs=(objects.ref(found),)))
    return steps


def repair_steps(topology: Topology, snapshots: Snapshots) -> list[Step]:
    """Steps that repair what Skupper has lost. `items`: Links to add; `refs`: Links to delete first.

    A step without items is for a lost record. It finds the lost members again when it runs.
    """
    why: dict[Site, list[str]] = {}
    items: dict[Site, list[Object]] = {}
    refs: dict[Site, list[Ref]] = {}
    for missing in losses.missing_links(topology, snapshots):
        present = links.all_between(snapshots, missing.holder, missing.issuer)
        theirs = foreign.is_foreign(topology, snapshots[missing.holder].skupper_site)
        if theirs and not all(sharing.is_made_by_hzlink(link) for link in present):
            # hzlink does not change Links that it did not make.
            continue
        hosts = ", ".join(links.hosts(missing.wanted))
        why.setdefault(missing.holder, []).append(f"no Link to the router of {missing.issuer.name} at {hosts}")
        items.setdefault(missing.holder, []).extend(missing.wanted)
        refs.setdefault(missing.holder, []).extend(map(objects.ref, missing.useless))
    for site, text in losses.texts(losses.lost_members(topology, snapshots)):
        why.setdefault(site, []).append(f"{text}; this restarts its router: {losses.INTERRUPTION}")
    return [
        Step(Action.REPAIR, site, "; ".join(texts), items=tuple(items.get(site, ())), refs=tuple(refs.get(site, ())))
        for site, texts in why.items()
    ]


def leftover_steps(topology: Topology, snapshots: Snapshots) -> list[Step]:
    """Steps that remove tokens and grants of an interrupted run (`refs`), and label its Links (`items`)."""
    names = {link_name(topology, skupper_name(site, snapshots)) for site in topology.sites}
    granted = leftovers.grants(topology, snapshots.values())
    steps = []
    for site in topology.sites:
        refs = leftovers.refs(topology, snapshots[site], names, granted)
        unmarked = leftovers.unmarked_links(topology, snapshots[site], names, granted)
        if refs or unmarked:
            found = ", ".join(map(str, (*refs, *map(objects.ref, unmarked))))
            steps.append(Step(Action.CLEAN_UP, site, f"left by an interrupted run: {found}", items=unmarked, refs=refs))
    return steps


def _site_steps(
    topology: Topology, site: Site, wanted: Sequence[Object], snapshot: Snapshot, create: bool
) -> list[Step]:
    steps = []
    needs: frozenset[str] = frozenset()
    if foreign.is_foreign(topology, snapshot.skupper_site):
        wanted = [item for item in wanted if item["kind"] != "Site"]
    if create:
        steps.append(Step(Action.NAMESPACE, site, f"namespace {site.namespace} does not exist"))
        needs = frozenset({steps[-1].key})
    orphans = _orphans(snapshot)
    if orphans:
        why = f"until the objects of a deleted Site are deleted: {', '.join(map(str, orphans))}"
        steps.append(Step(Action.COLLECT, site, why, needs, refs=orphans))
        needs = frozenset({steps[-1].key})
    changed = [item for item in wanted if drift(item, snapshot.get(item["kind"], objects.name(item)))]
    workload = _named(wanted, "StatefulSet", topology.workload)
    stop = _stopping(topology, site, workload, snapshot, needs)
    if stop is not None and workload is not None:
        steps.append(stop)
        changed = [*(item for item in changed if item is not workload), workload]
        needs = frozenset({stop.key})
    if changed:
        why = ", ".join(f"{item['kind']} {objects.name(item)}" for item in changed)
        applied = (
            # The stop has made hzlink the manager of spec.replicas: if the apply omitted it, it would become 1.
            item
            if stop is not None and item is workload
            else scaling.to_apply(topology, item, snapshot.get(item["kind"], objects.name(item)))
            for item in changed
        )
        steps.append(Step(Action.APPLY, site, why, needs, items=tuple(applied)))
        needs = frozenset({steps[-1].key})
    keep = {objects.ref(item) for item in wanted}
    stale = tuple(
        objects.ref(item)
        for item in snapshot.items
        if objects.is_ours(item, topology.name)
        and objects.ref(item) not in (*keep, *link_host.REFS)
        and item["kind"] not in _LINKING
        # Belongs to a `verify --in-cluster` that runs at the same time, or that the cluster removes by itself.
        and not probe_labels.is_probe(item)
        # Beside the members; `app_steps` removes it.
        and not is_app_name(item, topology.name)
    )
    if stale:
        steps.append(Step(Action.PRUNE, site, ", ".join(map(str, stale)), needs, refs=stale))
    if changed or not conditions.skupper(snapshot.skupper_site).ok:
        steps.append(Step(Action.SITE, site, "until the Skupper Site is Ready", needs))
    started = _named(changed, "StatefulSet", topology.workload) is not None
    if site.role is Role.CLUSTER and (started or not members_ready(topology, snapshot)):
        why = f"until {topology.settings.members} members are ready"
        steps.append(Step(Action.MEMBERS, site, why, needs))
    return steps


def members_ready(topology: Topology, snapshot: Snapshot) -> bool:
    """Whether all members are ready. `snapshot` is the target site's."""
    if topology.found is not None:
        return len(existing_members.ready_names(topology, snapshot)) >= topology.settings.members
    return conditions.rollout(snapshot.get("StatefulSet", topology.workload)).ok


def _stopping(
    topology: Topology, site: Site, workload: Object | None, snapshot: Snapshot, needs: frozenset[str]
) -> Step | None:
    """The step that stops all members, if their new image needs that and hzlink made them."""
    live = snapshot.get("StatefulSet", topology.workload)
    restart = upgrade.restart_for(topology, workload, snapshot)
    if restart is None or workload is None or live is None or not objects.is_ours(live, topology.name):
        return None
    refs = tuple(objects.Ref(objects.RESOURCES["Pod"], name) for name in restart.pods)
    return Step(Action.STOP, site, restart.why, needs, items=(upgrade.stopped(workload),), refs=refs)


def _orphans(snapshot: Snapshot) -> tuple[Ref, ...]:
    """Objects of a deleted Site that the garbage collector has not deleted yet.

    A new Site must be made after that: Skupper 2.2 uses an existing ServiceAccount and does not make another one when
    the garbage collector deletes it; then the router never runs (read in its code, and observed).
    """
    return tuple(objects.ref(item) for item in snapshot.items if links.is_orphan(snapshot, item))


# What the link step needs.
_BEFORE_LINK = (Action.CLEAN_UP, Action.ACCESS, Action.SITE)
# The link step makes and removes them.
_LINKING = ("Link", "AccessToken", "AccessGrant", "Secret")


def _named(items: Sequence[Object], kind: str, name: str) -> Object | None:
    return next((item for item in items if item["kind"] == kind and objects.name(item) == name), None)


def _changes_link_access(topology: Topology, wanted: Sequence[Object], snapshot: Snapshot) -> bool:
    """Whether a Site of hzlink gets another type of link access, and with it another address."""
    live = snapshot.skupper_site
    if live is None or not objects.is_ours(live, topology.name):
        return False
    types = {str(objects.spec(item).get("linkAccess") or "none") for item in (live, *wanted) if item["kind"] == "Site"}
    return len(types) > 1 and "none" not in types


def _link_steps(
    topology: Topology, chosen: Mapping[Site, Site], snapshots: Snapshots, planned: set[str], moving: set[Site]
) -> list[Step]:
    """The steps that link sites to the target. `moving`: the sites whose address changes."""
    steps = []
    for site, issuer in chosen.items():
        before = planned & {key(end, action) for end in (site, topology.target) for action in _BEFORE_LINK}
        why = why_to_link(topology, snapshots, site, issuer, key(issuer, Action.SITE) in planned)
        if not why and issuer in moving:
            why = f"the link access of {issuer.name} changes, and with it its address"
        if why:
            steps.append(Step(Action.LINK, site, why, frozenset(before)))
    return steps


def _client_steps(topology: Topology, client: Site, snapshots: Snapshots, planned: set[str]) -> list[Step]:
    """The steps of a client site after it is linked."""
    steps: list[Step] = []
    cluster = topology.cluster
    linking = planned & {key(client, Action.LINK), key(cluster, Action.LINK)}
    others = {key(cluster, Action.MEMBERS), key(client, Action.APPLY), *_repairs(*topology.sites)}
    needs = frozenset(linking | (planned & others))
    missing = member_names.are_missing(topology, snapshots, client)
    if topology.settings.mode is Mode.UNISOCKET:
        if missing or linking:
            steps.append(Step(Action.NAMES, client, member_names.until(topology), needs))
        return steps
    if missing or needs:
        steps.append(Step(Action.NAMES, client, member_names.until(topology), needs))
        needs = frozenset({steps[-1].key})
    if topology.has_mancenter and (needs or _mancenter_step_needed(topology, snapshots, client)):
        steps.append(Step(Action.MANCENTER, client, "until Management Center is ready and sees the members", needs))
    return steps


def _repairs(*sites: Site) -> set[str]:
    return {key(site, Action.REPAIR) for site in sites}


def why_to_link(topology: Topology, snapshots: Snapshots, client: Site, issuer: Site, renewed: bool = True) -> str:
    """Why a linked site needs the link step; empty if it is linked, by any tool, directly or through other Sites.

    `renewed`: the issuing Site may have been made again since the Links were made.
    """
    target, peer = topology.target, snapshots[issuer].skupper_site
    found = links.all_between(snapshots, topology.redeemer(client, issuer), issuer)
    # A Link of others is not repaired where there is a way over other Sites.
    if not any(conditions.skupper(link).ok or objects.is_ours(link, topology.name) for link in found):
        way = ways.find(snapshots, client, target, hub.replaced_uids(topology, snapshots))
        if way is not None and way.condition.ok:
            return ""
        if not found:
            return f"not linked: {way.condition.text}" if way else ways.not_linked(snapshots, client, target)
    if wrong := link_host.mismatch(topology, found):
        return wrong
    if links.are_outdated(found, peer):
        return f"its link leads to an address that {issuer.name} no longer has"
    if not any(conditions.skupper(link).ok for link in found):
        return certificates.why_down(found)
    stale = renewed and conditions.link_is_stale(found[0], peer)
    return "its link was made for a Site that was deleted" if stale else ""


def _mancenter_step_needed(topology: Topology, snapshots: Snapshots, client: Site) -> bool:
    snapshot = snapshots[client]
    pods, services = members.mancenter_pods(topology, snapshot.of("Pod")), snapshot.of("Service")
    seen = mancenter.view(snapshots[topology.cluster].member_log, topology.member_names, len(topology.clients))
    if seen is not None and seen.sees_no_member:
        return True
    ready = conditions.rollout(snapshot.get("Deployment", topology.mancenter), pods).ok
    return not ready or conditions.mancenter_started_too_early(pods, services, topology.member_names)
