"""Extracts kubectl's output from what wrappers, version managers and plugins print around it. Pure.

A wrapper of kubectl (an alias's script, asdf, kubecolor) may print warnings on standard output, or colour the output.
JSON never contains an escape character, so colour codes can be removed without parsing it.
"""

from __future__ import annotations

import json
import re
from typing import Any

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LINE_OF_OBJECT = re.compile(r"^\{", re.MULTILINE)
_START_OF_YAML = re.compile(r"^apiVersion: ", re.MULTILINE)
_RESOURCE_TYPE = re.compile(r"[a-z0-9]+([.-][a-z0-9-]+)*")


def json_object(text: str) -> dict[str, Any] | None:
    """The JSON object in the text, or None. The longest of several: a warning can be a JSON object, too."""
    whole = _loaded(text)
    return whole if whole is not None else _longest(uncoloured(text))


def uncoloured(text: str) -> str:
    """The text without a terminal's colour codes."""
    return _COLOUR.sub("", text)


def yaml_stream(text: str) -> str:
    """kustomize's output from its first object. kustomize prints the apiVersion of an object first."""
    start = _START_OF_YAML.search(text)
    return text[start.start() :] if start else text


def resource_types(text: str) -> list[str]:
    """The lines that are resource types, as `kubectl api-resources --output=name` prints them."""
    return [line for line in text.splitlines() if _RESOURCE_TYPE.fullmatch(line)]


def _longest(text: str) -> dict[str, Any] | None:
    decoder, best, length, beyond = json.JSONDecoder(), None, 0, 0
    for start in _LINE_OF_OBJECT.finditer(text):
        if start.start() < beyond:
            continue
        try:
            found, end = decoder.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            continue
        beyond = end
        if isinstance(found, dict) and end - start.start() > length:
            best, length = found, end - start.start()
    return best


def _loaded(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
