"""What hzlink must be allowed at a site, and what of that an API server says is lacking.

The bundled Roles (`manifests/rbac/`) are the one place where that is written: a test applies them and runs hzlink.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hzlink.model.choices import Role
from hzlink.plan import manifests


@dataclass(frozen=True, order=True)
class Right:
    """To do `verb` with the resources of one type in a site's namespace; the core group is the empty text.

    Where `names` are given, only with objects of these names.
    """

    group: str
    resource: str
    verb: str
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        kind, slash, part = self.resource.partition("/")
        named = f" {', '.join(self.names)}" if self.names else ""
        return f"{self.verb} {kind}{f'.{self.group}' if self.group else ''}{slash}{part}{named}"


def needed(role: Role) -> tuple[Right, ...]:
    """What the bundled Role for such a site gives, in its order.

    Raises:
        HzlinkError: hzlink's bundled manifests are missing.
    """
    text = (manifests.folder() / "rbac" / role / "role.yaml").read_text(encoding="utf-8")
    return tuple(dict.fromkeys(right for item in manifests.parse(text) for right in _rights(item)))


def _rights(item: Mapping[str, Any]) -> Iterator[Right]:
    for rule in item["rules"]:
        names = tuple(rule.get("resourceNames", ()))
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield Right(group, resource, verb, names)


def missing(needed: Iterable[Right], status: Mapping[str, Any]) -> tuple[Right, ...]:
    """Which of `needed` a SelfSubjectRulesReview's status does not grant, in their order.

    Where the status says `incomplete` (an authorizer that cannot list its rules, as with webhooks), a right that is
    missing here may be granted all the same: that is for the caller to say.
    """
    rules = [rule for rule in _listed(status, "resourceRules") if isinstance(rule, Mapping)]
    return tuple(right for right in needed if not _is_granted(right, rules))


def _is_granted(right: Right, rules: list[Mapping[str, Any]]) -> bool:
    found = [rule for rule in rules if _matches(rule, right)]
    # A rule without names is for all of them. With names, several rules may grant a name each.
    if any(not rule.get("resourceNames") for rule in found):
        return True
    granted = [name for rule in found for name in _listed(rule, "resourceNames")]
    return bool(right.names) and all(name in granted for name in right.names)


def _matches(rule: Mapping[str, Any], right: Right) -> bool:
    """As Kubernetes matches a rule: `*` is anything, `*/scale` the part `scale` of anything."""
    _, slash, part = right.resource.partition("/")
    resources = {right.resource, "*", *([f"*/{part}"] if slash else [])}
    return (
        any(verb in (right.verb, "*") for verb in _listed(rule, "verbs"))
        and any(group in (right.group, "*") for group in _listed(rule, "apiGroups"))
        and any(resource in resources for resource in _listed(rule, "resources"))
    )


def _listed(body: Mapping[str, Any], field: str) -> list[Any]:
    found = body.get(field)
    return found if isinstance(found, list) else []
