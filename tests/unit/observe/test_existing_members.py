"""Members that hzlink did not deploy, among a cluster site's objects."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.model import existing_members as existing
from hzlink.model.errors import ExitStatus, HzlinkError
from hzlink.observe import existing_members
from hzlink.observe.snapshot import Snapshot
from tests.unit import builders
from tests.unit.builders import CORE, Obj

LABELS = {"app": "prod"}
PORTS = [{"name": "hazelcast", "containerPort": 5710}]


def workload(kind: str = "StatefulSet", name: str = "prod", replicas: int = 2, **more: Any) -> Obj:
    made = builders.workload(kind, name, replicas, **more)
    made["spec"] |= {"selector": {"matchLabels": LABELS}}
    return made


def pod(name: str, *, owner: str = "StatefulSet/prod", ports: Any = PORTS, **labels: str) -> Obj:
    made = builders.pod(name, labels={**LABELS, **labels}, spec={"containers": [{"name": "member", "ports": ports}]})
    kind, _, owned_by = owner.partition("/")
    made["metadata"]["ownerReferences"] = [{"kind": kind, "name": owned_by, "uid": owner}]
    return made


def topology(source: str = "statefulset/prod", **settings: Any) -> Any:
    return builders.topology(members_from=existing.parse(source), **settings)


def problem(*items: Obj, source: str = "statefulset/prod", **settings: Any) -> HzlinkError:
    found = existing_members.problem(topology(source, **settings), Snapshot(CORE, items))
    assert found is not None
    assert found.next_step
    assert found.site == CORE.name
    return found


def test_a_statefulset_has_the_names_of_its_replicas() -> None:
    settled = existing_members.with_found(topology(), Snapshot(CORE, (workload(replicas=3), pod("prod-0"))))
    assert settled.member_names == ("prod-0", "prod-1", "prod-2")
    assert (settled.member_selector, settled.member_port, settled.settings.members) == ("app=prod", 5710, 3)
    assert existing_members.problem(topology(), Snapshot(CORE, (workload(), pod("prod-0")))) is None


def test_ordinals_may_start_anywhere() -> None:
    numbered = workload()
    numbered["spec"]["ordinals"] = {"start": 5}
    assert existing_members.with_found(topology(), Snapshot(CORE, (numbered,))).member_names == ("prod-5", "prod-6")


def test_a_deployment_has_the_names_of_its_pods() -> None:
    pods = [pod(f"cache-66-{end}", owner="ReplicaSet/cache-66", **{"pod-template-hash": "66"}) for end in "ab"]
    old = pod("cache-55-a", owner="ReplicaSet/cache-55", **{"pod-template-hash": "55"})
    old["metadata"]["deletionTimestamp"] = builders.LATE
    items = (workload("Deployment", "cache"), *pods, old)
    source = "deployment/cache"
    assert existing_members.with_found(topology(source), Snapshot(CORE, items)).member_names == (
        *("cache-66-a", "cache-66-b"),
    )
    assert existing_members.problem(topology(source), Snapshot(CORE, items)) is None


def test_the_log_says_the_name_of_the_cluster() -> None:
    line = "[pod/prod-0/member] 2026-01-01T10:00:00Z INFO: [10.0.0.1]:5701 [orders] [5.4.0] started"
    snapshot = Snapshot(CORE, (workload(), pod("prod-0")), member_log=line)
    settled = existing_members.with_found(topology(), snapshot)
    assert settled.cluster_name == "orders"
    assert "Hazelcast 5.4.0" in existing_members.described(settled, snapshot)
    assert existing_members.with_found(topology(hazelcast_cluster="mine"), snapshot).cluster_name == "mine"


def test_the_connector_remembers_where_the_members_are() -> None:
    connector = builders.offer("Connector")
    notes = {existing.MEMBERS_FROM: "statefulset/prod", existing.HAZELCAST_CLUSTER: "orders"}
    connector["metadata"]["annotations"] = notes
    snapshot = Snapshot(CORE, (workload(), pod("prod-0"), connector))
    settled = existing_members.with_found(builders.topology(), snapshot)
    assert (settled.member_names, settled.cluster_name) == (("prod-0", "prod-1"), "orders")
    assert existing_members.with_found(builders.topology(own_members=True), snapshot).found is None
    # What was recorded for other members does not count.
    assert existing_members.with_found(topology("statefulset/other"), snapshot).cluster_name == "dev"


@pytest.mark.parametrize(
    ("items", "source", "text"),
    [
        ((workload(name="web"),), "statefulset/prod", "there is no StatefulSet prod in namespace hz"),
        ((workload(replicas=0),), "statefulset/prod", "scaled to 0"),
        ((workload(),), "statefulset/prod", "no pods"),
        ((), "selector/app=prod", "no pods"),
        ((pod("a-0", owner="StatefulSet/a"), pod("b-0", owner="StatefulSet/b")), "selector/app=prod", "2 workloads"),
        ((workload(), pod("prod-0"), pod("x", owner="Job/x")), "statefulset/prod", "2 workloads"),
        ((workload(), pod("prod-0", ports=[])), "statefulset/prod", "which port"),
        ((workload(), pod("prod-0", ports=[{"containerPort": 8080}])), "statefulset/prod", "which port"),
    ],
)
def test_what_cannot_be_linked_is_told(items: tuple[Obj, ...], source: str, text: str) -> None:
    assert text in problem(*items, source=source).message


def test_other_workloads_are_listed() -> None:
    assert "statefulset/web" in str(problem(workload(name="web")).said)


def test_a_port_that_the_user_gives_counts() -> None:
    items = (workload(), pod("prod-0", ports=[]))
    assert existing_members.problem(topology(members_port=7000), Snapshot(CORE, items)) is None


def test_own_members_with_data_are_not_given_up() -> None:
    error = problem(builders.statefulset(), workload(), pod("prod-0"))
    assert error.status is ExitStatus.USAGE
    assert "hzlink down" in str(error.next_step)


@pytest.mark.parametrize("settings", [{"members_given": True, "members": 5}, {"image": "hazelcast/hazelcast:5.6.0"}])
def test_settings_of_own_members_are_refused(settings: dict[str, Any]) -> None:
    assert problem(workload(), pod("prod-0"), **settings).status is ExitStatus.USAGE
