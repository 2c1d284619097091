"""Whether Management Center can work with the members' version."""

from __future__ import annotations

import pytest
import yaml

from hzlink.checks import hazelcast_versions
from hzlink.model.choices import Mode
from hzlink.model.versions import Version
from hzlink.plan import manifests, upgrade
from tests.unit.builders import EDGE, converged, deployment, topology


@pytest.mark.parametrize(
    ("center", "members", "expected"),
    [
        ((5, 5), (5, 5), True),
        ((5, 6), (5, 5), True),
        ((5, 5), (5, 6), False),
        ((5, 7), (5, 5), False),
        ((6, 0), (5, 9), False),
    ],
)
def test_its_own_minor_version_and_the_one_before(
    center: tuple[int, int], members: tuple[int, int], expected: bool
) -> None:
    assert hazelcast_versions.fits(Version(*center), Version(*members)) is expected


@pytest.mark.parametrize(
    ("image", "center", "expected"),
    [
        (None, "", "passed"),
        ("hazelcast/hazelcast:5.7.0", "", "failed"),
        ("registry:5000/x/hazelcast:5.7.0", "management-center:5.7.1", "passed"),
        ("hazelcast/hazelcast:latest", "", None),
        ("hazelcast/hazelcast@sha256:00", "", None),
    ],
)
def test_before_the_members_are_changed(image: str | None, center: str, expected: str | None) -> None:
    world = converged(topology(image=image))
    if center:
        live = deployment()
        live["spec"]["template"] = {"spec": {"containers": [{"name": "mancenter", "image": center}]}}
        world.put(EDGE, live)
    found = hazelcast_versions.at_site(world.topology, world.snapshots(), EDGE)
    assert [str(one.outcome) for one in found] == ([expected] if expected else [])
    assert not any(one.is_fatal for one in found)


def test_the_chosen_image_counts_more_than_the_deployed_one() -> None:
    world = converged(topology(image="hazelcast/hazelcast:5.7.0", mancenter_image="x/management-center:5.7.0"))
    live = deployment()
    live["spec"]["template"] = {"spec": {"containers": [{"name": "mancenter", "image": "management-center:5.5.2"}]}}
    world.put(EDGE, live)
    [found] = hazelcast_versions.at_site(world.topology, world.snapshots(), EDGE)
    assert str(found.outcome) == "passed"


def test_a_mancenter_that_does_not_fit_is_answered_by_the_option() -> None:
    world = converged(topology(image="hazelcast/hazelcast:5.7.0"))
    [found] = hazelcast_versions.at_site(world.topology, world.snapshots(), EDGE)
    assert "up --mancenter-image IMAGE" in str(found.to_dict()["next"])


def test_not_where_there_is_no_management_center() -> None:
    world = converged(topology(mode=Mode.UNISOCKET, image="hazelcast/hazelcast:5.7.0"))
    for site in world.topology.sites:
        assert hazelcast_versions.at_site(world.topology, world.snapshots(), site) == []


def test_the_images_are_those_of_the_manifests() -> None:
    for side, file, container, image in (
        ("cluster", "statefulset.yaml", "hazelcast", hazelcast_versions.MEMBER_IMAGE),
        ("client", "mancenter-deployment.yaml", "mancenter", hazelcast_versions.MANCENTER_IMAGE),
    ):
        workload = yaml.safe_load((manifests.folder() / side / file).read_text())
        assert upgrade.image_of(workload, container) == image
