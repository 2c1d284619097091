"""Decides from kubeconfig entries whether two sites are the same namespace. Pure.

Equal server addresses prove nothing: behind a proxy (Teleport, GitLab's agent) the user entry selects the cluster.
If the entries do not decide it, `hzlink/observe/cluster_identity.py` asks the clusters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from shlex import quote

from hzlink.config.kubeconfig import Context, Shadowed
from hzlink.model.choices import Role
from hzlink.model.errors import UsageError
from hzlink.model.topology import Site

OWN_NAMESPACES = "give each site a different namespace: --client-ns, --cluster-ns, --hub-ns"


@dataclass(frozen=True)
class Place:
    """A site's role, context and namespace."""

    role: Role
    context: Context
    namespace: str


def judge(places: Sequence[Place]) -> list[tuple[int, int]]:
    """The pairs of places, by index, for which the entries do not decide whether they are the same namespace.

    Raises:
        UsageError: kubectl ignores the cluster entry in a context's own file, or two places are the same namespace.
    """
    _refuse_shadowed(places)
    undecided = []
    for (number, one), (other_number, other) in combinations(enumerate(places), 2):
        if one.namespace != other.namespace:
            continue
        if is_same(one.context, other.context):
            raise _same(places, one, other)
        if one.context.server and one.context.server == other.context.server:
            undecided.append((number, other_number))
    return undecided


def same_namespace(one: str, other: str, namespace: str, said: str) -> UsageError:
    """The error for two sites that are the same namespace. `one` and `other` are context names, `said` the evidence."""
    contexts = f"context {one}" if one == other else f"contexts {one} and {other}"
    return UsageError(
        f"two sites are the same namespace: {namespace} of {contexts}", said=said or None, next_step=OWN_NAMESPACES
    )


def refuse_missing(contexts: Iterable[Context]) -> None:
    """Refuses a context whose cluster or user entry does not exist.

    kubectl would contact localhost, or ask for a user name and password.

    Raises:
        UsageError: names the entry and the context's file.
    """
    for context in contexts:
        if context.missing:
            listed = " and ".join(context.missing)
            raise UsageError(
                f"context {context.name} needs the entry of {listed}, which no kubeconfig file has",
                said=f"the context is in {context.file}",
                next_step=f"kubectl config view --minify --context {quote(context.name)}",
            )


def ignored_users(contexts: Mapping[Site, Context]) -> dict[Site, str]:
    """The sites whose context's own file has a user entry that kubectl ignores, with the entry that it uses instead.

    Unlike a cluster entry, this may be intended: one user for several clusters.
    """
    found = {}
    for site, context in contexts.items():
        hidden = next((one for one in context.shadowed if one.kind == "user"), None)
        if hidden is not None:
            uses = f'context {context.name} uses the user entry "{hidden.name}" of {hidden.used_file}'
            own = f"--{site.role}-kubeconfig {quote(hidden.ignored_file)}"
            found[site] = f"{uses}, not that of its own file {hidden.ignored_file} (which {own} uses)"
    return found


def _same(places: Sequence[Place], one: Place, other: Place) -> UsageError:
    names = one.context.name, other.context.name
    who = "both contexts use" if names[0] != names[1] else "it uses"
    error = same_namespace(*names, one.namespace, _entry(one.context, who))
    hidden = next((found for found in other.context.shadowed if found.kind == "context"), None)
    if hidden is not None and names[0] == names[1]:
        error.said = (
            f"{hidden.ignored_file} has a context of that name, too; kubectl uses the one in {hidden.used_file}"
        )
        error.next_step = _own_files(places, {id(other): hidden.ignored_file})
    return error


def is_same(one: Context, other: Context) -> bool:
    """Whether both contexts connect to the same server in the same manner, as the same user."""
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
        raise UsageError(_entry(place.context, who), said=_ignored_entry(hidden), next_step=_own_files(places, {}))


def _is_one_entry(one: Context, other: Context) -> bool:
    return (one.cluster, one.endpoint) == (other.cluster, other.endpoint)


def _entry(context: Context, who: str) -> str:
    return f'{who} the cluster entry "{context.cluster}" (server {context.server or "none"})' if context.cluster else ""


def _ignored_entry(hidden: Shadowed) -> str:
    return (
        f"{hidden.ignored_file} has another entry of that name; "
        f"kubectl uses the first entry of a name, which is in {hidden.used_file}"
    )


def _own_files(places: Sequence[Place], chosen: dict[int, str]) -> str:
    """The flags with which each site uses the entries of its own file. `chosen`: files for some places, by id()."""
    flags: dict[str, str] = {}
    for place in places:
        flag = f"--{place.role}-kubeconfig"
        file = chosen.get(id(place), place.context.file)
        if flags.setdefault(flag, file) != file:
            return "give the entries different names: one --client-kubeconfig applies to all client sites"
    return f"give the file of each side: {' '.join(f'{flag} {quote(file)}' for flag, file in sorted(flags.items()))}"
