"""The output of a dry run and of `down`, compared with golden files (see tests/cli/golden_files.py)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from hzlink.cli.console import Console
from hzlink.model import objects
from hzlink.model.choices import Mode
from hzlink.model.errors import ExitStatus, HzlinkError, UsageError
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import planner, teardown
from hzlink.plan.planner import Step, Wanted
from hzlink.render.result import Result, of_errors
from tests.cli import cluster_objects as make
from tests.cli import golden_files, situations
from tests.cli.screen import Screen
from tests.cli.situations import Situation

MANIFESTS = ("Site", "Connector", "Listener", "StatefulSet", "Deployment", "Service")


def _wanted(of: Situation) -> Wanted:
    """Manifests that match this situation, and a ConfigMap."""
    return {
        site: [_stripped(item) for item in snapshot.items if _is_manifest(item)] + [_settings()]
        for site, snapshot in of.snapshots.items()
    }


def _is_manifest(item: Object) -> bool:
    return item["kind"] in MANIFESTS and objects.is_ours(item, "hazelcast")


def _stripped(item: Object) -> Object:
    metadata = {key: item["metadata"][key] for key in ("name", "labels")}
    return {"kind": item["kind"], "metadata": metadata, "spec": item["spec"]}


def _settings(text: str = "as wanted") -> Object:
    return {"kind": "ConfigMap", "metadata": {"name": "hazelcast-config", "labels": make.OURS}, "data": {"a": text}}


def _with(of: Situation, *items: Object) -> Situation:
    """The situation with additional objects at every site."""
    snapshots = {site: replace(snapshot, items=(*snapshot.items, *items)) for site, snapshot in of.snapshots.items()}
    return Situation(of.topology, snapshots)


def _steps(of: Situation, wanted: Wanted, missing: frozenset[Site] = frozenset()) -> list[Step]:
    return planner.make(of.topology, wanted, of.snapshots, missing)


def _from_nothing() -> list[Step]:
    return _steps(situations.nothing_there(), _wanted(situations.healthy()))


def _from_no_namespace() -> list[Step]:
    return _steps(situations.nothing_there(), _wanted(situations.healthy()), frozenset({situations.EDGE}))


def _from_converged() -> list[Step]:
    return _steps(_with(situations.healthy(), _settings()), _wanted(situations.healthy()))


def _from_unlinked() -> list[Step]:
    return _steps(_with(situations.not_linked(), _settings()), _wanted(situations.not_linked()))


def _from_link_pending() -> list[Step]:
    return _steps(_with(situations.link_pending(), _settings()), _wanted(situations.link_pending()))


def _from_changed() -> list[Step]:
    left = make.item_of("ConfigMap", "hazelcast-config-old")
    return _steps(_with(situations.healthy(), _settings("by hand"), left), _wanted(situations.healthy()))


def _from_nothing_with_two_clients() -> list[Step]:
    of = situations.two_clients()
    nothing: Mapping[Site, Snapshot] = {site: Snapshot(site) for site in of.topology.sites}
    return _steps(Situation(of.topology, nothing), _wanted(of))


def _from_nothing_to_unisocket() -> list[Step]:
    of = situations.unisocket()
    assert of.topology.settings.mode is Mode.UNISOCKET
    return _steps(Situation(of.topology, {site: Snapshot(site) for site in of.topology.sites}), _wanted(of))


PLANS = {
    "from-nothing": _from_nothing,
    "from-no-namespace": _from_no_namespace,
    "from-converged": _from_converged,
    "from-unlinked": _from_unlinked,
    "from-link-pending": _from_link_pending,
    "from-changed": _from_changed,
    "from-nothing-with-two-clients": _from_nothing_with_two_clients,
    "from-nothing-to-unisocket": _from_nothing_to_unisocket,
}


@pytest.mark.parametrize("name", PLANS)
def test_dry_run(name: str, screen: Screen) -> None:
    outcome = Result("up", steps=tuple(PLANS[name]()))
    screen.check(f"plan/table/{name}", outcome)
    shown = screen.show(outcome, "json").out
    golden_files.check(f"plan/json/{name}.json", shown)
    assert [step["writes"] for step in json.loads(shown)["steps"]] == [step.writes for step in outcome.steps or ()]


def _lines(of: Situation) -> list[str]:
    """The list of objects, formatted as in commands/down.py."""
    return [
        f"{site.name}: {target}"
        for site, snapshot in of.snapshots.items()
        for target in teardown.make(of.topology, snapshot).refs
        if target != objects.SKUPPER_LEASE
    ]


class FakeInput:
    """Standard input that is or is not a terminal, with an answer on it."""

    def __init__(self, answer: str, terminal: bool = True) -> None:
        self._answer = answer
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def readline(self) -> str:
        return self._answer

    def fileno(self) -> int:
        return 0


def _ask(answer: FakeInput, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr("sys.stdin", answer)
    return Console("table", 0, False, False).ask(_lines(situations.healthy()))


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [("y\n", True), ("YES\n", True), ("\n", False), ("n\n", False), ("", False), ("yep\n", False)],
)
def test_down_asks_before_removing(
    answer: str, agreed: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _ask(FakeInput(answer), monkeypatch) is agreed
    shown = capsys.readouterr()
    assert shown.out == "", "the question goes to standard error"
    golden_files.check_variants("down/question", lambda columns, colour: shown.err)


def test_down_without_a_terminal_lists_objects_and_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError) as refused:
        _ask(FakeInput("y\n", terminal=False), monkeypatch)
    assert refused.value.next_step == "hzlink down --yes"
    assert capsys.readouterr().err.splitlines() == [f"  {line}" for line in _lines(situations.healthy())]


DOWNS: dict[str, Any] = {
    "removed": lambda: Result(
        "down",
        removed=tuple(_lines(situations.healthy())),
        notes=("removed: no objects of hzlink are left",),
    ),
    "nothing": lambda: Result("down", removed=(), notes=("no objects of hzlink were found",)),
    "declined": lambda: Result("down", ExitStatus.FAILED, removed=(), notes=("nothing was removed",)),
    "left": lambda: of_errors(
        "down", [HzlinkError("not removed: core: sites.skupper.io/core", next_step="hzlink down")]
    ),
}


@pytest.mark.parametrize("name", DOWNS)
def test_down_result(name: str, screen: Screen) -> None:
    outcome = DOWNS[name]()
    screen.check(f"down/table/{name}", outcome)
    golden_files.check(f"down/json/{name}.json", screen.show(outcome, "json").out)
