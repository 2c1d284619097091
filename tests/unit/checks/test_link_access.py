"""The check of --link-access, before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.checks.records import Finding, Unknown
from hzlink.model.choices import LinkAccess
from tests.unit import builders as make
from tests.unit.builders import CORE, topology
from tests.unit.checking import facts, namespace, of_nothing, well
from tests.unit.plan.test_access_types import NODEPORT, controller, variable

CHECK = "link-access-type"


def found(of: Any) -> dict[str | None, Finding]:
    """The findings of this check, by site."""
    from hzlink.checks.judge import judge

    return {one.site.name if one.site else None: one for one in judge(of) if one.check.id == CHECK}


def first_up(access: str, **changes: Any) -> dict[str | None, Finding]:
    world = well(topology(link_access=LinkAccess(access)))
    world.live = {site: [] for site in world.topology.sites}
    return found(facts(world, **changes))


def test_auto_needs_no_check() -> None:
    assert found(of_nothing()) == {}


def test_type_that_is_not_enabled_fails_before_anything_is_written() -> None:
    [(site, finding)] = first_up("nodeport").items()
    assert (site, finding.word, finding.is_fatal) == ("core", "failed", True)
    assert finding.text == "the Skupper controller has not enabled link access nodeport"
    assert finding.subject == "Deployment skupper/skupper-controller"
    assert "SKUPPER_ENABLED_ACCESS_TYPES=local,loadbalancer,route,nodeport" in str(finding.next_step)


def test_enabled_type_passes() -> None:
    enabled = controller(NODEPORT, variable("SKUPPER_CLUSTER_HOST", "192.0.2.9"))
    assert first_up("nodeport", core={"controller": enabled})["core"].word == "passed"
    assert first_up("loadbalancer")["core"].word == "passed"


def test_controller_of_the_namespace_takes_precedence() -> None:
    world = well(topology(link_access=LinkAccess.NODEPORT))
    own = controller(NODEPORT, variable("SKUPPER_CLUSTER_HOST", "192.0.2.9"))
    world.live = {site: [] for site in world.topology.sites}
    world.live[CORE] = [own]
    assert found(facts(world))["core"].text == "Deployment hz/skupper-controller has enabled nodeport"


@pytest.mark.parametrize("answer", [Unknown("forbidden"), None])
def test_controller_that_cannot_be_read_is_left_to_the_sites_status(answer: Any) -> None:
    finding = first_up("nodeport", core={"controller": answer})["core"]
    assert (finding.word, finding.is_fatal, finding.check.awaited) == ("unknown", False, True)
    assert "SKUPPER_CLUSTER_HOST=NODE" in str(finding.next_step)


def test_route_without_routes() -> None:
    assert "no OpenShift routes" in first_up("route")["core"].text
    assert first_up("route", core={"routes": True})["core"].word == "passed"


def test_local_for_sites_in_two_clusters() -> None:
    apart = {"core": {"kube_system": namespace("one")}, "edge": {"kube_system": namespace("two")}}
    assert "edge is in another cluster" in first_up("local", **apart)["core"].text
    same = {name: {"kube_system": namespace("one")} for name in ("core", "edge")}
    assert first_up("local", **same)["core"].word == "passed"
    assert first_up("local")["core"].word == "passed", "clusters that are not known may be one"


def test_site_of_others_is_not_changed() -> None:
    world = well(topology(link_access=LinkAccess.NODEPORT))
    world.live[CORE] = [make.skupper_site("oslo", host="203.0.113.7", ours=False)]
    assert "keeps its link access: default" in found(facts(world))["core"].text


def test_site_that_has_an_address_of_that_type_passes() -> None:
    world = well(topology(link_access=LinkAccess.NODEPORT))
    world.put(CORE, make.skupper_site("core", host="192.0.2.9", access="nodeport"))
    assert found(facts(world))["core"].word == "passed"
