"""The number of members: the given one, or that of the existing StatefulSet."""

from __future__ import annotations

from typing import Any

from hzlink.model.topology import Topology
from hzlink.plan import manifests, ownership, planner, scaling
from hzlink.plan.planner import Action
from tests.unit.builders import CORE, World, converged, statefulset, topology

HZLINKS: dict[str, Any] = {"f:spec": {"f:serviceName": {}}}
WITH_REPLICAS: dict[str, Any] = {"f:spec": {"f:replicas": {}}}


def scaled(world: World, count: int, ours: bool = True) -> World:
    """The world after `kubectl scale`."""
    for one in world.live[CORE]:
        if one["kind"] == "StatefulSet":
            one["spec"]["replicas"] = count
            if not ours:
                one["metadata"].pop("labels")
    return world


def number(world: World, topo: Topology) -> int:
    return scaling.with_current_members(topo, world.snapshots()).settings.members


def test_existing_number_of_members_is_kept() -> None:
    topo = topology()
    assert number(scaled(converged(topo), 5), topo) == 5
    assert scaling.with_current_members(topo, scaled(converged(topo), 2).snapshots()).member_names == (
        "hazelcast-0",
        "hazelcast-1",
    )


def test_given_number_of_members_is_used() -> None:
    topo = topology(members=3, members_given=True)
    assert number(scaled(converged(topo), 5), topo) == 3


def test_foreign_statefulset_is_ignored() -> None:
    topo = topology()
    assert number(scaled(converged(topo), 5, ours=False), topo) == 3


def test_default_is_used_without_a_statefulset() -> None:
    topo = topology()
    world = converged(topo)
    world.live[CORE] = [one for one in world.live[CORE] if one["kind"] != "StatefulSet"]
    assert number(world, topo) == 3


def test_zero_members_is_an_error_unless_a_number_is_given() -> None:
    topo = topology()
    error = scaling.no_members(topo, scaled(converged(topo), 0).snapshots())
    assert error is not None
    assert "up --members 3" in (error.next_step or "")
    given = topology(members_given=True)
    assert scaling.no_members(given, scaled(converged(given), 0).snapshots()) is None
    assert scaling.no_members(topo, converged(topo).snapshots()) is None


def _applied(topo: Topology, fields: dict[str, Any]) -> dict[str, Any]:
    """The StatefulSet as it is applied when another field differs."""
    world = converged(topo)
    for one in world.live[CORE]:
        if one["kind"] == "StatefulSet":
            owned = {"manager": "hzlink", "operation": "Apply", "fieldsV1": fields}
            one["metadata"]["managedFields"] = [owned]
    for one in world.wanted[CORE]:
        if one["kind"] == "StatefulSet":
            one["spec"]["serviceName"] = "other"
    [step] = [step for step in planner.make(topo, world.wanted, world.snapshots()) if step.action is Action.APPLY]
    [item] = step.items
    return dict(item["spec"])


def test_number_set_by_others_is_not_applied() -> None:
    assert "replicas" not in _applied(topology(), HZLINKS)


def test_number_set_by_hzlink_is_applied() -> None:
    """If it were omitted, the API server would reset it to 1."""
    assert _applied(topology(), WITH_REPLICAS)["replicas"] == 3
    assert _applied(topology(members_given=True), HZLINKS)["replicas"] == 3


def test_fingerprint_ignores_the_number_of_members() -> None:
    def mark(count: int, **more: Any) -> str:
        item = {**statefulset(count), "status": {}, **more}
        return str(manifests.stamped(item)["metadata"]["annotations"][ownership.FINGERPRINT])

    assert mark(3) == mark(4)
    assert mark(3) != mark(3, extra=1)
