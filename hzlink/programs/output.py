"""What kubectl printed, without what wrappers, version managers and plugins print around it. Pure.

A program in kubectl's place (an alias's script, asdf, kubecolor) may warn on standard output before it passes on, or
colour what comes. JSON never holds an escape character, so colours can be taken away without a look at the content.
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
    """The JSON object that was printed, or None. Of several, the longest: a warning can be a JSON object, too."""
    whole = _loaded(text)
    return whole if whole is not None else _longest(uncoloured(text))


def uncoloured(text: str) -> str:
    """The text without a terminal's colour codes."""
    return _COLOUR.sub("", text)


def yaml_stream(text: str) -> str:
    """What kustomize printed, from its first object on. kustomize writes an object's apiVersion first."""
    start = _START_OF_YAML.search(text)
    return text[start.start() :] if start else text


def resource_types(text: str) -> list[str]:
    """The lines that are a resource type, as `kubectl api-resources --output=name` prints them."""
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
