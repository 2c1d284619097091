"""The step that waits for Management Center, with a scripted kubectl."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from hzlink.apply.steps import mancenter
from hzlink.apply.steps.context import Run
from hzlink.model import events
from hzlink.model.errors import HzlinkError
from hzlink.plan.planner import Action, Step
from tests.process.programs import Programs
from tests.unit.builders import EDGE, deployment, topology

STARTED = "\n".join(f"[pod/hazelcast-{number}/hazelcast] [dev] is STARTED" for number in range(3))
CAME = "Received auth from Connection[id=1], successfully authenticated, clientUuid: 0a, client name: MC-Client-dev"
CONNECTED = "\n".join([STARTED, *(f"[pod/hazelcast-{number}/hazelcast] {CAME}" for number in range(3))])


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mancenter, "CONNECT_SECONDS", 0.3)
    monkeypatch.setattr(mancenter, "READ_SECONDS", 0.1)


def ready(programs: Programs, before: str, after: str) -> str:
    """Runs the step. `before` and `after` are the members' logs before and after a restart."""
    here = programs.folder
    (here / "before").write_text(before)
    (here / "after").write_text(after)
    event = json.dumps({"type": "ADDED", "object": deployment()})
    programs.script(
        "kubectl",
        f"case \"$*\" in *' logs '*) if [ -e {here}/restarts ]; then cat {here}/after; else cat {here}/before; fi;;\n"
        f"*' restart '*) echo once >> {here}/restarts;;\n*' --watch '*) echo '{event}'; sleep 60;;\n"
        "*) echo '{\"items\": []}';; esac",
    )
    run = Run(topology(), {}, events.ignore, time.monotonic() + 30)
    return asyncio.run(mancenter.mancenter_ready(run, Step(Action.MANCENTER, EDGE, "")))


def restarts(programs: Programs) -> int:
    noted = programs.folder / "restarts"
    return len(noted.read_text().split()) if noted.exists() else 0


def test_connected_mancenter_is_not_restarted(programs: Programs) -> None:
    assert ready(programs, CONNECTED, "") == "Management Center Ready"
    assert restarts(programs) == 0


def test_mancenter_without_members_is_restarted_once_with_a_reason(programs: Programs) -> None:
    assert "restarted: it was ready but connected to no member" in ready(programs, STARTED, CONNECTED)
    assert restarts(programs) == 1


def test_mancenter_without_members_after_a_restart_is_an_error(programs: Programs) -> None:
    with pytest.raises(HzlinkError, match="connects to no member, even after a restart") as caught:
        ready(programs, STARTED, STARTED)
    assert restarts(programs) == 1
    assert caught.value.next_step == "kubectl --context edge-ctx -n hz logs deployment/hazelcast-mancenter"


@pytest.mark.parametrize("log", ["", CONNECTED.rpartition("\n")[0]], ids=["no logs", "two of three"])
def test_mancenter_with_unknown_or_some_members_is_not_restarted(programs: Programs, log: str) -> None:
    assert ready(programs, log, "") == "Management Center Ready"
    assert restarts(programs) == 0
