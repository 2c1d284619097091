"""What `down` removes, in which order, and what it keeps."""

from __future__ import annotations

import pytest

from hzlink.model.objects import SKUPPER_LEASE
from hzlink.model.topology import Site, labels
from hzlink.observe.snapshot import Snapshot
from hzlink.plan import teardown
from hzlink.plan.teardown import Teardown
from tests.unit.builders import CORE, EDGE, Obj, converged, item, link, pod, service, skupper_site


def teardown_of(items: list[Obj], site: Site = EDGE) -> Teardown:
    return teardown.make(converged().topology, Snapshot(site, tuple(items)))


def names(found: Teardown) -> list[list[str]]:
    return [sorted(str(ref) for ref in stage) for stage in found.stages]


def test_client_site_is_removed_in_order() -> None:
    items = [
        *converged().live[EDGE],
        item("AccessToken", "hazelcast-core", ours=True),
        item("AccessGrant", "edge-to-core", ours=True),
        item("ConfigMap", "hazelcast-mancenter-config", ours=True),
    ]
    assert names(teardown_of(items)) == [
        ["listeners.skupper.io/hazelcast"],
        ["accesstokens.skupper.io/hazelcast-core"],
        ["links.skupper.io/hazelcast-core", "secrets/hazelcast-core"],
        ["accessgrants.skupper.io/edge-to-core"],
        ["sites.skupper.io/edge"],
        ["leases.coordination.k8s.io/skupper-site-leader"],
        [
            "configmaps/hazelcast-mancenter-config",
            "deployments.apps/hazelcast-mancenter",
            "services/hazelcast-mancenter",
        ],
    ]


def test_cluster_site_is_removed_in_order() -> None:
    found = teardown_of(converged().live[CORE], CORE)
    assert names(found) == [
        ["connectors.skupper.io/hazelcast"],
        ["sites.skupper.io/core"],
        ["leases.coordination.k8s.io/skupper-site-leader"],
        ["services/hazelcast", "statefulsets.apps/hazelcast"],
    ]
    assert [str(ref) for ref in found.pods] == ["pods/hazelcast-0", "pods/hazelcast-1", "pods/hazelcast-2"]


def test_dependents_of_the_site_are_waited_for_and_not_deleted() -> None:
    found = teardown_of(converged().live[EDGE])
    assert {ref.name for ref in found.dependents} - {"hazelcast-core"} == {"hazelcast-0", "hazelcast-1", "hazelcast-2"}
    assert not any(ref.resource == "services" for ref in {*found.dependents} & {*found.refs})


def test_each_object_is_listed_once() -> None:
    refs = teardown_of(converged().live[EDGE]).refs
    assert len(refs) == len(set(refs))


BYSTANDERS = [
    item("ConfigMap", "theirs"),
    item("ConfigMap", "other-topology", labels=labels("other")),
    item("Deployment", "by-helm", labels={**labels("hazelcast"), "app.kubernetes.io/managed-by": "Helm"}),
    item("Secret", "theirs"),
    service("hazelcast"),
    link("by-hand", ours=False),
    skupper_site("theirs", ours=False),
    pod("theirs", "something-else"),
]


@pytest.mark.parametrize("bystander", BYSTANDERS, ids=lambda one: f"{one['kind']} {one['metadata']['name']}")
def test_foreign_object_is_never_removed(bystander: Obj) -> None:
    alone = teardown_of([bystander])
    assert (alone.stages, alone.dependents, alone.pods) == ((), (), ())
    among = teardown_of([*converged().live[EDGE], bystander])
    assert among == teardown_of(converged().live[EDGE])


def test_skupper_lease_is_removed_only_with_hzlinks_site() -> None:
    assert SKUPPER_LEASE in teardown_of([skupper_site("edge")]).refs
    # An interrupted run has removed the Site already.
    assert SKUPPER_LEASE in teardown_of([item("StatefulSet", "hazelcast", ours=True)]).refs
    # It belongs to a foreign Site, or its owner is unknown.
    assert SKUPPER_LEASE not in teardown_of([item("StatefulSet", "hazelcast", ours=True), item("Site", "other")]).refs
    assert SKUPPER_LEASE not in teardown_of([item("StatefulSet", "hazelcast")]).refs
    assert SKUPPER_LEASE not in teardown_of([item("Listener", "hazelcast", ours=True)]).refs


def test_secret_named_by_the_link_is_removed() -> None:
    [stage] = names(teardown_of([link("hazelcast-core", secret="elsewhere")]))
    assert stage == ["links.skupper.io/hazelcast-core", "secrets/elsewhere"]


def test_pods_of_a_removed_workload_are_waited_for() -> None:
    mancenter = [item("Deployment", "hazelcast-mancenter", ours=True), pod("mc-1", "hazelcast-mancenter")]
    assert [ref.name for ref in teardown_of(mancenter).pods] == ["mc-1"]
    assert teardown_of(mancenter[1:]).pods == ()


def test_foreign_pod_with_the_members_label_is_not_waited_for() -> None:
    mine = item("StatefulSet", "hazelcast", ours=True)
    owned, foreign = pod("hazelcast-0", owner=mine), pod("probe")
    assert [ref.name for ref in teardown_of([mine, owned, foreign]).pods] == ["hazelcast-0"]
