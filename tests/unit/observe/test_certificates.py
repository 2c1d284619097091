"""Links that are down because the routers do not accept each other's certificates."""

from __future__ import annotations

import pytest

from hzlink.observe import certificates
from hzlink.plan import planner
from hzlink.plan.planner import Action
from hzlink.report import report
from tests.unit.builders import CORE, EDGE, World, converged, link

NOT_OPERATIONAL = "Not Operational: the router cannot connect to 203.0.113.7:55671: "
VERIFY_FAILED = "SSL Failure: error:0A000086:SSL routines::certificate verify failed"


def down(said: str) -> World:
    world = converged()
    world.put(EDGE, link("hazelcast-core", "Pending", NOT_OPERATIONAL + said, to=world.find(CORE, "Site")))
    return world


@pytest.mark.parametrize(
    "said",
    [
        VERIFY_FAILED,
        "SSL Failure: error:14094418:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca",
        "SSL Failure: error:0A000415:SSL routines::sslv3 alert certificate expired",
        "SSL Failure: error:0A00045C:SSL routines::tlsv13 alert certificate required",
    ],
)
def test_a_refused_certificate_is_named_with_its_remedy(said: str) -> None:
    world = down(said)
    [found] = certificates.refused(world.topology, world.snapshots())
    assert (found.holder, found.issuer, found.link) == (EDGE, CORE, "hazelcast-core")

    made = report.make(world.topology, world.snapshots())
    assert made.blame is not None
    assert said in made.blame.text
    assert made.blame.next_step == "hzlink link --repair"
    [text] = [one.text for one in made.disagreements if str(one.kind) == "certificate"]
    assert "the routers of edge and core do not accept each other's certificates (Link hazelcast-core)" in text
    assert "interrupts nobody" in text
    assert "restarts the router of core: its connections are interrupted for about 20 to 30 s" in text


@pytest.mark.parametrize("said", ["Connection refused", "Name or service not known", ""])
def test_other_failures_are_not_about_certificates(said: str) -> None:
    world = down(said)
    assert certificates.refused(world.topology, world.snapshots()) == ()
    made = report.make(world.topology, world.snapshots())
    assert made.blame is not None
    assert made.blame.next_step == "hzlink link"


def test_one_link_of_two_that_is_up_is_enough() -> None:
    world = down(VERIFY_FAILED)
    second = link("hazelcast-core-2", to=world.find(CORE, "Site"), secret="hazelcast-core")
    world.put(EDGE, second)
    assert certificates.refused(world.topology, world.snapshots()) == ()


def test_the_plan_says_that_another_certificate_interrupts_nobody() -> None:
    world = down(VERIFY_FAILED)
    [step] = [one for one in planner.make(world.topology, world.wanted, world.snapshots()) if one.action is Action.LINK]
    assert VERIFY_FAILED in step.why
    assert "a certificate is not accepted; another one interrupts nobody" in step.why
