"""The files of a support bundle."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hzlink.model.errors import PrerequisiteError
from hzlink.model.topology import labels
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import app_steps, sharing
from hzlink.support import bundle
from hzlink.support.dump import Found, Log
from tests.unit.builders import CORE, EDGE, WEST, World, converged, item, topology

WHEN = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
TOOLS = {"hzlink": "0.1.0"}
CODE = "Sw0rdf1shSw0rdf1shSw0rd"


def found(world: World) -> list[Found]:
    return [Found(site, list(items)) for site, items in world.live.items()]


def files(world: World, *sites: Found, concealed: tuple[str, ...] = ()) -> dict[str, str]:
    return dict(bundle.files(world.topology, sites or found(world), WHEN, TOOLS, concealed))


def test_summary_comes_first_and_is_short() -> None:
    made = files(converged())
    assert next(iter(made)) == "summary.txt"
    assert "\nhealthy. 2 sites, 1 link, 3 members\n" in made["summary.txt"]
    assert len(made["summary.txt"].splitlines()) < 60
    assert json.loads(made["status.json"])["healthy"] is True


def test_unreadable_site_is_in_the_summary() -> None:
    core, edge = found(converged())
    lost = Found(EDGE, unread=["objects: no"], error=PrerequisiteError("the API server cannot be reached"))
    made = files(converged(), core, lost)
    assert (
        "edge: client site, context edge-ctx, namespace hz\n  could not be read: the API server" in made["summary.txt"]
    )
    assert made["edge/unread.txt"] == "objects: no\n"
    assert "core/resources/Pod.yaml" in made
    assert not [name for name in made if name.startswith("edge/resources")]
    assert edge.items


def test_last_warning_events_are_in_the_summary() -> None:
    world = converged()
    for number in range(12):
        event: dict[str, Any] = {
            "type": "Warning",
            "reason": "BackOff",
            "message": f"the {number}th\ntime",
            "count": 3,
            "lastTimestamp": f"2026-03-01T10:00:{number:02}Z",
            "involvedObject": {"kind": "Pod", "name": "hazelcast-1"},
        }
        world.live[CORE].append(item("Event", f"e{number}", **event))
    made = files(world)
    assert "last warnings of 12:" in made["summary.txt"]
    assert "10:00:11Z Warning BackOff Pod/hazelcast-1 (x3): the 11th time\n" in made["summary.txt"]
    assert "the 5th" not in made["summary.txt"]
    assert made["core/events.txt"].splitlines()[0].endswith("the 0th time")


def test_object_names_cannot_escape_the_archive() -> None:
    core, edge = found(converged())
    core.logs = [Log("../../x", "/etc/y", False, "a"), Log("..", "c", True, "b")]
    core.items.append(item("../Evil", "x"))
    names = files(converged(), core, edge)
    assert not [name for name in names if ".." in name.split("/") or name.startswith("/")]
    assert {"core/logs/_.._x/_etc_y.log", "core/logs/_/c.previous.log"} <= set(names)


def test_secret_of_one_site_is_redacted_at_all_sites() -> None:
    core, edge = found(converged())
    core.items.append(item("AccessGrant", "g", status={"code": CODE, "ca": "x"}))
    edge.logs = [Log("p", "c", False, f"redeeming {CODE} and c0ncealed-by-this-run\n")]
    made = files(converged(), core, edge, concealed=("c0ncealed-by-this-run",))
    assert made["edge/logs/p/c.log"] == "redeeming [redacted] and [redacted]\n"
    assert not [name for name, text in made.items() if CODE in text]


def test_password_equal_to_a_common_name_is_not_redacted_everywhere() -> None:
    world = converged()
    env = [{"name": "ADMIN_PASSWORD", "value": "hazelcast"}]
    world.live[CORE].append(item("Pod", "other", spec={"containers": [{"name": "c", "env": env}]}))
    made = files(world)
    assert "name: hazelcast-0" in made["core/resources/Pod.yaml"]
    assert "value: '[redacted]'" in made["core/resources/Pod.yaml"]
    assert "\nhealthy. " in made["summary.txt"]


def test_members_seen_by_management_center_are_in_the_summary() -> None:
    core, edge = found(converged())
    came = "Received auth from Connection[id=1], successfully authenticated, clientUuid: 0a, client name: MC-Client-dev"
    core.logs = [Log(f"hazelcast-{n}", "hazelcast", False, f"2026-03-01T10:00:0{n}.1Z {came}\n") for n in range(3)]
    assert "sees 3/3 members since 2026-03-01T10:00:02Z" in files(converged(), core, edge)["summary.txt"]


def test_names_in_application_namespaces_are_in_the_bundle() -> None:
    world = converged(topology(app_namespaces=("shop",)))
    core, edge = found(world)
    names = app_steps.wanted(world.topology, EDGE, "shop", world.snapshots())
    edge.apps = (Snapshot(replace(EDGE, namespace="shop"), tuple(names[:2])),)
    made = files(world, core, edge)
    assert made["edge/applications/shop.yaml"].count("ExternalName") == 2
    assert "namespace shop: broken: no Service hazelcast-1, hazelcast-2" in made["summary.txt"]


def test_each_topology_between_the_sites_has_a_summary() -> None:
    world = converged(topology(EDGE, WEST))
    world.live[CORE].append(item("Connector", "sessions", labels=labels("sessions")))
    world.live[EDGE].append(item("Listener", "sessions", labels=labels("sessions")))
    beside = sharing.neighbours(world.topology, world.snapshots())
    made = dict(bundle.files(world.topology, found(world), WHEN, TOOLS, beside=beside))
    assert "topology hazelcast," in made["summary.txt"]
    assert "topology sessions," in made["summary-sessions.txt"]
    assert json.loads(made["status-sessions.json"])["topology"] == "sessions"
    assert [name for name in made if name.startswith("core/resources/Connector")] == ["core/resources/Connector.yaml"]
