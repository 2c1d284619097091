"""For any objects of others in the namespaces: no step of `up` and no stage of `down` writes to or deletes one.

In every kind of topology, with any of hzlink's own objects missing or changed, so that there is something to plan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from hzlink.model import app_namespaces, objects
from hzlink.model.choices import LinkFrom, Via
from hzlink.model.existing_members import Found, Source, SourceKind
from hzlink.model.objects import Object, Ref
from hzlink.model.selectors import parse
from hzlink.model.topology import MANAGED_BY, PART_OF, Site, labels
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.plan import app_steps, consent, hub_steps, link_host_steps, planner, sharing, teardown
from hzlink.plan.planner import Action, Step
from tests.unit.builders import CORE, EDGE, WEST, Obj, World, converged, item, link, pod, service, topology, workload
from tests.unit.plan import test_consent, test_hub, test_hub_steps, test_link_host
from tests.unit.plan.test_hub import HUB

SHOP = "shop"
# Labels that are like hzlink's, on objects that are not this topology's.
MARKS: tuple[dict[str, str], ...] = (
    {},
    {"app": "hazelcast", "app.kubernetes.io/name": "hazelcast"},
    {PART_OF: "hazelcast"},
    {MANAGED_BY: "Helm", PART_OF: "hazelcast"},
    {MANAGED_BY: "hzlink"},
    {MANAGED_BY: "hzlink", PART_OF: "hazelcast-2"},
    labels("sessions"),
)
# No object of this topology has one of these names.
NAMES = ("hazelcast-10", "hazelcast-core-2", "hazelcast-hub-2", "hazelcast-mancenter-2", "skupper-mine", "shop", "x")
KINDS = (
    *("Site", "Link", "Listener", "Connector", "AccessGrant", "AccessToken", "Certificate", "RouterAccess"),
    *("StatefulSet", "Deployment", "Service", "Pod", "ConfigMap", "ServiceAccount", "PodDisruptionBudget"),
)
Placed = tuple[Site, Obj]


@dataclass
class Setting:
    """A topology with its objects, of which `theirs` are not hzlink's. `apps`: those in application namespaces."""

    world: World
    theirs: list[Placed] = field(default_factory=list)
    apps: dict[Site, list[Object]] = field(default_factory=dict)

    def snapshots(self) -> Snapshots:
        """The observation, with the application namespace of each client site."""
        found = self.world.snapshots()
        for site, items in self.apps.items():
            found[site] = replace(found[site], apps=(Snapshot(_app(site), tuple(items)),))
        return found


def _app(site: Site) -> Site:
    return replace(site, namespace=SHOP)


def _direct(**settings: Any) -> Setting:
    return Setting(converged(topology(EDGE, WEST, **settings)))


def _apps() -> Setting:
    made = _direct(app_namespaces=(SHOP,))
    for site in (EDGE, WEST):
        made.apps[site] = app_steps.wanted(made.world.topology, site, SHOP, made.world.snapshots())
        made.world.find(site, "Listener")["metadata"]["annotations"] = {app_namespaces.ANNOTATION: SHOP}
    return made


def _existing() -> Setting:
    """Members of others: their workload, pods and Services."""
    source = Source(SourceKind.STATEFULSET, "prod")
    names = tuple(f"prod-{number}" for number in range(3))
    found = Found(source, parse("app=prod"), 5701, names)
    world = converged(topology(EDGE, members_from=source, found=found))
    theirs = [workload("StatefulSet", "prod", 3), service("prod"), *(pod(name, "prod") for name in names)]
    world.live[CORE] = [*(one for one in world.live[CORE] if one["kind"] in ("Site", "Connector")), *theirs]
    world.wanted[CORE] = [one for one in world.wanted[CORE] if one["kind"] in ("Site", "Connector")]
    return Setting(world, [(CORE, one) for one in theirs])


def _of_others(*, allowed: bool) -> Setting:
    """Sites of others without a Link; with or without consent to use one as an issuer."""
    world = test_consent.two_sites(enable_link_access=allowed)
    return Setting(world, [(site, world.find(site, "Site")) for site in (CORE, EDGE)])


def _enabled() -> Setting:
    made = _of_others(allowed=True)
    made.theirs = [(CORE, test_consent.enabled(made.world)), (EDGE, made.world.find(EDGE, "Site"))]
    return made


def _beside() -> Setting:
    """Another topology of hzlink between the same sites, which uses its Sites and Links."""
    made = _direct()
    theirs = [(CORE, item("Connector", "sessions", labels=labels("sessions")))]
    theirs += [(site, item("Listener", "sessions", labels=labels("sessions"))) for site in (EDGE, WEST)]
    for site, one in theirs:
        made.world.put(site, one)
    made.theirs = theirs
    return made


def _with_hub() -> Setting:
    world = test_hub.with_hub(EDGE, WEST)
    for site in (CORE, EDGE, WEST):
        world.put(site, link("hazelcast-hub", to=world.find(HUB, "Site")))
    return Setting(world)


SETTINGS: dict[str, Callable[[], Setting]] = {
    "direct": _direct,
    "static link, the client sites issue": lambda: _direct(via=Via.LINK, link_from=LinkFrom.CLIENT),
    "application namespaces": _apps,
    "existing members": _existing,
    "Sites of others": lambda: _of_others(allowed=False),
    "Sites of others, with consent": lambda: _of_others(allowed=True),
    "Sites of others, link access enabled": _enabled,
    "beside another topology": _beside,
    "hub": _with_hub,
    "gets a hub": lambda: Setting(test_hub_steps.from_direct(EDGE, WEST)),
    "leaves its hub": lambda: Setting(test_hub_steps.from_hub()),
    "link host": lambda: Setting(test_link_host.world()),
    "gets a link host": lambda: Setting(test_link_host.world(None)),
    "leaves its link host": lambda: Setting(test_link_host.world(wanted=None)),
}


