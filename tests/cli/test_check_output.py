"""The output of `hzlink check`, compared with golden files (see tests/cli/golden_files.py)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from hzlink.checks.judge import judge
from hzlink.checks.records import Facts, Unknown, Versions
from hzlink.model.errors import ExitStatus
from hzlink.observe.snapshot import Snapshot
from hzlink.programs.refusals import explain
from hzlink.render import result
from tests.cli import golden_files
from tests.cli.screen import Screen
from tests.cli.situations import NASTY
from tests.unit import builders as make
from tests.unit.checking import EDGE, balancer, deployment, facts, namespace, of_nothing, with_snapshot

NO_RIGHTS: dict[str, Any] = {"resourceRules": []}


def _not_ready() -> Facts:
    """Several prerequisites are missing at both sites."""
    restricted = namespace("ns-edge", **{"pod-security.kubernetes.io/enforce": "restricted"})
    of = of_nothing(core={"review": NO_RIGHTS, "controller": None}, edge={"namespace": restricted})
    return with_snapshot(of, EDGE, Snapshot(EDGE, (make.service("hazelcast-0"), make.service("hazelcast-1"))))


def _warnings() -> Facts:
    """Warnings only: `up` starts, and may fail."""
    old = Versions("v1.37.2", "v1.35.1")
    waits = {"grant_server": balancer("")}
    return of_nothing(
        core={**waits, "versions": old, "controller": deployment("c:2.1.3", ready=0)}, edge=waits, skupper_cli="2.1.0"
    )


def _unknown() -> Facts:
    """The user may read only their own namespace."""
    refused = Unknown('Error from server (Forbidden): deployments.apps "skupper-controller" is forbidden: User "ann"')
    unreadable = {"namespace": refused, "controller": refused, "grant_server": refused}
    return of_nothing(core=unreadable, edge={**unreadable, "review": Unknown("no answer within 10 s")})


def _unreachable() -> Facts:
    """One site does not answer."""
    error = explain(EDGE, "read objects", "Unable to connect to the server: dial tcp 192.0.2.1:6443: i/o timeout")
    return with_snapshot(facts(), EDGE, Snapshot(EDGE, error=error))


def _nasty() -> Facts:
    """A cluster that tries to control the terminal."""
    world_site = make.skupper_site(NASTY, ours=False)
    of = facts(core={"versions": Unknown(NASTY), "controller": Unknown(NASTY)})
    return replace(of, snapshots={**of.snapshots, EDGE: Snapshot(EDGE, (world_site, make.service("hazelcast-0")))})


SITUATIONS: dict[str, Callable[[], Facts]] = {
    "ready": facts,
    "not-ready": _not_ready,
    "warnings": _warnings,
    "unknown": _unknown,
    "unreachable": _unreachable,
    "nasty": _nasty,
}
FATAL = {"not-ready", "unreachable", "nasty"}


@pytest.fixture(params=SITUATIONS)
def name(request: pytest.FixtureRequest) -> str:
    """Each situation in turn."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def outcome(name: str) -> result.Result:
    """The result of `check` in that situation."""
    return result.of_findings("check", judge(SITUATIONS[name]()))


def test_exit_code_depends_on_fatal_findings(name: str, outcome: result.Result) -> None:
    assert outcome.status is (ExitStatus.PREREQUISITE if name in FATAL else ExitStatus.DONE)


@pytest.mark.parametrize("output", ["table", "wide"])
def test_table(name: str, output: str, outcome: result.Result, screen: Screen) -> None:
    screen.check(f"check/{output}/{name}", outcome, output)
    for columns in golden_files.WIDTHS:
        shown = screen.show(outcome, output, columns=columns)
        assert shown.err == ""
        table = shown.out.split("\n\n", 1)[0]
        assert max(map(len, table.splitlines())) <= columns


def test_json_and_yaml_are_one_document(name: str, outcome: result.Result, screen: Screen) -> None:
    as_json, as_yaml = (screen.show(outcome, output).out for output in ("json", "yaml"))
    golden_files.check(f"check/json/{name}.json", as_json)
    golden_files.check(f"check/yaml/{name}.yaml", as_yaml)
    document = json.loads(as_json)
    assert document == yaml.safe_load(as_yaml)
    assert document["exitCode"] == int(outcome.status)
    assert document["ready"] is (name not in FATAL)


@pytest.mark.parametrize("output", ["table", "wide", "json", "yaml"])
def test_text_from_a_cluster_has_no_control_characters(output: str, screen: Screen) -> None:
    shown = screen.show(result.of_findings("check", judge(_nasty())), output)
    assert [character for character in shown.out if not (character.isprintable() or character == "\n")] == []


def test_every_finding_that_did_not_pass_has_a_next_command(outcome: result.Result) -> None:
    for finding in outcome.findings or ():
        assert bool(finding.next_step) is (finding.word != "passed"), finding.check.id
        assert 0 < finding.check.deadline <= 15
