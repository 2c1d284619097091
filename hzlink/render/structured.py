"""JSON and YAML: one dictionary, two spellings."""

from __future__ import annotations

import json

from hzlink.result import Result, to_dict


def as_json(result: Result) -> str:
    """The result as indented JSON."""
    return json.dumps(to_dict(result), indent=2, ensure_ascii=False)


def as_yaml(result: Result) -> str:
    """The same as YAML."""
    import yaml

    return yaml.safe_dump(to_dict(result), sort_keys=False, allow_unicode=True).rstrip("\n")
