"""Reads contexts out of kubeconfig files, as kubectl merges them. Read once at start; never written.

Only names, namespaces and server addresses are kept: no credential leaves this module.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hzlink.model.errors import UsageError


@dataclass(frozen=True)
class Context:
    """A kubeconfig context: its own namespace (`default` where it names none) and its server's address."""

    name: str
    namespace: str
    server: str


def contexts(kubeconfig: str | None, environ: Mapping[str, str] = os.environ) -> dict[str, Context]:
    """All contexts by name, from one file or from kubectl's own look-up; of equal names the first holds.

    Raises:
        UsageError: a named file is missing, or a file is not a kubeconfig.
    """
    found: dict[str, dict[str, Any]] = {}
    servers: dict[str, str] = {}
    for path in _paths(kubeconfig, environ):
        document = _load(path)
        for entry in _named(document, "contexts", "context", path):
            found.setdefault(entry[0], entry[1])
        for entry in _named(document, "clusters", "cluster", path):
            servers.setdefault(entry[0], _word(entry[1].get("server")))
    return {
        name: Context(name, _word(body.get("namespace")) or "default", servers.get(_word(body.get("cluster")), ""))
        for name, body in found.items()
    }


def _paths(kubeconfig: str | None, environ: Mapping[str, str]) -> list[Path]:
    if kubeconfig is not None:
        path = Path(kubeconfig).expanduser()
        if not path.is_file():
            raise UsageError(f"there is no kubeconfig file {kubeconfig}", next_step="check --kubeconfig")
        return [path]
    listed = [part for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    candidates = [Path(part) for part in listed] or [Path("~/.kube/config").expanduser()]
    # kubectl passes over what is not there, too.
    return [path for path in candidates if path.is_file()]


def _load(path: Path) -> dict[str, Any]:
    import yaml

    try:
        # The C parser, where PyYAML was built with it: a kubeconfig with certificates takes the other one 20 ms.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        document = yaml.load(path.read_text(encoding="utf-8"), loader)  # noqa: S506
    except OSError as error:
        raise UsageError(f"cannot read the kubeconfig file {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the kubeconfig file {path} is not UTF-8 text") from None
    except yaml.YAMLError as error:
        # The text of the error would quote the file, which holds credentials.
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UsageError(f"the kubeconfig file {path}{line} is not YAML") from None
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        # What PyYAML lets out for a value that is not what it looks like, a 13th month, say. It quotes the value, too.
        raise UsageError(f"the kubeconfig file {path} holds a value that is not YAML") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise UsageError(f"the kubeconfig file {path} is not a kubeconfig: it holds no mapping")
    return document


def _named(document: dict[str, Any], section: str, key: str, path: Path) -> list[tuple[str, dict[str, Any]]]:
    entries = document.get(section) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError(f"the kubeconfig file {path} is not a kubeconfig: {section} is not a list of mappings")
    named = []
    for entry in entries:
        body = entry.get(key)
        named.append((_word(entry.get("name")), body if isinstance(body, dict) else {}))
    return named


def _word(value: Any) -> str:
    """A name as text, empty where it is none: aliases can make a list of more text than there is memory."""
    return "" if value is None or isinstance(value, (list, dict, set, tuple)) else str(value)
