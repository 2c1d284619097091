"""What the report says of application namespaces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hzlink.model.topology import Site
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import app_steps
from hzlink.programs.refusals import explain
from hzlink.report import report
from hzlink.report.report import Report
from tests.unit.builders import CORE, EDGE, converged, service, topology

TOPOLOGY = topology(app_namespaces=("shop", "core/till"))


def wanted(site: Site, namespace: str) -> list[Any]:
    return app_steps.wanted(TOPOLOGY, site, namespace, converged(TOPOLOGY).snapshots())


def reported(site: Site, namespace: str, *items: Any, error: Any = None) -> Report:
    found = converged(TOPOLOGY).snapshots()
    app = Snapshot(replace(site, namespace=namespace), items, error)
    return report.make(TOPOLOGY, {**found, site: replace(found[site], apps=(app,))})


def test_all_names_are_healthy_whatever_the_cluster_domain_is() -> None:
    items = [
        {**item, "spec": {**item["spec"], "externalName": item["spec"]["externalName"].replace("cluster.local", "x.y")}}
        for item in wanted(EDGE, "shop")
    ]
    seen = reported(EDGE, "shop", *items)
    assert seen.healthy
    assert seen.sites[1].apps[0].names == ("hazelcast", "hazelcast-0", "hazelcast-1", "hazelcast-2")


def test_missing_name_is_the_first_broken_hop() -> None:
    seen = reported(EDGE, "shop", *wanted(EDGE, "shop")[:3])
    assert seen.blame is not None
    assert seen.blame.blamed == "first broken hop is the application namespace shop of edge"
    assert seen.blame.text == "namespace shop: no Service hazelcast-2"
    assert seen.blame.next_step == "hzlink up"
    assert "[applications] > Listener" in (seen.blamed.picture if seen.blamed else "")


def test_service_of_others_and_a_wrong_target_are_told_apart() -> None:
    own = wanted(EDGE, "shop")
    moved = {**own[1], "spec": {"type": "ExternalName", "externalName": "hazelcast-0.old.svc.cluster.local"}}
    seen = reported(EDGE, "shop", service("hazelcast"), moved, *own[2:])
    condition = seen.sites[1].apps[0].condition
    assert condition.text == "Service hazelcast is not hzlink's; Service hazelcast-0 leads elsewhere"


def test_unreadable_namespace_is_unknown() -> None:
    error = explain(replace(EDGE, namespace="shop"), "read objects", 'namespaces "shop" not found')
    seen = reported(EDGE, "shop", error=error)
    assert not seen.healthy
    assert str(seen.sites[1].apps[0].condition.state) == "unknown"


def test_names_beside_the_members_are_a_warning_because_no_path_needs_them() -> None:
    seen = reported(CORE, "till", *wanted(CORE, "till")[1:])
    assert seen.healthy
    assert seen.warnings == ("core: namespace till: no Service hazelcast; hzlink up",)
