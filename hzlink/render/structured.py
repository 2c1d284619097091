"""Formats a result's document as JSON or YAML."""

from __future__ import annotations

import json

from hzlink.render.result import Result, to_dict


def as_json(result: Result, indent: int | None = 2) -> str:
    """The result as JSON; on one line if `indent` is None. If it has control characters, non-ASCII is escaped."""
    text = json.dumps(to_dict(result), indent=indent, ensure_ascii=False)
    return text if _is_harmless(text) else json.dumps(to_dict(result), indent=indent)


def as_yaml(result: Result) -> str:
    """The result as YAML, with the same escapes."""
    import yaml

    text = yaml.safe_dump(to_dict(result), sort_keys=False, allow_unicode=True)
    if not _is_harmless(text):
        text = yaml.safe_dump(to_dict(result), sort_keys=False)
    return text.rstrip("\n")


def _is_harmless(text: str) -> bool:
    return text.replace("\n", "").isprintable()
