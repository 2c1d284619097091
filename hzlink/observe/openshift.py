"""Detects whether OpenShift assigns the user IDs of a namespace, so that pods must not set one.

OpenShift writes the range into the namespace's annotation `openshift.io/sa.scc.uid-range` shortly after the namespace
is created, and its SCC `restricted-v2` refuses other IDs.
"""

from __future__ import annotations

import asyncio

from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.observe.snapshot import Snapshot
from hzlink.programs.kubectl import Kubectl
from hzlink.programs.process import DeadlineExceeded
from hzlink.programs.refusals import KubectlError, Refusal

RANGE = "openshift.io/sa.scc.uid-range"
# Every namespace of OpenShift 4 has this object.
_MARKER = ("ConfigMap", "openshift-service-ca.crt")
_GROUP = "/apis/security.openshift.io"
# How long to wait for the range of a new namespace, and the time between two reads.
RANGE_LIMIT_SECONDS = 10.0
POLL_SECONDS = 0.5


async def assigned_users(snapshot: Snapshot) -> str:
    """The range of user IDs of the site's namespace; empty if it has none.

    A namespace of OpenShift that cannot be read is assumed to have one. Without OpenShift, this makes no call.
    """
    if snapshot.get(*_MARKER) is None:
        return ""
    try:
        return _range(await Kubectl(snapshot.site).namespace())
    except KubectlError:
        return "not readable"


async def wait_for_range(kubectl: Kubectl) -> str:
    """Waits for the range of a namespace that was just created; empty without OpenShift, or if none is set in time."""
    if not await _is_openshift(kubectl):
        return ""
    until = asyncio.get_running_loop().time() + RANGE_LIMIT_SECONDS
    while not (found := await _read(kubectl)) and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(POLL_SECONDS)
    return found


async def _is_openshift(kubectl: Kubectl) -> bool:
    try:
        return (await kubectl.run_raw("get", f"--raw={_GROUP}")).code == 0
    except DeadlineExceeded:
        return False


async def _read(kubectl: Kubectl) -> str:
    try:
        return _range(await kubectl.namespace())
    except KubectlError as error:
        return "not readable" if error.refusal is Refusal.FORBIDDEN else ""


def _range(namespace: Object | None) -> str:
    metadata = (namespace or {}).get("metadata") or {}
    return str((metadata.get("annotations") or {}).get(RANGE) or "")


def describe(site: Site, found: str) -> str:
    """The note for the user, with the range that was found."""
    return (
        f"{site.name}: OpenShift assigns the user IDs of namespace {site.namespace} ({RANGE}: {found}), "
        "so the members' pods set no user ID (component openshift)"
    )
