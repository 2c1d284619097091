"""Compares the stand-in's definitions with the real ones, if they are available."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.skupper.controller import crds
from sandbox.skupper.controller.crds import SETTINGS

# A folder beside the checkout, or that of the variable; without it the comparison is skipped.
REAL = Path(os.environ.get("SKUPPER_CRDS") or Path(__file__).resolve().parents[3] / "shared" / "skupper-crds")
_PROSE = {"description", "x-kubernetes-validations"}


def _bare(node: Any) -> Any:
    """The schema without descriptions and texts of validation rules, with sorted requirements."""
    if isinstance(node, list):
        return [_bare(item) for item in node]
    if not isinstance(node, dict):
        return node
    bare = {}
    for key, value in node.items():
        if key in _PROSE and not isinstance(value, dict):
            continue
        bare[key] = sorted(value) if key == "required" else _bare(value)
    return bare


def _by_name(definitions: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {definition["metadata"]["name"]: definition for definition in definitions}


def _real() -> dict[str, dict[str, Any]]:
    if not REAL.is_dir():
        pytest.skip("the real definitions are not here (SKUPPER_CRDS)")
    return _by_name([yaml.safe_load(path.read_text()) for path in REAL.glob("*.yaml")])


OURS = _by_name(crds.definitions())


def test_all_kinds_of_the_real_release_are_defined() -> None:
    assert set(OURS) == set(_real())


@pytest.mark.parametrize("name", sorted(OURS))
def test_fields_requirements_and_columns_agree_with_the_real_one(name: str) -> None:
    ours, real = OURS[name]["spec"], _real()[name]["spec"]
    assert ours["scope"] == real["scope"]
    names = {key: value for key, value in ours["names"].items() if key != "listKind"}
    assert names == {key: value for key, value in real["names"].items() if key != "listKind"}
    assert len(ours["versions"]) == len(real["versions"]) == 1
    assert _bare(ours["versions"][0]) == _bare(real["versions"][0])


@pytest.mark.parametrize("name", sorted(OURS))
def test_only_settings_accept_undefined_fields(name: str) -> None:
    open_maps = list(_open_objects(OURS[name]["spec"]["versions"][0]["schema"]["openAPIV3Schema"], ""))
    assert [path for path in open_maps if not path.endswith(("settings", "selector", "metadata"))] == []


def _open_objects(schema: dict[str, Any], path: str) -> Any:
    is_map = "additionalProperties" in schema
    if schema.get("type") == "object" and not schema.get("properties") and schema != _weights(schema):
        yield path
    assert not is_map or not schema.get("properties"), path
    assert not schema.get("x-kubernetes-preserve-unknown-fields"), path
    for key, value in schema.get("properties", {}).items():
        yield from _open_objects(value, f"{path}.{key}")
    if "items" in schema:
        yield from _open_objects(schema["items"], f"{path}[]")


def _weights(schema: dict[str, Any]) -> dict[str, Any] | None:
    """The schema itself if it is a map of numbers (MultiKeyListener's weights), which is allowed."""
    return schema if schema.get("additionalProperties") == {"type": "integer"} else None


def test_settings_are_maps_of_strings() -> None:
    assert SETTINGS["additionalProperties"] == {"type": "string"}
