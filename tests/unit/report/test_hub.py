"""What the report says of a topology with a hub."""

from __future__ import annotations

import pytest

from hzlink.model.choices import Role
from hzlink.model.errors import HzlinkError
from hzlink.report import document
from hzlink.report.report import Report
from hzlink.report.site_status import MANCENTER_PORT, site_of
from tests.unit.builders import CORE, EDGE, World, link, report_of
from tests.unit.networks import network
from tests.unit.plan.test_hub import HUB, with_hub


def linked(*holders: str, broken: str = "") -> World:
    """The sites with these names have a Link to the hub; one of them does not work."""
    world = with_hub()
    places = {"core": CORE, "edge": EDGE}
    site = {name: world.find(place, "Site") for name, place in {**places, "hub": HUB}.items()}
    listed = network(
        *((site[name], [("hazelcast-hub", site["hub"], name != broken)] if name in holders else []) for name in site)
    )
    for one in site.values():
        one["status"]["network"] = listed
    for name in holders:
        word = ("Pending", "Not Operational") if name == broken else ("Ready", "")
        world.put(places[name], link("hazelcast-hub", *word, to=site["hub"]))
    return world


def test_the_way_over_the_hub_is_healthy() -> None:
    report = report_of(linked("core", "edge"))
    assert report.healthy
    assert report.size == "3 sites, 2 links, 3 members"
    [path] = report.paths
    assert path.picture == (
        "Management Center > Listener > router > Link > router hub > Link > router > Connector > members"
    )
    # The hub's own report, not only its entry in the network of others.
    [router] = [hop for hop in path.hops if hop.site == HUB]
    assert router.subject == "Site hub"
    shown = document.to_dict(report)["sites"][2]
    assert shown["role"] == "hub"
    assert not {"listener", "connector", "names", "managementCenter"} & shown.keys()


@pytest.mark.parametrize("name", ["core", "edge"])
def test_the_link_that_is_down_is_blamed_on_the_site_that_has_it(name: str) -> None:
    report = report_of(linked("core", "edge", broken=name))
    assert report.blame is not None
    assert (report.blame.stage, report.blame.site.name) == ("Link", name)
    # hzlink made it, and repairs it.
    assert report.blame.next_step == "hzlink link"


@pytest.mark.parametrize(
    ("holders", "text"),
    [
        (("core",), "edge not linked to hub"),
        (("edge",), "core not linked to hub"),
        ((), "edge and core not linked to hub"),
    ],
)
def test_the_sites_without_a_link_to_the_hub_are_named(holders: tuple[str, ...], text: str) -> None:
    report = report_of(linked(*holders))
    assert report.blame is not None
    assert report.blame.condition.text == text


def test_a_hub_that_cannot_be_read_is_the_first_broken_hop() -> None:
    report = report_of(linked("core", "edge"), {HUB: HzlinkError("no answer", site="hub")})
    assert not report.healthy
    assert report.blame is not None
    assert report.blame.site == HUB
    assert [site.site for site in report.unreadable] == [HUB]


def test_a_hub_without_a_site_is_the_first_broken_hop() -> None:
    world = linked("core", "edge")
    world.drop(HUB, "Site")
    report: Report = report_of(world)
    assert report.blame is not None
    assert (report.blame.site, report.blame.condition.text) == (HUB, "the namespace has no Skupper Site")


def test_a_hub_needs_no_listener() -> None:
    world = linked("core", "edge")
    found = site_of(world.topology, HUB, world.snapshots()[HUB], report_of(world).mode, (), MANCENTER_PORT)
    assert found.site.role is Role.HUB
    assert found.matched.ok
