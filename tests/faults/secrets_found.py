"""The secrets that existed during a run, and the search for them in texts.

Watches on the clusters collect every grant, token and Secret, even those that exist only for a moment.
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

# Shorter ones would match by chance.
SHORTEST = 8
WATCHED = (skupper_kinds.GRANTS, skupper_kinds.TOKENS, kinds.SECRETS)


class Seen:
    """The secrets that the watches have seen so far, by namespace."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._found: dict[str, set[str]] = defaultdict(set)
        self._codes: dict[str, set[str]] = defaultdict(set)
        for server in ("client", "cluster"):
            for resource in WATCHED:
                threading.Thread(target=self._follow, args=(sandbox, server, resource), daemon=True).start()

    def of(self, namespace: str) -> set[str]:
        """The secrets of a namespace, and those planted in every namespace."""
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
    """The codes, certificates and keys in an object, in every form in which a text may contain them."""
    for part in _parts(item):
        for name in ("code", "ca"):
            yield from _forms(str(part.get(name) or ""))
    for encoded in (item.get("data") or {}).values():
        if item.get("kind") == "Secret":
            yield encoded
            yield from _forms(base64.b64decode(encoded).decode(errors="replace"))


def _forms(text: str) -> Iterator[str]:
    """A text of one line unchanged. Of PEM blocks the lines with data, without BEGIN, END and padding lines."""
    lines = [line.strip() for line in text.splitlines()]
    for line in lines:
        if len(line) >= SHORTEST and not line.startswith("-----") and len(set(line)) > 6:
            yield line


def found_in(texts: Mapping[str, str], secrets: set[str]) -> list[str]:
    """The texts that contain a secret, each with the first characters of the secret."""
    return [
        f"{name}: {secret[:6]}..."
        for name, text in texts.items()
        for secret in sorted(secrets)
        if len(secret) >= SHORTEST and secret in text
    ]
