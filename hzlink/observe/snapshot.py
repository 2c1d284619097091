"""Reads the objects of a site, in one kubectl call if possible. Never writes, never hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from hzlink.model import objects, probe_labels
from hzlink.model.choices import Role
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import RESOURCES, Object
from hzlink.model.topology import MANAGED_BY, MANAGER, PART_OF, Site
from hzlink.observe import pod_evidence, router_evidence
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal
from hzlink.programs.tasks import running

# The kinds that `status` reads. `up` and `down` read ALL_KINDS.
STATUS_KINDS = (
    "Site",
    "Link",
    "Listener",
    "Connector",
    "AccessGrant",
    "AccessToken",
    "StatefulSet",
    "Deployment",
    "Service",
    "Pod",
)
ALL_KINDS = (
    *STATUS_KINDS,
    "ConfigMap",
    "PodDisruptionBudget",
    # Made by the controller for a Site, and deleted with the Site.
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "RouterAccess",
    "SecuredAccess",
    "Certificate",
)

# Kinds that several topologies share, or that a topology does not need: they do not show that it uses a namespace.
_SHARED = ("Site", "RouterAccess", "Certificate", "Link", "AccessToken", "AccessGrant", "Secret")


@dataclass(frozen=True)
class Snapshot:
    """One observation of a site. `error` is set if the site could not be read; then `items` is empty.

    `member_log`: the end of the members' logs, as of kubectl.logs; None if it was not requested or could not be read.
    `at`: when the observation ended, by this machine's clock.
    `apps`: the site's application namespaces, each as a snapshot with its Services.

    It never contains the codes and keys of tokens and grants.
    """

    site: Site
    items: tuple[Object, ...] = ()
    error: HzlinkError | None = None
    at: datetime | None = None
    member_log: str | None = None
    apps: tuple[Snapshot, ...] = ()

    def of(self, kind: str) -> list[Object]:
        """All objects of a kind."""
        return [item for item in self.items if item.get("kind") == kind]

    def get(self, kind: str, name: str) -> Object | None:
        """One object by kind and name, or None."""
        return next((item for item in self.of(kind) if objects.name(item) == name), None)

    @cached_property
    def skupper_site(self) -> Object | None:
        """The namespace's Skupper Site; the oldest of several, because Skupper runs only that one."""
        sites = sorted(self.of("Site"), key=lambda item: (str(objects.created(item)), objects.name(item)))
        return sites[0] if sites else None

    @cached_property
    def topologies(self) -> dict[str, list[Object]]:
        """The topologies of hzlink that use the namespace, by name, with their own objects."""
        found: dict[str, list[Object]] = {}
        for item in self.items:
            marks = objects.labels(item)
            own = item.get("kind") not in _SHARED and not probe_labels.is_probe(item)
            if own and marks.get(MANAGED_BY) == MANAGER and (name := marks.get(PART_OF, "")):
                found.setdefault(name, []).append(item)
        return dict(sorted(found.items()))

    @property
    def refusal(self) -> Refusal | None:
        """Why the site could not be read; None if it was read, or for an error that is not kubectl's."""
        return self.error.refusal if isinstance(self.error, KubectlError) else None


Snapshots = Mapping[Site, Snapshot]

# For one observation of a site, if the command has no shorter limit.
OBSERVE_DEADLINE_SECONDS = 15.0


async def observe(
    site: Site,
    kinds: Sequence[str] = STATUS_KINDS,
    deadline: float = OBSERVE_DEADLINE_SECONDS,
    *,
    managed: bool = False,
    evidence: bool = False,
) -> Snapshot:
    """Observes a site within `deadline` seconds. If the site cannot be read, the Snapshot has the error.

    `managed`: objects have their managedFields. `evidence`: pods that do not run have the reasons from their events and
    logs, and Links that are not operational have the reason from the router's log. Each takes another call if there are
    such objects.

    Raises:
        PrerequisiteError: kubectl is not installed.
    """
    kubectl = Kubectl(site, deadline)
    try:
        items = await kubectl.objects((RESOURCES[kind] for kind in kinds), managed=managed)
        # Every namespace in use has objects. Only an empty result needs a second call, to see whether it exists.
        if not items and (missing := await kubectl.lacks_namespace()):
            return Snapshot(site, error=missing)
    except KubectlError as error:
        return Snapshot(site, error=error)
    if evidence:
        items = list(await pod_evidence.with_evidence(kubectl, items))
        items = list(await router_evidence.with_router_evidence(kubectl, items))
    return Snapshot(site, tuple(without_secrets(item) for item in items), at=datetime.now(UTC))


async def observe_all(
    sites: Iterable[Site],
    kinds: Sequence[str] = STATUS_KINDS,
    deadline: float = OBSERVE_DEADLINE_SECONDS,
    *,
    log_selector: str = "",
    managed: bool = False,
    evidence: bool = False,
) -> Snapshots:
    """Observes all sites in parallel. See `observe`.

    `log_selector`: a label selector of pods at the cluster site whose logs are read, too; none if empty.
    """

    def one(site: Site) -> Coroutine[Any, Any, Snapshot]:
        observing = observe(site, kinds, deadline, managed=managed, evidence=evidence)
        if not log_selector or site.role is not Role.CLUSTER:
            return observing
        return _with_log(site, log_selector, deadline, observing)

    listed = list(sites)
    return dict(zip(listed, await asyncio.gather(*map(one, listed)), strict=True))


# For each member: enough for months, and small enough to be read as fast as the objects.
LOG_LINES = 5_000
LOG_BYTES = 1_000_000
# How much longer the logs may take than the observation.
LOG_GRACE_SECONDS = 1.0


async def _with_log(site: Site, selector: str, deadline: float, observing: Coroutine[Any, Any, Snapshot]) -> Snapshot:
    """Reads the logs in parallel with the observation, and leaves them out if they would delay it."""
    async with running(member_log(site, selector, deadline)) as (log,):
        snapshot = await observing
        if snapshot.error is None:
            await asyncio.wait({log}, timeout=LOG_GRACE_SECONDS)
        found = log.result() if log.done() else None
    return replace(snapshot, member_log=found)


async def member_log(site: Site, selector: str, deadline: float) -> str | None:
    """The end of the logs of the pods of a selector, as of kubectl.logs; None if they could not be read."""
    try:
        return await Kubectl(site, deadline).logs(selector, tail=LOG_LINES, limit_bytes=LOG_BYTES)
    except HzlinkError:
        return None


def without_secrets(item: Object) -> Object:
    """The object without the code and certificate of a grant or token."""
    if item.get("kind") not in ("AccessGrant", "AccessToken"):
        return item
    cleaned: dict[str, Any] = dict(item)
    for part in ("spec", "status"):
        if isinstance(item.get(part), Mapping):
            cleaned[part] = {key: value for key, value in item[part].items() if key not in ("code", "ca")}
    return cleaned
