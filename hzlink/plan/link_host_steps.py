"""The steps of --link-host, and what prevents it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hzlink.model import link_host, objects
from hzlink.model.errors import PrerequisiteError
from hzlink.model.link_host import ACCESS
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe import links
from hzlink.observe.snapshot import Snapshot, Snapshots
from hzlink.plan import foreign, manifests, planner, sharing
from hzlink.plan.drift import drift
from hzlink.plan.link_host import REFS, in_front, port, wanted
from hzlink.plan.planner import Action, Step
from hzlink.programs import hints


def used_at(topology: Topology, snapshots: Snapshots) -> list[Site]:
    """The issuing sites whose router others reach at the --link-host.

    None where the sites are linked by others, whose Links hzlink uses as they are.
    """
    if topology.settings.link_host is None:
        return []
    found: dict[Site, None] = {}
    for linked, issuer in planner.issuers(topology, snapshots).items():
        present = links.all_between(snapshots, topology.redeemer(linked, issuer), issuer)
        ours = any(objects.is_ours(link, topology.name) for link in present)
        if ours or planner.why_to_link(topology, snapshots, linked, issuer):
            found[issuer] = None
    return list(found)


def added(topology: Topology, snapshots: Snapshots, steps: Sequence[Step]) -> list[Step]:
    """The steps of `up` with those of --link-host, which come before those that link."""
    used, planned = used_at(topology, snapshots), {step.key for step in steps}
    made = [step for site in topology.sites if (step := _step(topology, site, snapshots[site], site in used, planned))]
    keys = frozenset(step.key for step in made)
    linking = [replace(step, needs=step.needs | keys) if step.action is Action.LINK else step for step in steps]
    first = next((number for number, step in enumerate(steps) if step.action is Action.LINK), len(steps))
    return [*linking[:first], *made, *linking[first:]]


def _step(topology: Topology, site: Site, snapshot: Snapshot, used: bool, planned: set[str]) -> Step | None:
    before = (Action.NAMESPACE, Action.COLLECT, Action.APPLY, Action.SITE)
    needs = frozenset({planner.key(site, action) for action in before} & planned)
    if used:
        stamped = map(manifests.stamped, wanted(topology, site, port(snapshot)))
        items = [item for item in stamped if _is_due(topology, item, snapshot)]
        why = f"the router is reached at {topology.settings.link_host}, as --link-host says"
        return Step(Action.LINK_HOST, site, why, needs, items=tuple(items)) if items else None
    refs = tuple(ref for ref in REFS if _is_removable(topology, snapshot, ref.name))
    refs = tuple(ref for ref in refs if any(objects.ref(item) == ref for item in snapshot.items))
    return Step(Action.LINK_HOST, site, f"not used any more: {', '.join(map(str, refs))}", refs=refs) if refs else None


def _is_due(topology: Topology, item: Object, snapshot: Snapshot) -> bool:
    """Whether an object has to be applied. One of another topology is used as it is."""
    live = snapshot.get(item["kind"], ACCESS)
    if live is not None and sharing.is_made_by_hzlink(live) and not objects.is_ours(live, topology.name):
        return False
    return bool(drift(item, live))


def _is_removable(topology: Topology, snapshot: Snapshot, name: str) -> bool:
    """Whether the objects are this topology's, and no other one may use them."""
    found = [snapshot.get(kind, name) for kind in ("RouterAccess", "Certificate")]
    ours = any(objects.is_ours(item, topology.name) for item in found if item is not None)
    return ours and not sharing.others_at(topology, snapshot)


def errors(topology: Topology, snapshots: Snapshots) -> list[PrerequisiteError]:
    """What prevents --link-host at the sites that use it."""
    found = (_error(topology, snapshots[site]) for site in used_at(topology, snapshots))
    return [error for error in found if error is not None]


def _error(topology: Topology, snapshot: Snapshot) -> PrerequisiteError | None:
    return _taken(topology, snapshot) or _other_host(topology, snapshot) or _own_access(topology, snapshot)


