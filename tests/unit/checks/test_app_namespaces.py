"""The checks of application namespaces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hzlink.checks import app_namespaces
from hzlink.checks.needed_rights import Right
from hzlink.checks.records import Facts
from hzlink.model.errors import HzlinkError
from hzlink.model.existing_members import Found, Source, SourceKind
from hzlink.model.selectors import Selector
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import app_steps
from hzlink.programs.refusals import explain
from tests.unit.builders import service, topology
from tests.unit.checking import ALL, CORE, EDGE, ended, facts, with_snapshot

APP = replace(EDGE, namespace="shop")
NEEDED = (Right("", "services", "create"),)


def with_app(*items: Any, error: HzlinkError | None = None, review: Any = ALL) -> Facts:
    found = facts(topology=topology(app_namespaces=("shop",)), edge={"app_reviews": {"shop": review}})
    app = Snapshot(APP, items, error)
    edge = replace(found.snapshots[EDGE], apps=(app,))
    return with_snapshot(replace(found, needed={**found.needed, "app-namespace": NEEDED}), EDGE, edge)


def test_own_names_and_other_services_pass() -> None:
    own = app_steps.wanted(with_app().topology, EDGE, "shop", with_app().snapshots)
    found = with_app(*own, service("till"))
    assert ended(found, "failed") == {}
    assert ended(found, "passed")["edge", "app-namespaces"].text == "namespace shop exists; its names are free"


def test_service_of_others_is_named_with_the_command_that_shows_it() -> None:
    finding = ended(with_app(service("hazelcast-1")), "failed")["edge", "app-namespaces"]
    assert "has Services of these names already: hazelcast-1" in finding.text
    assert "-n shop get service hazelcast-1 --show-labels" in (finding.next_step or "")


def test_missing_namespace_fails_with_the_command_that_creates_it() -> None:
    error = explain(APP, "read objects", 'namespaces "shop" not found')
    finding = ended(with_app(error=error), "failed")["edge", "app-namespaces"]
    assert finding.text == "application namespace shop does not exist"
    assert (finding.next_step or "").endswith("create namespace shop")


def test_former_namespace_that_is_gone_is_no_failure() -> None:
    found = with_app(error=explain(APP, "read objects", 'namespaces "shop" not found'))
    assert ("edge", "app-namespaces") not in ended(replace(found, topology=topology()), "failed")


def test_rights_are_judged_in_the_namespace() -> None:
    finding = ended(with_app(review={"resourceRules": []}), "failed")["edge", "rights"]
    assert finding.text == "you may not, in namespace shop: create services"
    assert "manifests/rbac/app-namespace" in (finding.next_step or "")


def test_members_without_names_in_dns_are_refused_beside_the_members() -> None:
    source = Source(SourceKind.DEPLOYMENT, name="shop-cache")
    topo = topology(app_namespaces=("core/till",), found=Found(source, Selector(), 5701, ()))
    app = Snapshot(replace(CORE, namespace="till"))
    found = facts().snapshots
    snapshots = {**found, CORE: replace(found[CORE], apps=(app,))}
    [finding] = app_namespaces.at_site(topo, snapshots, CORE)
    assert finding.is_fatal
    assert "which needs a StatefulSet" in finding.text
    assert finding.next_step == "leave out --app-namespace core/till"
