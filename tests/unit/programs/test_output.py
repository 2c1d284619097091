"""kubectl's output is found between the lines of wrappers and plugins."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hzlink.programs import output

LIST: dict[str, Any] = {"apiVersion": "v1", "kind": "List", "items": [{"kind": "Pod", "metadata": {"name": "{\n}"}}]}
# The output of a wrapper: lines that do not begin like an object.
NOISE = some.lists(some.text().filter(lambda line: not line.startswith("{") and len(line.splitlines()) < 2), max_size=4)
VALUES = some.recursive(some.none() | some.booleans() | some.integers() | some.text(), some.lists, max_leaves=8)


@given(some.dictionaries(some.text(), VALUES), NOISE, NOISE, some.sampled_from([None, 4]))
def test_object_is_found_between_other_lines(
    document: dict[str, Any], before: list[str], after: list[str], indent: int | None
) -> None:
    text = "\n".join([*before, json.dumps(document, indent=indent), *after])
    assert output.json_object(text) == document


@pytest.mark.parametrize("warning", ['{"level":"warn","msg":"old plugin"}', "{not json", "WARNING: {}"])
def test_warning_that_looks_like_an_object_is_ignored(warning: str) -> None:
    assert output.json_object(f"{warning}\n{json.dumps(LIST, indent=4)}\n{warning}\n") == LIST


def test_colours_are_removed() -> None:
    coloured = json.dumps(LIST, indent=4).replace('"kind"', '\x1b[33m"kind"\x1b[0m')
    assert output.json_object(f"\x1b[1m{coloured}\x1b[0m") == LIST


@pytest.mark.parametrize("text", ["", "moo", "[1]", "7", "{", "a {}", "[" * 100_000, '{"a":' * 100_000])
def test_output_without_an_object_is_none(text: str) -> None:
    assert output.json_object(text) is None


def test_yaml_stream_begins_with_its_first_object() -> None:
    stream = "apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Service\n"
    assert output.yaml_stream(f"Warning: old plugin\n{stream}") == stream
    assert output.yaml_stream(stream) == stream
    assert output.yaml_stream("") == ""


def test_resource_types() -> None:
    types = "pods\nsites.skupper.io\nnetworkpolicies.networking.k8s.io\n"
    assert output.resource_types(f"WARN: old plugin\n{types}\n") == types.split()
