"""Skupper's access types: what a controller has enabled, and what to do where a type is not."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.model.choices import LinkAccess
from hzlink.plan import access_types, planner
from hzlink.plan.access_types import Options
from tests.unit import checking
from tests.unit.builders import CORE, EDGE, converged, skupper_site


def controller(*env: dict[str, Any], **container: Any) -> dict[str, Any]:
    """The controller's Deployment with these variables."""
    made = checking.deployment()
    made["spec"]["template"]["spec"]["containers"][0] |= {"env": list(env), **container}
    return made


def variable(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value}


ENABLED = "SKUPPER_ENABLED_ACCESS_TYPES"
NODEPORT = variable(ENABLED, "local,nodeport")


@pytest.mark.parametrize(
    ("deployment", "enabled"),
    [
        (controller(), ("local", "loadbalancer", "route")),
        (controller(NODEPORT), ("local", "nodeport")),
        (controller(args=["-enable-grants", "-enabled-access-types=gateway"]), ("gateway",)),
        (controller(NODEPORT, command=["/app/controller", "--enabled-access-types", "gateway"]), ("gateway",)),
        (controller(variable(ENABLED, "")), ()),
        ({}, ("local", "loadbalancer", "route")),
    ],
)
def test_enabled_types(deployment: dict[str, Any], enabled: tuple[str, ...]) -> None:
    found = access_types.options_of(deployment)
    assert found is not None
    assert found.enabled == enabled


@pytest.mark.parametrize(
    "deployment",
    [
        controller({"name": ENABLED, "valueFrom": {"configMapKeyRef": {"name": "x", "key": "y"}}}),
        controller(envFrom=[{"configMapRef": {"name": "x"}}]),
    ],
)
def test_options_in_other_objects_are_not_known(deployment: dict[str, Any]) -> None:
    assert access_types.options_of(deployment) is None


def test_what_a_controller_lacks() -> None:
    assert Options().lacks(LinkAccess.AUTO) == ""
    assert Options().lacks(LinkAccess.LOADBALANCER) == ""
    assert Options().lacks(LinkAccess.NODEPORT) == "it has enabled only local, loadbalancer, route"
    assert Options(("nodeport",)).lacks(LinkAccess.NODEPORT) == "SKUPPER_CLUSTER_HOST is not set"
    found = access_types.options_of(controller(NODEPORT, variable("SKUPPER_CLUSTER_HOST", "192.0.2.9")))
    assert found is not None
    assert found.lacks(LinkAccess.NODEPORT) == ""


def test_remedy_enables_the_type_in_addition_to_the_others() -> None:
    told = access_types.remedy(CORE, "nodeport", None, "skupper")
    assert told.startswith(
        "kubectl --context core-ctx -n skupper set env deployment/skupper-controller"
        " SKUPPER_ENABLED_ACCESS_TYPES=local,loadbalancer,route,nodeport SKUPPER_CLUSTER_HOST=NODE"
    )
    assert "hzlink up --link-access loadbalancer" in told
    assert "SKUPPER_CLUSTER_HOST" not in access_types.enable_command(
        CORE, "nodeport", Options(given=frozenset({"SKUPPER_CLUSTER_HOST"}))
    )


def refusing(access: str, said: str, observed: int) -> dict[str, Any]:
    site = skupper_site("core", "Error", f"Unsupported value for LinkAccess: {said}", access=access)
    site["metadata"]["generation"] = 2
    site["status"]["conditions"] = [{"type": "Configured", "status": "False", "observedGeneration": observed}]
    return site


@pytest.mark.parametrize(
    ("site", "refused"),
    [
        (refusing("nodeport", "nodeport", 2), "nodeport"),
        (refusing("nodeport", "nodeport", 1), ""),
        (refusing("default", "nodeport", 1), ""),
        (skupper_site("core", "Error", "something else"), ""),
        (None, ""),
    ],
)
def test_only_the_present_link_access_counts_as_refused(site: dict[str, Any] | None, refused: str) -> None:
    assert access_types.refused(site) == refused


def test_new_link_access_renews_the_links_in_the_same_run() -> None:
    world = converged()
    [wanted] = [item for item in world.wanted[CORE] if item["kind"] == "Site"]
    wanted["spec"] = {"linkAccess": "nodeport"}
    steps = planner.make(world.topology, world.wanted, world.snapshots())
    [link] = [step for step in steps if step.action is planner.Action.LINK]
    assert (link.site, link.why) == (EDGE, "the link access of core changes, and with it its address")
    assert planner.key(CORE, planner.Action.SITE) in link.needs


def test_site_that_hzlink_did_not_make_changes_nothing() -> None:
    world = converged()
    [wanted] = [item for item in world.wanted[CORE] if item["kind"] == "Site"]
    wanted["spec"] = {"linkAccess": "nodeport"}
    world.find(CORE, "Site")["metadata"]["labels"] = {}
    assert planner.make(world.topology, world.wanted, world.snapshots()) == []
