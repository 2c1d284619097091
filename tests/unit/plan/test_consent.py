"""Link access of Skupper Sites of others: enabled only with consent, and set back by `down`."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.plan import consent, foreign, planner, teardown
from hzlink.plan.planner import Action
from tests.unit.builders import CORE, EDGE, Obj, World, converged, topology
from tests.unit.networks import network, theirs


def two_sites(**settings: Any) -> World:
    """Sites of others without link access, which are not linked."""
    world = converged(topology(**settings))
    for site, name in ((CORE, "oslo"), (EDGE, "berlin")):
        world.drop(site, "Site")
        world.put(site, theirs(name))
    world.drop(EDGE, "Link")
    return world


def enabled(world: World) -> Obj:
    """The Site of core as it is after hzlink has enabled its link access."""
    site = world.find(CORE, "Site")
    patch = consent.patch(world.topology, site)
    site["metadata"]["annotations"] = patch["metadata"]["annotations"]
    site["spec"] = {**site["spec"], **patch["spec"]}
    return site


def access_steps(world: World) -> list[planner.Step]:
    steps = planner.make(world.topology, world.wanted, world.snapshots())
    return [step for step in steps if step.action is Action.ACCESS]


def test_nothing_is_changed_without_consent() -> None:
    world = two_sites()
    assert access_steps(world) == []
    error = foreign.no_link_access_error(world.topology, world.snapshots()[CORE])
    assert "up --enable-link-access" in (error.next_step or "")
    assert """--type merge -p '{"spec":{"linkAccess":"default"}}'""" in (error.next_step or "")


def test_with_consent_the_link_waits_for_the_access() -> None:
    world = two_sites(enable_link_access=True)
    [step] = access_steps(world)
    assert (step.site, step.writes, step.refs[0].name) == (CORE, True, "oslo")
    [link] = [one for one in planner.make(world.topology, world.wanted, world.snapshots()) if one.key == "edge/link"]
    assert step.key in link.needs


def test_access_that_is_enabled_is_not_enabled_again() -> None:
    world = two_sites(enable_link_access=True)
    enabled(world)
    assert access_steps(world) == []


@pytest.mark.parametrize("before", [None, "none"])
def test_down_sets_back_what_there_was(before: str | None) -> None:
    world = two_sites()
    site = world.find(CORE, "Site")
    site["spec"] = {"linkAccess": before} if before else {}
    enabled(world)
    found = teardown.make(world.topology, world.snapshots()[CORE]).restore
    assert found is not None
    assert found.patch == {"metadata": {"annotations": {consent.ANNOTATION: None}}, "spec": {"linkAccess": before}}
    assert found.text == "linkAccess back to none, as before hzlink"


def test_down_leaves_access_that_was_changed_since() -> None:
    world = two_sites()
    enabled(world)["spec"]["linkAccess"] = "route"
    found = teardown.make(world.topology, world.snapshots()[CORE]).restore
    assert found is not None
    assert found.patch == {"metadata": {"annotations": {consent.ANNOTATION: None}}}
    assert "stays route" in found.text


@pytest.mark.parametrize(
    ("name", "kept"), [("somebodys", True), ("hazelcast-oslo", False), ("hazelcast-oslo-2", False)]
)
def test_down_leaves_access_that_links_of_others_use(name: str, kept: bool) -> None:
    world = two_sites()
    site, other = enabled(world), theirs("madrid")
    site["status"]["network"] = network((site, []), (other, [(name, site, True)]))
    found = teardown.make(world.topology, world.snapshots()[CORE]).restore
    assert found is not None
    assert (found.patch is None) is kept
    assert not kept or "somebodys of madrid" in found.text


def test_an_annotation_of_another_topology_or_of_no_sense_is_ignored() -> None:
    world = two_sites()
    site = world.find(CORE, "Site")
    for text in ("", "x", "[]", '{"topology": "other", "set": "default"}'):
        site["metadata"]["annotations"] = {consent.ANNOTATION: text}
        assert teardown.make(world.topology, world.snapshots()[CORE]).restore is None


def test_link_access_stays_for_a_topology_that_uses_it() -> None:
    world = two_sites()
    enabled(world)
    found = teardown.make(world.topology, world.snapshots()[CORE], heir="sessions").restore
    assert found is not None
    assert found.text == "linkAccess stays default, for topology sessions"
    assert found.patch is not None
    assert "spec" not in found.patch
    world.find(CORE, "Site")["metadata"]["annotations"] = found.patch["metadata"]["annotations"]
    heir = topology(name="sessions")
    last = teardown.make(heir, world.snapshots()[CORE]).restore
    assert last is not None
    assert last.text == "linkAccess back to none, as before hzlink"
