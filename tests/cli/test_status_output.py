"""The output of `hzlink status` in each situation, compared with golden files.

Update them with `HZLINK_UPDATE_GOLDEN=1 pytest tests/cli`, and read the diff.
"""

from __future__ import annotations

import itertools
import json
import re
from xml.etree import ElementTree

import pytest
import yaml

from hzlink.render import result
from tests.cli import golden_files, situations
from tests.cli.screen import Screen

TABLES = ("table", "wide", "tree")
SVG = "{http://www.w3.org/2000/svg}"
PICTURES = {"svg": "svg", "mermaid": "mmd"}


@pytest.fixture(params=list(situations.ALL))
def name(request: pytest.FixtureRequest) -> str:
    """Each situation in turn."""
    chosen: str = request.param
    return chosen


@pytest.fixture
def outcome(name: str) -> result.Result:
    """The result of `status` in that situation."""
    return result.verdict("status", situations.ALL[name]().report)


@pytest.mark.parametrize("output", TABLES)
def test_table(name: str, output: str, outcome: result.Result, screen: Screen) -> None:
    screen.check(f"status/{output}/{name}", outcome, output)
    assert screen.show(outcome, output).err == "", "status shows errors in the table"


def test_no_color_flag_removes_colours_at_a_terminal(outcome: result.Result, screen: Screen) -> None:
    assert "\x1b" not in screen.show(outcome, colour=True, no_color=True).out


def test_json_and_yaml_are_one_document(name: str, outcome: result.Result, screen: Screen) -> None:
    as_json, as_yaml = (screen.show(outcome, output).out for output in ("json", "yaml"))
    golden_files.check(f"status/json/{name}.json", as_json)
    golden_files.check(f"status/yaml/{name}.yaml", as_yaml)
    document = json.loads(as_json)
    assert document == yaml.safe_load(as_yaml)
    assert document["exitCode"] == int(outcome.status)
    assert document["apiVersion"] == "hzlink/v1"


@pytest.mark.parametrize("output", PICTURES)
def test_picture(name: str, output: str, outcome: result.Result, screen: Screen) -> None:
    """The picture does not depend on the terminal."""
    for columns, colour in ((80, False), (80, True), (160, False), (160, True)):
        shown = screen.show(outcome, output, columns=columns, colour=colour)
        assert shown.err == ""
        golden_files.check(f"status/{output}/{name}.{PICTURES[output]}", shown.out)


def test_svg_is_valid_and_shows_every_hop(outcome: result.Result, screen: Screen) -> None:
    root = ElementTree.fromstring(screen.show(outcome, "svg").out)  # noqa: S314 - our own
    assert root.tag == f"{SVG}svg"
    assert outcome.report is not None
    boxes = root.findall(f"{SVG}g")
    assert len(boxes) == sum(len(path.hops) for path in outcome.report.paths)
    broken = [box for box in boxes if box.find(f"{SVG}rect[@stroke-width='3']") is not None]
    assert len(broken) == sum(path.broken is not None for path in outcome.report.paths)
    width = float(root.attrib["width"])
    for text in root.iter(f"{SVG}text"):
        assert float(text.attrib["x"]) + 7.3 * len(text.text or "") <= width


def test_flowchart_links_only_defined_boxes(outcome: result.Result, screen: Screen) -> None:
    lines = [line.strip() for line in screen.show(outcome, "mermaid").out.splitlines()]
    assert lines[0] == "flowchart LR"
    boxes = {line.partition("[")[0] for line in lines if re.fullmatch(r'\w+\["[^"]*"\]:::\w+', line)}
    arrows = [line for line in lines if " --> " in line]
    assert {name for line in arrows for name in line.split(" --> ")} == boxes
    assert all(line.split()[1] in boxes for line in lines if line.startswith("class "))
    shapes = r'flowchart LR|classDef .*|subgraph \w+\["[^"]*"\]|end|\w+\["[^"]*"\]:::\w+|[\w> -]+|class \w+ first'
    assert [line for line in lines if not re.fullmatch(shapes, line)] == []


def test_json_and_yaml_do_not_depend_on_the_width(outcome: result.Result, screen: Screen) -> None:
    for output in ("json", "yaml"):
        assert screen.show(outcome, output, columns=40, colour=True).out == screen.show(outcome, output).out


def test_table_fits_the_terminal(name: str, outcome: result.Result, screen: Screen) -> None:
    for output, columns in itertools.product(TABLES, golden_files.WIDTHS):
        table = screen.show(outcome, output, columns=columns).out.split("\n healthy", 1)[0].split("\n unhealthy", 1)[0]
        table = table.split("\n Management Center of", 1)[0].split("\n note:", 1)[0]
        # A whole context, to copy, is left to the terminal to wrap.
        lines = [line for line in table.splitlines() if ": context " not in line]
        assert max(map(len, lines)) <= columns


@pytest.mark.parametrize("nasty", situations.NASTIES)
@pytest.mark.parametrize("output", ["table", "wide", "tree", "json", "yaml", "svg", "mermaid"])
def test_text_from_a_cluster_has_no_control_characters(nasty: str, output: str, screen: Screen) -> None:
    outcome = result.verdict("status", situations.ALL[nasty]().report)
    shown = screen.show(outcome, output)
    for text in (shown.out, shown.err):
        assert [character for character in text if not (character.isprintable() or character == "\n")] == []
    if output in ("table", "wide", "tree"):
        # It cannot imitate hzlink's verdict either: only the verdict starts in the first column.
        verdicts = [line for line in shown.out.splitlines() if line.startswith((" healthy", " unhealthy"))]
        assert len(verdicts) == 1
