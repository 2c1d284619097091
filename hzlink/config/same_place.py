"""Whether sites are one and the same namespace, as far as kubeconfig entries tell. Pure.

Equal server addresses prove nothing: behind a proxy (Teleport, GitLab's agent) the user's entry chooses the cluster.
What entries cannot tell is left to the clusters: `hzlink/observe/cluster_identity.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from shlex import quote

from hzlink.config.kubeconfig import Context, Shadowed
from hzlink.model.choices import Role
from hzlink.model.errors import UsageError

OWN_NAMESPACES = "give each site a namespace of its own: --client-ns, --cluster-ns"


@dataclass(frozen=True)
class Place:
    """Where a site is meant to be: its role, its context, its namespace."""

    role: Role
    context: Context
    namespace: str


def judge(places: Sequence[Place]) -> list[tuple[int, int]]:
    """The pairs of places that may be the same namespace, or not: entries do not tell. By their numbers.

    Raises:
        UsageError: a context does not get the cluster entry of its own file, or two places are surely the same.
    """
    _refuse_shadowed(places)
    doubtful = []
    for (number, one), (other_number, other) in combinations(enumerate(places), 2):
        if one.namespace != other.namespace:
            continue
        if _is_same(one.context, other.context):
            raise _same(places, one, other)
        if one.context.server and one.context.server == other.context.server:
            doubtful.append((number, other_number))
    return doubtful


def same_namespace(one: str, other: str, namespace: str, said: str) -> UsageError:
    """The error for two sites that are one namespace, by their contexts' names; `said`: how it is known."""
    contexts = f"context {one}" if one == other else f"contexts {one} and {other}"
    return UsageError(
        f"two sites are the same namespace: {namespace} of {contexts}", said=said or None, next_step=OWN_NAMESPACES
    )


def _same(places: Sequence[Place], one: Place, other: Place) -> UsageError:
    names = one.context.name, other.context.name
    who = "both contexts use" if names[0] != names[1] else "it uses"
    error = same_namespace(*names, one.namespace, _entry(one.context, who))
    hidden = next((found for found in other.context.shadowed if found.kind == "context"), None)
    if hidden is not None and names[0] == names[1]:
        error.said = f"{hidden.passed_file} has a context of that name, too; kubectl takes that of {hidden.used_file}"
        error.next_step = _own_files(places, {id(other): hidden.passed_file})
    return error


def _is_same(one: Context, other: Context) -> bool:
    """Whether the entries are the same way to the same server as the same user."""
    if one.name == other.name and one.file == other.file:
        return True
    return bool(one.server) and (one.endpoint, one.access) == (other.endpoint, other.access)


def _refuse_shadowed(places: Sequence[Place]) -> None:
    for place in places:
        hidden = next((one for one in place.context.shadowed if one.kind == "cluster"), None)
        if hidden is None:
            continue
        others = [one for one in places if one is not place and _is_one_entry(one.context, place.context)]
        who = (
            f"contexts {others[0].context.name} and {place.context.name} both use"
            if others
            else f"context {place.context.name} uses"
        )
        raise UsageError(_entry(place.context, who), said=_passed_over(hidden), next_step=_own_files(places, {}))


def _is_one_entry(one: Context, other: Context) -> bool:
    return (one.cluster, one.endpoint) == (other.cluster, other.endpoint)


def _entry(context: Context, who: str) -> str:
    return f'{who} the cluster entry "{context.cluster}" (server {context.server or "none"})' if context.cluster else ""


def _passed_over(hidden: Shadowed) -> str:
    return (
        f"{hidden.passed_file} has another entry of that name; "
        f"of equal names kubectl takes the first, of {hidden.used_file}"
    )


def _own_files(places: Sequence[Place], chosen: dict[int, str]) -> str:
    """What to type so that each site gets the entries of its own file. `chosen`: files for some places, by id()."""
    flags: dict[str, str] = {}
    for place in places:
        flag = "--cluster-kubeconfig" if place.role is Role.CLUSTER else "--client-kubeconfig"
        file = chosen.get(id(place), place.context.file)
        if flags.setdefault(flag, file) != file:
            return "give the entries names of their own: one --client-kubeconfig holds for all client sites"
    return f"name the file of each side: {' '.join(f'{flag} {quote(file)}' for flag, file in sorted(flags.items()))}"
