"""When all sites are known to be in one cluster, and which link access that gives."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from hzlink.model.choices import LinkAccess
from hzlink.model.topology import Site
from hzlink.observe import same_cluster
from hzlink.observe.snapshot import Snapshot
from hzlink.programs.refusals import KubectlError, Refusal
from tests.unit.builders import CORE, EDGE, item, skupper_site, topology

SIBLING = replace(EDGE, context=CORE.context, namespace="clients")


def seen(site: Site, certificate: str | None) -> Snapshot:
    """A site with that certificate of its API server; None: with none."""
    data = {} if certificate is None else {"ca.crt": certificate}
    return Snapshot(site, (item("ConfigMap", same_cluster.ROOT_CA, data=data),))


def not_there(site: Site) -> Snapshot:
    return Snapshot(site, error=KubectlError(Refusal.NO_NAMESPACE, "namespace missing"))


@pytest.mark.parametrize(
    ("core", "edge", "expected"),
    [
        ("one", "one", None),
        ("one", "other", False),
        ("one", None, False),
        (None, None, False),
    ],
)
def test_certificates_tell_apart_and_do_not_prove(core: str | None, edge: str | None, expected: bool | None) -> None:
    found = {CORE: seen(CORE, core), EDGE: seen(EDGE, edge)}
    assert same_cluster.by_certificates([CORE, EDGE], found) is expected


def test_one_context_is_one_cluster() -> None:
    found = {CORE: seen(CORE, None), SIBLING: seen(SIBLING, None)}
    assert same_cluster.by_certificates([CORE, SIBLING], found) is True
    # The same name in another file may be anything.
    elsewhere = replace(SIBLING, kubeconfig="/other")
    found = {CORE: seen(CORE, "one"), elsewhere: seen(elsewhere, "one")}
    assert same_cluster.by_certificates([CORE, elsewhere], found) is None


def test_a_namespace_to_come_has_no_certificate_yet() -> None:
    found = {CORE: seen(CORE, "one"), EDGE: not_there(EDGE)}
    assert same_cluster.by_certificates([CORE, EDGE], found) is None
    assert same_cluster.by_certificates([CORE, EDGE], {CORE: Snapshot(CORE), EDGE: Snapshot(EDGE)}) is None


def test_unreachable_site_is_not_asked_for_its_uid() -> None:
    silent = Snapshot(EDGE, error=KubectlError(Refusal.UNREACHABLE, "no answer within 15 s"))
    assert same_cluster.by_certificates([CORE, EDGE], {CORE: seen(CORE, "one"), EDGE: silent}) is False


@pytest.mark.parametrize(
    ("core", "edge", "expected"),
    [("u1", "u1", True), ("u1", "u2", False), ("u1", "", False), ("", "", False)],
)
def test_what_is_not_known_is_not_the_same(core: str, edge: str, expected: bool) -> None:
    assert same_cluster.by_uids({CORE: core, EDGE: edge}) is expected


def settled(*sites: Any) -> LinkAccess:
    """The link access for core and a namespace beside it, with these Skupper Sites at core."""
    topo = topology(SIBLING)
    found = {CORE: Snapshot(CORE, tuple(sites)), SIBLING: Snapshot(SIBLING)}
    return asyncio.run(same_cluster.with_link_access(topo, found)).settings.link_access


def test_inside_one_cluster_the_access_is_local() -> None:
    assert settled() is LinkAccess.LOCAL
    assert settled(skupper_site("core", "Pending", access="default")) is LinkAccess.LOCAL
    assert settled(skupper_site("core", host="skupper-router.hz", access="local")) is LinkAccess.LOCAL
    # Others' Sites are not changed, and tell nothing of what hzlink's own should have.
    assert settled(skupper_site("oslo", host="203.0.113.7", ours=False)) is LinkAccess.LOCAL


def test_a_site_that_is_reached_by_a_load_balancer_keeps_it() -> None:
    assert settled(skupper_site("core", host="203.0.113.7")) is LinkAccess.AUTO
    assert settled(skupper_site("core", host="203.0.113.7", access="nodeport")) is LinkAccess.NODEPORT


def test_given_link_access_is_kept_inside_one_cluster() -> None:
    topo = topology(SIBLING, link_access=LinkAccess.LOADBALANCER)
    found = {CORE: Snapshot(CORE), SIBLING: Snapshot(SIBLING)}
    assert asyncio.run(same_cluster.with_link_access(topo, found)) == topo


def test_a_local_site_stays_local_without_asking() -> None:
    """Also where nobody may read the UID any more: CORE and EDGE are several contexts."""
    local = skupper_site("core", host="skupper-router.hz", access="local")
    found = {CORE: Snapshot(CORE, (local,)), EDGE: Snapshot(EDGE)}
    assert asyncio.run(same_cluster.with_link_access(topology(), found)).settings.link_access is LinkAccess.LOCAL
