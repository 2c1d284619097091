"""The output of `verify`, of `bench`, and of `status` after `verify`, compared with golden files."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from hzlink.commands.verify import errors_of
from hzlink.model.errors import ExitStatus
from hzlink.render import bar_chart, result
from hzlink.render.result import Result
from hzlink.verify import latency, proof, saved_verdict
from hzlink.verify.comparison import Comparison, Measure
from hzlink.verify.proof import Answer, Call, Member, SiteProof
from hzlink.verify.saved_verdict import Record
from tests.cli import golden_files, situations
from tests.cli.screen import Screen
from tests.cli.situations import CORE, EDGE, NASTY, SHOP

NAMES = [f"hazelcast-{number}" for number in range(3)]
MEMBERS = tuple(
    Member(f"0000000{number}-aaaa-4bbb-8ccc-dddddddddddd", f"{name}:5701") for number, name in enumerate(NAMES)
)
FAST = latency.of([0.0021, 0.0022, 0.0098])


def _call(name: str, number: int) -> Call:
    return Call(name, answer=Answer(MEMBERS[number], MEMBERS), latency=FAST)


def _site(*calls: Call, site: object = EDGE) -> SiteProof:
    return proof.judge(site, NAMES, calls)  # type: ignore[arg-type]


PROVEN = _site(*(_call(name, number) for number, name in enumerate(NAMES)))
FOUND: dict[str, tuple[SiteProof, ...]] = {
    "proven": (PROVEN,),
    "from-a-pod": (replace(PROVEN, inside=True),),
    "two-sites": (PROVEN, replace(PROVEN, site=SHOP)),
    "swapped": (_site(_call(NAMES[0], 0), _call(NAMES[1], 2), _call(NAMES[2], 1)),),
    "one-silent": (
        _site(
            _call(NAMES[0], 0),
            Call(NAMES[1], problem=f"no member answered through Service {NAMES[1]} within 10 s: connection refused"),
            Call(NAMES[2], service=False),
        ),
    ),
    "all-silent": (_site(*(Call(name, problem=f"no member answered through Service {name}") for name in NAMES)),),
    "no-services": (_site(*(Call(name, service=False) for name in NAMES)),),
    "no-data": (_site(_call(NAMES[0], 0), _call(NAMES[1], 1), replace(_call(NAMES[2], 2), data_problem="put failed")),),
    "split": (
        _site(
            Call(NAMES[0], answer=Answer(MEMBERS[0], MEMBERS[:1])),
            Call(NAMES[1], answer=Answer(MEMBERS[1], MEMBERS[1:])),
            Call(NAMES[2], answer=Answer(MEMBERS[2], MEMBERS[1:])),
        ),
    ),
    "unisocket": (proof.judge_unisocket(EDGE, 3, _call("hazelcast", 1)),),
    "nasty": (_site(Call(NAMES[0], problem=NASTY), _call(NAMES[1], 1), _call(NAMES[2], 2)),),
}


@pytest.mark.parametrize("name", FOUND)
def test_verify_result(name: str, screen: Screen) -> None:
    found = FOUND[name]
    errors = tuple(error for one in found for error in errors_of(one, CORE))
    status = ExitStatus.DONE if all(one.proven for one in found) else ExitStatus.FAILED
    assert bool(errors) == (status is ExitStatus.FAILED), "a failed verification has errors"
    outcome = Result("verify", status, errors=errors, verification=found)
    screen.check(f"verify/table/{name}", outcome)
    document = screen.show(outcome, "json").out
    golden_files.check(f"verify/json/{name}.json", document)
    assert json.loads(document) == yaml.safe_load(screen.show(outcome, "yaml").out)


@pytest.mark.parametrize("proven", [True, False])
def test_status_shows_the_last_verdict(proven: bool, screen: Screen) -> None:
    record = Record(1000.0, {"edge": (3 if proven else 2, 3)}, proven, () if proven else ("edge/hazelcast-1",))
    last_verdict = saved_verdict.at_time(record, 1125.0)
    outcome = result.verdict("status", situations.healthy().report, verified=last_verdict)
    word = "proven" if proven else "failed"
    screen.check(f"status/table/last-verify-{word}", outcome)
    document = json.loads(screen.show(outcome, "json").out)
    assert document["verified"]["ageSeconds"] == 125.0
    assert document["verified"]["proven"] is proven


def _latency(rate: float, n: int = 200) -> latency.Latency:
    found = latency.of([1 / rate] * n)
    assert found is not None
    return found


MEASURED = Comparison(
    EDGE,
    tuple(NAMES),
    (
        Measure(100, _latency(812), _latency(1120)),
        Measure(1000, _latency(800), _latency(1100)),
        Measure(100_000, _latency(95), _latency(310)),
    ),
)


def test_bench_result(screen: Screen) -> None:
    outcome = Result("bench", comparison=MEASURED)
    screen.check("bench/table/measured", outcome)
    golden_files.check("bench/json/measured.json", screen.show(outcome, "json").out)
    golden_files.check("bench/svg/measured.svg", screen.show(outcome, "svg").out)


def test_names_in_the_picture_are_escaped() -> None:
    text = bar_chart.draw(replace(MEASURED, site=replace(EDGE, name='<script>"&\x00')))
    assert "<script>" not in text
    assert "\x00" not in text
