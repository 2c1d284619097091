"""The conflicts of a server-side apply: fields that another field manager has set to another value. Pure.

The API server's message (Kubernetes 1.37):

    Apply failed with 2 conflicts: conflicts with "kubectl" with subresource "scale" using apps/v1:
    - .spec.replicas
    conflicts with "helm" using apps/v1 at 2026-01-01T10:00:00Z:
    - .spec.template.spec.containers[name="hazelcast"].image
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MANAGER = re.compile(
    r'conflicts? with "(?P<manager>(?:[^"\\]|\\.)*)"(?: with subresource "(?P<part>[^"]*)")?'
    r"[^\n]*?:(?: (?P<path>\.\S.*))?$"
)
REPLICAS = ".spec.replicas"


@dataclass(frozen=True)
class Conflict:
    """A field and its manager. `subresource`: the one through which the manager set it, such as `scale`."""

    path: str
    manager: str
    subresource: str = ""

    @property
    def holder(self) -> str:
        """The manager, for messages."""
        if self.is_autoscaler:
            return "an autoscaler (kube-controller-manager, subresource scale)"
        return f"{self.manager} (subresource {self.subresource})" if self.subresource else self.manager

    @property
    def is_autoscaler(self) -> bool:
        """Whether a HorizontalPodAutoscaler has set it: its controller runs in kube-controller-manager."""
        return (self.manager, self.subresource) == ("kube-controller-manager", "scale")


def parse(said: str) -> tuple[Conflict, ...]:
    """All conflicts in kubectl's message, in its order; none if it has none."""
    found: dict[Conflict, None] = {}
    manager: tuple[str, str] | None = None
    for line in said.splitlines():
        if match := _MANAGER.search(line):
            manager = (match["manager"], match["part"] or "")
            if match["path"]:
                found[Conflict(match["path"].strip(), *manager)] = None
        elif manager and line.startswith("- "):
            found[Conflict(line.removeprefix("- ").strip(), *manager)] = None
        else:
            manager = None
    return tuple(found)


def describe(found: tuple[Conflict, ...], subject: str) -> str:
    """The fields of the object and their managers, as a sentence."""
    by_holder: dict[str, list[str]] = {}
    for conflict in found:
        by_holder.setdefault(conflict.holder, []).append(conflict.path)
    parts = []
    for number, (holder, paths) in enumerate(by_holder.items()):
        fields = f"field {paths[0]}" if len(paths) == 1 else f"fields {', '.join(paths)}"
        of = f" of {subject}" if subject and number == 0 else ""
        parts.append(f"{fields}{of} {'is' if len(paths) == 1 else 'are'} managed by {holder}")
    return "; ".join(parts)
