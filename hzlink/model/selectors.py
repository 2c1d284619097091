"""Label selectors: reads them as text or as a workload's `spec.selector`, and matches labels. Pure.

The grammar is that of Kubernetes: `key=value`, `key==value`, `key!=value`, `key in (a,b)`, `key notin (a,b)`, `key` and
`!key`, separated by commas (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_KEY = rf"(?:[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_NAME}"
_EQUAL = re.compile(rf"({_KEY})\s*(==|=|!=)\s*({_NAME}|)")
_SET = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_EXISTS = re.compile(rf"(!?)\s*({_KEY})")
_VALUE = re.compile(rf"(?:{_NAME})?")
# Commas that are not between parentheses.
_COMMA = re.compile(r",(?![^()]*\))")

IN, NOT_IN, EXISTS, DOES_NOT_EXIST = "In", "NotIn", "Exists", "DoesNotExist"


@dataclass(frozen=True)
class Requirement:
    """One term of a selector. `operator` is one of those in `matchExpressions`."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.operator in (EXISTS, DOES_NOT_EXIST):
            return self.key if self.operator == EXISTS else f"!{self.key}"
        if len(self.values) == 1:
            return f"{self.key}{'=' if self.operator == IN else '!='}{self.values[0]}"
        return f"{self.key} {'in' if self.operator == IN else 'notin'} ({','.join(self.values)})"

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fulfil it. A label that is missing fulfils NotIn, as in Kubernetes."""
        if self.operator in (EXISTS, DOES_NOT_EXIST):
            return (self.key in labels) == (self.operator == EXISTS)
        return (labels.get(self.key) in self.values) == (self.operator == IN)


@dataclass(frozen=True)
class Selector:
    """A label selector. One without requirements matches nothing: the pods of nobody in particular are not members."""

    requirements: tuple[Requirement, ...] = ()

    def __str__(self) -> str:
        """The selector as kubectl and Skupper take it."""
        return ",".join(map(str, self.requirements))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether the labels fulfil all requirements."""
        return bool(self.requirements) and all(one.holds(labels) for one in self.requirements)


def parse(text: str) -> Selector:
    """The selector in a text.

    Raises:
        ValueError: the text is empty or is not a selector.
    """
    return Selector(tuple(_requirement(term.strip()) for term in _COMMA.split(text)))


def _requirement(term: str) -> Requirement:
    if found := _EQUAL.fullmatch(term):
        return Requirement(found[1], NOT_IN if found[2] == "!=" else IN, (found[3],))
    if found := _SET.fullmatch(term):
        values = tuple(value.strip() for value in found[3].split(","))
        if all(_VALUE.fullmatch(value) for value in values):
            return Requirement(found[1], IN if found[2] == "in" else NOT_IN, values)
    if found := _EXISTS.fullmatch(term):
        return Requirement(found[2], DOES_NOT_EXIST if found[1] else EXISTS)
    raise ValueError(f"{term!r} is not a label selector such as app=hazelcast")


def of_workload(workload: Mapping[str, Any] | None) -> Selector:
    """The selector of a StatefulSet or Deployment; one that matches nothing if it has none."""
    found = ((workload or {}).get("spec") or {}).get("selector") or {}
    equal = [Requirement(key, IN, (str(value),)) for key, value in (found.get("matchLabels") or {}).items()]
    more = [
        Requirement(str(one.get("key")), str(one.get("operator")), tuple(map(str, one.get("values") or ())))
        for one in found.get("matchExpressions") or []
    ]
    return Selector((*sorted(equal, key=lambda one: one.key), *more))