def _taken(topology: Topology, snapshot: Snapshot) -> PrerequisiteError | None:
    """The error if an object that hzlink did not make has the name."""
    named = [snapshot.get(kind, ACCESS) for kind in ("RouterAccess", "Certificate")]
    service = snapshot.get("Service", ACCESS)
    owned = service is None or bool(objects.owner_uids(service, "SecuredAccess"))
    theirs = [item for item in named if item is not None and not sharing.is_made_by_hzlink(item)]
    if not theirs and owned:
        return None
    subject = objects.ref(theirs[0] if theirs else service or {})
    return PrerequisiteError(
        f"--link-host needs the name {ACCESS} at {snapshot.site.name}, and hzlink did not make the object of that name",
        site=snapshot.site.name,
        subject=str(subject),
        next_step=f"{hints.kubectl(snapshot.site, f'describe {subject}')}   (rename or remove it)",
    )


def _other_host(topology: Topology, snapshot: Snapshot) -> PrerequisiteError | None:
    """The error if another topology uses another --link-host at the same Site."""
    certificate = snapshot.get("Certificate", ACCESS)
    if certificate is None or objects.is_ours(certificate, topology.name):
        return None
    hosts, host = objects.spec(certificate).get("hosts") or [], topology.settings.link_host
    if host is None or host.host in hosts:
        return None
    present = link_host.of(certificate)
    return PrerequisiteError(
        f"another topology uses another --link-host at {snapshot.site.name}",
        site=snapshot.site.name,
        subject=f"Certificate {ACCESS}",
        said=f"it names {present or ', '.join(hosts)}, not {host.host}",
        next_step=hints.hzlink(f"up --link-host {present or 'HOST'}"),
    )


def _own_access(topology: Topology, snapshot: Snapshot) -> PrerequisiteError | None:
    """The error if the Site, which hzlink did not make, has link access of its own.

    Skupper lists the endpoints of all accesses in any order, and a router uses the first one of a token (read in
    2.2.1): the tokens of others would fail.
    """
    site = snapshot.skupper_site
    access = objects.spec(site or {}).get("linkAccess")
    if not foreign.is_foreign(topology, site) or access in (None, "", "none") or snapshot.get("RouterAccess", ACCESS):
        return None
    return PrerequisiteError(
        f"--link-host is not for {snapshot.site.name}: its Skupper Site, {foreign.made_by(topology, site)}, has link "
        f"access {access}",
        site=snapshot.site.name,
        subject=f"Site {objects.name(site or {})}",
        said=f"its tokens would also carry the address {ACCESS}.{snapshot.site.namespace}, which only its own cluster "
        "reaches",
        next_step=f"{hints.hzlink('up')}   (without --link-host: the link uses the Site's link access; or use another "
        "namespace)",
    )


def notes(topology: Topology, snapshots: Snapshots, steps: Sequence[Step]) -> tuple[str, ...]:
    """What the user has to do in front of the router, if a link is made; or that the option is not used."""
    host = topology.settings.link_host
    if host is None:
        return ()
    used = used_at(topology, snapshots)
    if not used:
        return (f"link-host: {host} is not used, because the sites are linked already, by Links of others",)
    if not any(step.action in (Action.LINK, Action.LINK_HOST) for step in steps):
        return ()
    found = [f"link-host: {in_front(site, host, port(snapshots[site]))}" for site in used]
    return (*found, *(text for site in used if (text := _former_access(topology, snapshots[site]))))


def _former_access(topology: Topology, snapshot: Snapshot) -> str:
    """That the link access that hzlink's Site had before remains: Skupper does not remove it (tried)."""
    access, site = snapshot.get("RouterAccess", "skupper-router"), snapshot.skupper_site
    if access is None or foreign.is_foreign(topology, site):
        return ""
    command = hints.kubectl(snapshot.site, "delete routeraccesses.skupper.io skupper-router")
    return f"link-host: Skupper keeps the former link access of {snapshot.site.name}; to remove it: {command}"
