"""The Hazelcast cluster's name: as the members' logs say, as the client was told, as the sites' clients are told."""

from __future__ import annotations

from dataclasses import replace

from hzlink.model.errors import HzlinkError
from hzlink.observe.snapshot import Snapshots
from hzlink.verify import cluster_names
from tests.unit.builders import CORE, EDGE, converged, item


def line(number: int, cluster: str) -> str:
    return (
        f"[pod/hazelcast-{number}/hazelcast] 2026-01-01T10:00:00.1Z INFO: "
        f"[10.0.0.{number}]:5701 [{cluster}] [5.5.0] started\n"
    )


def found(*clusters: str, client: str = "dev", told: str = "dev") -> list[HzlinkError]:
    """`clusters`: of each member; `client`: in the ConfigMap at edge; `told`: to hzlink's client."""
    world = converged()
    data = {"hazelcast-client.yaml": f"hazelcast-client:\n  cluster-name: {client}\n", "x.sh": "exit 0"}
    world.put(EDGE, item("ConfigMap", "hazelcast-mancenter-config", ours=True, data=data))
    world.put(EDGE, item("ConfigMap", "of-others", data={"hazelcast-client.yaml": "cluster-name: theirs"}))
    snapshots: Snapshots = world.snapshots()
    log = "".join(line(number, cluster) for number, cluster in enumerate(clusters))
    # The log of a pod that is gone.
    log += line(9, "former")
    snapshots = {**snapshots, CORE: replace(snapshots[CORE], member_log=log or None)}
    return cluster_names.errors(world.topology, snapshots, told)


def test_one_name_everywhere() -> None:
    assert found("dev", "dev", "dev") == []
    assert found("o'brien", "o'brien", client='"o\'brien"', told="o'brien") == []


def test_without_logs_nothing_is_said() -> None:
    assert found(told="other") == []


def test_a_client_that_is_told_another_name() -> None:
    [error] = found("prod", "prod", "prod", client="prod")
    assert error.message == "the members' cluster is named prod, and the client was told dev"
    assert error.said == "their logs say: hazelcast-0, hazelcast-1, hazelcast-2: prod"
    assert (error.next_step or "").startswith("hzlink verify --hazelcast-cluster prod   (see: kubectl ")


def test_a_member_of_another_cluster() -> None:
    [error] = found("dev", "dev", "test")
    assert error.message == "the members are of 2 clusters with different names"
    assert error.said == "their logs say: hazelcast-0, hazelcast-1: dev; hazelcast-2: test"


def test_clients_of_a_site_that_are_told_another_name() -> None:
    [error] = found("dev", "dev", "dev", client="prod")
    assert error.site == "edge"
    assert error.message == (
        "ConfigMap hazelcast-mancenter-config names the cluster prod to clients, but the members' is dev"
    )
    assert error.next_step == "hzlink up"