@st.composite
def foreign(draw: st.DrawFn, owners: list[Obj], sites: list[Obj]) -> Obj:
    """An object of others. Some belong to a Site that no longer exists, or to a present one, as those of Skupper do."""
    # Links decide about most steps.
    kind = draw(st.sampled_from(KINDS) | st.just("Link"))
    parts: dict[str, Any] = {"labels": dict(draw(st.sampled_from(MARKS)))}
    if kind in ("Link", "AccessToken", "AccessGrant"):
        parts["spec"] = draw(
            st.sampled_from([{}, {"redemptionsAllowed": 1, "expirationWindow": "15m"}, {"tlsCredentials": "mine"}])
        )
    elif owner := draw(st.none() | st.sampled_from(owners)):
        parts["owner"] = owner
    status = {"status": draw(st.sampled_from(["Ready", "Pending", "Error"]))}
    if kind == "Link" and (to := draw(st.sampled_from([*sites, None]))):
        status |= {"remoteSiteId": to["metadata"]["uid"], "remoteSiteName": to["metadata"]["name"]}
    # Skupper runs only the oldest Site of a namespace.
    made = item(kind, draw(st.sampled_from(NAMES)), created="2026-01-01T13:00:00Z", status=status, **parts)
    return made if kind != "Site" else {**made, "spec": {}}


@st.composite
def settings(draw: st.DrawFn) -> Setting:
    """A topology of any kind, with objects of others, and with some of its own missing, changed or without labels."""
    name = draw(st.sampled_from(sorted(SETTINGS)))
    event(name)
    made = SETTINGS[name]()
    known = {id(one) for _, one in made.theirs}
    sites = [one for items in made.world.live.values() for one in items if one["kind"] == "Site"]
    for site in [*made.world.live]:
        own = [one for one in made.world.live[site] if id(one) not in known]
        for one in draw(st.lists(st.sampled_from(own), max_size=3, unique_by=id)) if own else []:
            if one["kind"] in ("Site",) or draw(st.booleans()):
                one["spec"] = {**one.get("spec", {}), "changed": True}
            else:
                made.world.live[site] = [other for other in made.world.live[site] if other is not one]
        gone = item("Site", "gone", uid="of-a-deleted-site")
        owners = [gone, *(one for one in made.world.live[site] if one["kind"] in ("Site", "StatefulSet"))]
        for one in draw(st.lists(foreign(owners, sites), max_size=4)):
            if not any(_key(one) == _key(other) for other in made.world.live[site]):
                made.world.live[site].append(one)
                made.theirs.append((site, one))
    for site, items in made.apps.items():
        for label, name in draw(st.lists(st.tuples(st.sampled_from(MARKS), st.sampled_from(NAMES)), max_size=2)):
            one = service(name, labels=dict(label))
            if not any(_key(one) == _key(other) for other in items):
                items.append(one)
                made.theirs.append((_app(site), one))
    return made


def _key(one: Object) -> tuple[Any, str]:
    return one.get("kind"), objects.name(one)


def _targets(step: Step) -> set[tuple[Site, Ref]]:
    """What a step writes to or deletes."""
    if not step.writes:
        return set()
    # A patch has no kind: `refs` says of what.
    applied = [objects.ref(one) for one in step.items if "kind" in one]
    return {(step.site, ref) for ref in (*applied, *step.refs)}


@given(settings())
def test_up_writes_to_no_object_of_others(made: Setting) -> None:
    world, snapshots = made.world, made.snapshots()
    steps = planner.make(world.topology, world.wanted, snapshots, repair=True)
    steps = link_host_steps.added(world.topology, snapshots, app_steps.added(world.topology, snapshots, steps))
    steps = hub_steps.added(world.topology, snapshots, steps)
    theirs = {(site, objects.ref(one)) for site, one in made.theirs}
    allowed = world.topology.settings.enable_link_access
    for step in steps:
        event(f"step {step.action}")
        touched = _targets(step) & theirs
        if step.action is Action.ACCESS and allowed:
            # The consent is for this Site, and for its link access.
            [(_, ref)], [patch] = touched, step.items
            assert ref.resource == objects.RESOURCES["Site"]
            assert patch["spec"].keys() == {"linkAccess"}
            continue
        assert touched == set()


@given(settings(), st.booleans())
def test_down_removes_no_object_of_others(made: Setting, whole: bool) -> None:
    topo, snapshots = made.world.topology, made.snapshots()
    if topo.former_hub is not None:
        topo = hub_steps.with_hub(topo, topo.former_hub)
    chosen = snapshots if whole else {EDGE: snapshots[EDGE]}
    handovers = sharing.handovers(topo, chosen)
    theirs = {(site, objects.ref(one)) for site, one in made.theirs}
    for site, snapshot in chosen.items():
        plan = teardown.make(topo, snapshot, handovers[site].refs, handovers[site].heir)
        touched = {*plan.refs, *handovers[site].refs} - {objects.SKUPPER_LEASE}
        assert not {(site, ref) for ref in touched} & theirs
        assert plan.restore is None or _restores(plan.restore, snapshot)
        for app in snapshot.apps:
            assert not {(app.site, ref) for ref in app_steps.removable(topo, app)} & theirs


def _restores(restore: consent.Restore, snapshot: Snapshot) -> bool:
    """Whether only the link access that hzlink enabled, with its record on the Site, is set back."""
    marked = [one for one in snapshot.of("Site") if consent.ANNOTATION in (one["metadata"].get("annotations") or {})]
    changed = set((restore.patch or {}).get("spec") or {})
    return restore.ref in map(objects.ref, marked) and changed <= {"linkAccess"}
