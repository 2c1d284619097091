"""The steps that keep the names in application namespaces as wanted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hzlink.model import objects
from hzlink.model.app_namespaces import ANNOTATION, APP_NAMES
from hzlink.model.choices import Mode
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology, labels
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.plan import app_names, app_steps, planner, teardown
from hzlink.plan.planner import Action, Step
from tests.unit.builders import CORE, EDGE, converged, service, topology

SHOP = "shop"


def snapshots_with(topo: Topology, site: Site, namespace: str, *items: Object) -> Snapshots:
    found = converged(topo).snapshots()
    app = Snapshot(replace(site, namespace=namespace), items)
    return {**found, site: replace(found[site], apps=(app,))}


def added(topo: Topology, snapshots: Snapshots, *steps: Step) -> list[Step]:
    return app_steps.added(topo, snapshots, steps)


def names(step: Step) -> dict[str, Any]:
    return {objects.name(item): objects.spec(item)["externalName"] for item in step.items}


def test_all_names_are_applied_as_aliases_after_the_site() -> None:
    topo = topology(members=2, app_namespaces=(SHOP,))
    site_step = Step(Action.APPLY, EDGE, "Listener")
    [_, step] = added(topo, snapshots_with(topo, EDGE, SHOP), site_step)
    assert step.site == replace(EDGE, namespace=SHOP)
    assert step.needs == {site_step.key}
    assert names(step) == {name: f"{name}.hz.svc.cluster.local" for name in ("hazelcast", "hazelcast-0", "hazelcast-1")}


def test_converged_namespace_needs_nothing_and_scaling_changes_only_the_difference() -> None:
    topo = topology(members=3, app_namespaces=(SHOP,))
    items = app_steps.wanted(topo, EDGE, SHOP, converged(topo).snapshots())
    assert added(topo, snapshots_with(topo, EDGE, SHOP, *items)) == []
    fewer, more = (replace(topo, settings=replace(topo.settings, members=count)) for count in (2, 4))
    [step] = added(fewer, snapshots_with(topo, EDGE, SHOP, *items))
    assert (step.items, [ref.name for ref in step.refs]) == ((), ["hazelcast-2"])
    [step] = added(more, snapshots_with(topo, EDGE, SHOP, *items))
    assert (list(names(step)), step.refs) == (["hazelcast-3"], ())


def test_single_connection_needs_only_the_name_of_the_service() -> None:
    topo = topology(mode=Mode.UNISOCKET, app_namespaces=(SHOP,), cluster_domain="k8s.example")
    [step] = added(topo, snapshots_with(topo, EDGE, SHOP))
    assert names(step) == {"hazelcast": "hazelcast.hz.svc.k8s.example"}


def test_former_namespace_is_cleaned_before_the_site_is_applied() -> None:
    topo = topology()
    theirs = service("hazelcast-1")
    items = app_steps.wanted(topo, EDGE, SHOP, converged(topo).snapshots())
    [site_step, step] = added(
        topo, snapshots_with(topo, EDGE, SHOP, *items[:2], theirs), Step(Action.APPLY, EDGE, "Listener")
    )
    assert [ref.name for ref in step.refs] == ["hazelcast", "hazelcast-0"]
    assert step.key in site_step.needs
    assert step.writes


def test_names_beside_the_members_are_those_of_their_pods() -> None:
    topo = topology(members=1, app_namespaces=("core/hz", "core/till"))
    [step] = added(topo, snapshots_with(topo, CORE, "hz"))
    assert names(step) == {"hazelcast-0": "hazelcast-0.hazelcast.hz.svc.cluster.local"}
    [step] = added(topo, snapshots_with(topo, CORE, "till"))
    assert names(step) == {
        "hazelcast": "hazelcast.hz.svc.cluster.local",
        "hazelcast-0": "hazelcast-0.hazelcast.hz.svc.cluster.local",
    }


def test_names_beside_the_members_are_not_pruned_as_objects_of_the_site_but_go_with_it() -> None:
    topo = topology(app_namespaces=("core/hz",))
    world = converged(topo)
    world.live[CORE] += [dict(one) for one in app_steps.wanted(topo, CORE, "hz", world.snapshots())]
    assert planner.make(topo, world.wanted, world.snapshots()) == []
    removed = {ref.name for ref in teardown.make(topo, world.snapshots()[CORE]).refs}
    assert {"hazelcast-0", "hazelcast-1", "hazelcast-2"} <= removed


def test_only_the_offer_of_a_site_with_namespaces_is_marked() -> None:
    topo = topology(app_namespaces=(SHOP, "edge/web"))
    listener = {"kind": "Listener", "metadata": {"name": "hazelcast"}}
    marked = app_names.marked(listener, topo, EDGE)
    assert marked["metadata"]["annotations"] == {ANNOTATION: "shop,web"}
    assert app_names.marked({**listener, "kind": "Site"}, topo, EDGE)["metadata"] == {"name": "hazelcast"}
    assert app_names.marked(listener, topo, CORE) == listener


def test_services_of_other_topologies_are_foreign() -> None:
    topo = topology(app_namespaces=(SHOP,))
    marks = {"app.kubernetes.io/component": APP_NAMES}
    items = (
        service("hazelcast", labels={**labels("other"), **marks}),
        service("hazelcast-0", ours=True),
        service("hazelcast-1", labels={**labels("hazelcast"), **marks}),
    )
    app = Snapshot(replace(EDGE, namespace=SHOP), items)
    assert app_names.foreign(topo, app, ("hazelcast", "hazelcast-0", "hazelcast-1", "hazelcast-2")) == [
        "hazelcast",
        "hazelcast-0",
    ]
