"""The secrets that there were while something ran, and whether a text has one of them.

They are taken from the clusters themselves: the watches see every grant, token and Secret, however short it lives.
"""

from __future__ import annotations

import base64
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping

from sandbox.api import kinds
from sandbox.api.kinds import Obj, Resource
from sandbox.skupper.controller import kinds as skupper_kinds
from tests.faults.bystanders import CODE, KEY
from tests.sandboxed import Sandbox

# Shorter ones would be found by chance.
SHORTEST = 8
WATCHED = (skupper_kinds.GRANTS, skupper_kinds.TOKENS, kinds.SECRETS)


class Seen:
    """What the watches have seen so far, by namespace."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._found: dict[str, set[str]] = defaultdict(set)
        self._codes: dict[str, set[str]] = defaultdict(set)
        for server in ("client", "cluster"):
            for resource in WATCHED:
                threading.Thread(target=self._follow, args=(sandbox, server, resource), daemon=True).start()

    def of(self, namespace: str) -> set[str]:
        """The secrets of a namespace, and those that are planted everywhere."""
        return {*self._found[namespace], CODE, KEY}

    def codes(self, namespace: str) -> set[str]:
        """The codes of its grants and tokens, without the planted one."""
        return self._codes[namespace] - {CODE}

    def _follow(self, sandbox: Sandbox, server: str, resource: Resource) -> None:
        for event in sandbox.kube(server).watch(resource):
            if event.type != "SYNCED":
                namespace = event.object["metadata"]["namespace"]
                self._found[namespace] |= set(secrets_in(event.object))
                self._codes[namespace] |= {code for part in _parts(event.object) if (code := part.get("code"))}


def _parts(item: Obj) -> list[Obj]:
    return [item.get("spec") or {}, item.get("status") or {}]


def secrets_in(item: Obj) -> Iterator[str]:
    """The codes, authorities and keys in an object, in every form that a text may have them in."""
    for part in _parts(item):
        for name in ("code", "ca"):
            yield from _forms(str(part.get(name) or ""))
    for encoded in (item.get("data") or {}).values():
        if item.get("kind") == "Secret":
            yield encoded
            yield from _forms(base64.b64decode(encoded).decode(errors="replace"))


def _forms(text: str) -> Iterator[str]:
    """A text of one line as it is. Of armour its telling lines: not its frame, and no line that only fills it up."""
    lines = [line.strip() for line in text.splitlines()]
    for line in lines:
        if len(line) >= SHORTEST and not line.startswith("-----") and len(set(line)) > 6:
            yield line


def found_in(texts: Mapping[str, str], secrets: set[str]) -> list[str]:
    """Which texts have a secret in them; says which text, and of the secret only the beginning."""
    return [
        f"{name}: {secret[:6]}..."
        for name, text in texts.items()
        for secret in sorted(secrets)
        if len(secret) >= SHORTEST and secret in text
    ]
