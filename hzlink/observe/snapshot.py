"""Reads one site: one kubectl call where one can do. Never writes, never hangs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from hzlink.model import conditions, objects
from hzlink.model.choices import Role
from hzlink.model.errors import HzlinkError
from hzlink.model.objects import RESOURCES, Object
from hzlink.model.topology import Site
from hzlink.observe import pod_evidence, router_evidence
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.refusals import KubectlError, Refusal

# What `status` reads of a site; `up` and `down` read the rest of what hzlink applies, too.
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
    # What the controller makes of a Site, to see it go with the Site.
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "RouterAccess",
    "SecuredAccess",
    "Certificate",
)


@dataclass(frozen=True)
class Snapshot:
    """One site as one look found it. `error` says why there was nothing to see; then `items` is empty.

    `member_log` is what the members wrote last, as kubectl.logs gives it; None where it was not asked for or not got.
    `at` is when the look ended, by this machine's clock.

    Codes and keys of tokens and grants are struck out before anything else can see them.
    """

    site: Site
    items: tuple[Object, ...] = ()
    error: HzlinkError | None = None
    at: datetime | None = None
    member_log: str | None = None

    def of(self, kind: str) -> list[Object]:
        """All objects of a kind."""
        return [item for item in self.items if item.get("kind") == kind]

    def get(self, kind: str, name: str) -> Object | None:
        """One object by kind and name, or None."""
        return next((item for item in self.of(kind) if objects.name(item) == name), None)

    @cached_property
    def skupper_site(self) -> Object | None:
        """The namespace's Skupper Site. Of several, Skupper runs the oldest."""
        sites = sorted(self.of("Site"), key=lambda item: (str(objects.created(item)), objects.name(item)))
        return sites[0] if sites else None

    @property
    def refusal(self) -> Refusal | None:
        """Why the site could not be read; None where it could, or where hzlink itself was at fault."""
        return self.error.refusal if isinstance(self.error, KubectlError) else None


Snapshots = Mapping[Site, Snapshot]

# Seconds for one observation of a site, if the command has more time than that.
OBSERVE_DEADLINE = 15.0


async def observe(
    site: Site,
    kinds: Sequence[str] = STATUS_KINDS,
    deadline: float = OBSERVE_DEADLINE,
    *,
    managed: bool = False,
    evidence: bool = False,
) -> Snapshot:
    """One observation of a site, within `deadline` seconds. A site that cannot be read gives a Snapshot with the error.

    `managed` objects come with the record of who has set which of their fields. With `evidence`, pods that do not run
    have what their events and logs say of that, and Links that are not operational what the router's log says. Each
    takes a call more where there are such.

    Raises:
        PrerequisiteError: there is no kubectl; that is no site's fault.
    """
    kubectl = Kubectl(site, deadline)
    try:
        items = await kubectl.objects((objects.versioned(RESOURCES[kind]) for kind in kinds), managed=managed)
        # Every namespace in use has something; only for an empty one the second question is worth a call.
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
    deadline: float = OBSERVE_DEADLINE,
    *,
    with_log: bool = False,
    managed: bool = False,
    evidence: bool = False,
) -> Snapshots:
    """All sites, side by side; with what the cluster site's members wrote last, if `with_log`; see `observe`."""

    def one(site: Site) -> Coroutine[Any, Any, Snapshot]:
        observing = observe(site, kinds, deadline, managed=managed, evidence=evidence)
        return _with_log(site, deadline, observing) if with_log and site.role is Role.CLUSTER else observing

    listed = list(sites)
    return dict(zip(listed, await asyncio.gather(*map(one, listed)), strict=True))


# Of each member: enough for months, and little enough to be there as soon as the rest.
LOG_LINES = 5_000
LOG_BYTES = 1_000_000
# Seconds that the logs may take longer than the look beside them.
LOG_GRACE_SECONDS = 1.0


async def _with_log(site: Site, deadline: float, observing: Coroutine[Any, Any, Snapshot]) -> Snapshot:
    """Reads the logs side by side with the observation, and leaves them out where they would delay it."""
    log_task = asyncio.create_task(_member_log(site, deadline))
    try:
        snapshot = await observing
        if snapshot.error is None:
            await asyncio.wait({log_task}, timeout=LOG_GRACE_SECONDS)
        return replace(snapshot, member_log=log_task.result() if log_task.done() else None)
    finally:
        log_task.cancel()
        await asyncio.gather(log_task, return_exceptions=True)


async def _member_log(site: Site, deadline: float) -> str | None:
    try:
        return await Kubectl(site, deadline).logs(conditions.MEMBER_SELECTOR, tail=LOG_LINES, limit_bytes=LOG_BYTES)
    except HzlinkError:
        return None


def without_secrets(item: Object) -> Object:
    """The object without a grant's or token's code and certificate."""
    if item.get("kind") not in ("AccessGrant", "AccessToken"):
        return item
    cleaned: dict[str, Any] = dict(item)
    for part in ("spec", "status"):
        if isinstance(item.get(part), Mapping):
            cleaned[part] = {key: value for key, value in item[part].items() if key not in ("code", "ca")}
    return cleaned
