"""The rights that hzlink needs at a site, and which of them are missing by an API server's answer.

They are defined only in the bundled Roles (`manifests/rbac/`). A test applies the Roles and runs hzlink with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hzlink.model.choices import LinkAccess, LinkFrom, Role, Via
from hzlink.model.topology import Settings, Topology
from hzlink.plan import manifests


@dataclass(frozen=True, order=True)
class Right:
    """The right to `verb` on a resource type in a site's namespace. The core group is the empty text.

    With `names`, only on objects with these names.
    """

    group: str
    resource: str
    verb: str
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        kind, slash, part = self.resource.partition("/")
        named = f" {', '.join(self.names)}" if self.names else ""
        return f"{self.verb} {kind}{f'.{self.group}' if self.group else ''}{slash}{part}{named}"


def needed(role: str, ways: Iterable[str] = ()) -> tuple[Right, ...]:
    """The rights in the bundled Roles for sites of that role and for `ways`, in the Roles' order.

    They include those for Management Center at a client site. `role`: a folder of `manifests/rbac`; of a site's role,
    as of `role_folder`.

    Raises:
        HzlinkError: hzlink's bundled manifests are missing.
    """
    files = [f"{name}/role.yaml" for name in (role, *ways)]
    rights = [right for file in files for right in _in_file(file)]
    return tuple(dict.fromkeys((*rights, *(for_mancenter() if role == Role.CLIENT else ()))))


def for_mancenter() -> tuple[Right, ...]:
    """The rights that only Management Center needs at a client site.

    Raises:
        HzlinkError: hzlink's bundled manifests are missing.
    """
    return _in_file("client/mancenter.yaml")


def _in_file(path: str) -> tuple[Right, ...]:
    text = (manifests.folder() / "rbac" / path).read_text(encoding="utf-8")
    return tuple(dict.fromkeys(right for item in manifests.parse(text) for right in _rights(item)))


def role_folder(role: Role, settings: Settings) -> str:
    """The folder of `manifests/rbac` with the Role for sites of that role."""
    return f"{role}-existing-members" if settings.found is not None and role is Role.CLUSTER else str(role)


def ways(topology: Topology, role: Role) -> tuple[str, ...]:
    """The folders of `manifests/rbac` with the additional Roles that the settings need at sites of that role."""
    settings = topology.settings
    by_hzlink = settings.via is Via.LINK or settings.link_access is LinkAccess.LOCAL or settings.link_host is not None
    issuing = Role.CLIENT if settings.link_from is LinkFrom.CLIENT else topology.target.role
    own_access = settings.link_host is not None and role is issuing
    return (*(("static-link",) if by_hzlink else ()), *(("link-host",) if own_access else ()))


def _rights(item: Mapping[str, Any]) -> Iterator[Right]:
    for rule in item["rules"]:
        names = tuple(rule.get("resourceNames", ()))
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield Right(group, resource, verb, names)


def missing(needed: Iterable[Right], status: Mapping[str, Any]) -> tuple[Right, ...]:
    """The rights of `needed` that a SelfSubjectRulesReview's status does not grant, in their order.

    If the status is `incomplete` (an authorizer that cannot list its rules, such as a webhook), a missing right may be
    granted nevertheless; the caller has to consider that.
    """
    rules = [rule for rule in _listed(status, "resourceRules") if isinstance(rule, Mapping)]
    return tuple(right for right in needed if not _is_granted(right, rules))


def _is_granted(right: Right, rules: list[Mapping[str, Any]]) -> bool:
    found = [rule for rule in rules if _matches(rule, right)]
    # A rule without names applies to all objects. Several rules may each grant some of the names.
    if any(not rule.get("resourceNames") for rule in found):
        return True
    granted = [name for rule in found for name in _listed(rule, "resourceNames")]
    return bool(right.names) and all(name in granted for name in right.names)


def _matches(rule: Mapping[str, Any], right: Right) -> bool:
    """Matches a rule as Kubernetes does: `*` is any resource, `*/scale` the subresource `scale` of any resource."""
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
