"""The token file, as the real command writes and reads it: sorted, without empty values. Pure."""

from __future__ import annotations

from typing import Any

import yaml

from sandbox.api.kinds import Obj


def without_empty(obj: Obj) -> Obj:
    """The object without empty, zero and false values, at every depth of maps but not inside lists."""
    kept: Obj = {}
    for key, value in obj.items():
        if value is None or value in ("", 0, False) or value in ([], {}):
            continue
        kept[key] = without_empty(value) if isinstance(value, dict) else value
    return kept


def to_yaml(obj: Obj) -> str:
    """YAML with multi-line strings as blocks and ambiguous strings in double quotes."""
    return yaml.dump(obj, Dumper=_Dumper, default_flow_style=False, width=1_000_000, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    pass


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = None
    if "\n" in value:
        style = "|"
    elif _resolved(dumper, value) != "tag:yaml.org,2002:str":
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _resolved(dumper: yaml.SafeDumper, value: str) -> str:
    """The tag that the plain text would have."""
    return str(dumper.resolve(yaml.ScalarNode, value, (True, False)))  # type: ignore[no-untyped-call] # no stub


_Dumper.add_representer(str, _text)


def load_token(text: str) -> Obj:
    """The AccessToken of a file's text; empty for anything else, as in the real command."""
    try:
        loaded: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    if not isinstance(loaded, dict) or loaded.get("kind") != "AccessToken":
        return {}
    return loaded
