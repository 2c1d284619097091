"""The observation of a site, with a scripted kubectl."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from hzlink.model.choices import Role
from hzlink.model.objects import RESOURCES, versioned
from hzlink.model.topology import Site
from hzlink.observe.snapshot import ALL_KINDS, STATUS_KINDS, Snapshot, observe, observe_all
from hzlink.programs.refusals import KubectlError, Refusal
from tests.process.programs import Programs, items

CORE, EDGE = (Site(name, role, name, "hz") for name, role in (("core", Role.CLUSTER), ("edge", Role.CLIENT)))


def item(kind: str, name: str, **parts: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, **parts.pop("metadata", {})}, **parts}


def observed(programs: Programs, *objects: dict[str, Any]) -> Snapshot:
    programs.recorder("kubectl", out=items(*objects))
    return asyncio.run(observe(CORE))


@pytest.mark.parametrize("kinds", [STATUS_KINDS, ALL_KINDS])
def test_all_kinds_are_read_in_one_call(programs: Programs, kinds: tuple[str, ...]) -> None:
    programs.recorder("kubectl", out=items(item("Pod", "p")))
    snapshot = asyncio.run(observe(CORE, kinds))
    argv = programs.call("kubectl").argv
    assert argv[argv.index("get") + 1].split(",") == [versioned(RESOURCES[kind]) for kind in kinds]
    assert snapshot.error is None


def test_objects_are_found_by_kind_and_name(programs: Programs) -> None:
    snapshot = observed(programs, item("Pod", "p"), item("Pod", "q"), item("Service", "p"))
    assert [one["metadata"]["name"] for one in snapshot.of("Pod")] == ["p", "q"]
    found = snapshot.get("Service", "p")
    assert found is not None
    assert found["kind"] == "Service"
    assert snapshot.get("Service", "q") is None
    assert snapshot.of("Secret") == []


def test_codes_and_keys_are_removed(programs: Programs) -> None:
    secret = {"code": "Sw0rdfish", "ca": "Sw0rdfish-ca"}
    snapshot = observed(
        programs,
        item("AccessToken", "t", spec={**secret, "url": "https://x"}, status={"redeemed": True}),
        item("AccessGrant", "g", spec={"code": "Sw0rdfish"}, status={**secret, "url": "https://x"}),
        item("AccessGrant", "bare"),
    )
    assert "Sw0rdfish" not in repr(snapshot)
    token = snapshot.get("AccessToken", "t")
    assert token is not None
    assert (token["spec"], token["status"]) == ({"url": "https://x"}, {"redeemed": True})


def test_oldest_of_several_sites_counts(programs: Programs) -> None:
    sites = [
        item("Site", name, metadata={"creationTimestamp": f"2026-01-01T{hour}:00:00Z"})
        for name, hour in (("late", "12"), ("early", "10"), ("middle", "11"))
    ]
    found = observed(programs, *sites).skupper_site
    assert found is not None
    assert found["metadata"]["name"] == "early"
    assert observed(programs).skupper_site is None


def test_missing_namespace_differs_from_an_empty_one(programs: Programs) -> None:
    answer = 'case "$*" in *get\\ namespaces/hz*) echo "$NAMESPACE";; *) ;; esac'
    programs.script("kubectl", f'NAMESPACE=\'{{"kind": "Namespace"}}\'; {answer}')
    assert asyncio.run(observe(CORE)).error is None
    programs.script("kubectl", f"NAMESPACE=''; {answer}")
    snapshot = asyncio.run(observe(CORE))
    assert snapshot.refusal is Refusal.NO_NAMESPACE
    assert snapshot.items == ()


def test_unreadable_site_has_an_error_and_others_are_read(programs: Programs) -> None:
    programs.script(
        "kubectl",
        "case \"$*\" in *--context=core*) echo 'Unable to connect to the server: EOF' >&2; exit 1;; esac\n"
        f"echo '{items(item('Pod', 'p'))}'",
    )
    snapshots = asyncio.run(observe_all([CORE, EDGE]))
    assert isinstance(snapshots[CORE].error, KubectlError)
    assert (snapshots[CORE].refusal, snapshots[EDGE].refusal) == (Refusal.UNREACHABLE, None)
    assert [site.name for site in snapshots] == ["core", "edge"]


def test_silent_site_is_unreachable_after_the_deadline(programs: Programs) -> None:
    programs.script("kubectl", "sleep 60")
    began = time.monotonic()
    snapshot = asyncio.run(observe(CORE, deadline=0.4))
    assert time.monotonic() - began < 50
    assert snapshot.refusal is Refusal.UNREACHABLE


def test_sites_are_read_concurrently(programs: Programs) -> None:
    """Each kubectl waits until the other has been started."""
    here = programs.folder
    programs.script(
        "kubectl",
        'case "$*" in *--context=core*) me=core other=edge;; *) me=edge other=core;; esac\n'
        f"touch {here}/$me.on; while [ ! -e {here}/$other.on ]; do sleep 0.05; done; echo '{items(item('Pod', 'p'))}'",
    )
    snapshots = asyncio.run(observe_all([CORE, EDGE], deadline=20))
    assert all(snapshot.error is None for snapshot in snapshots.values())


def test_members_log_is_read_concurrently(programs: Programs) -> None:
    programs.script(
        "kubectl",
        f"case \"$*\" in *' logs '*) echo 'a line'; exit 0;; esac\nsleep 0.2; echo '{items(item('Pod', 'p'))}'",
    )
    snapshots = asyncio.run(observe_all([CORE, EDGE], log_selector="app=hazelcast"))
    assert (snapshots[CORE].member_log, snapshots[EDGE].member_log) == ("a line\n", None)
    assert asyncio.run(observe_all([CORE]))[CORE].member_log is None


@pytest.mark.parametrize("trouble", ["echo 'pods is forbidden' >&2; exit 1", "sleep 60"])
def test_unreadable_log_does_not_fail_the_observation(programs: Programs, trouble: str) -> None:
    programs.script("kubectl", f"case \"$*\" in *' logs '*) {trouble};; esac\necho '{items(item('Pod', 'p'))}'")
    began = time.monotonic()
    snapshot = asyncio.run(observe_all([CORE], log_selector="app=hazelcast"))[CORE]
    assert (snapshot.error, snapshot.member_log, len(snapshot.items)) == (None, None, 1)
    assert time.monotonic() - began < 50
