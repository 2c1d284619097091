"""The check of --link-host."""

from __future__ import annotations

from hzlink.checks.judge import judge
from hzlink.checks.records import Finding
from hzlink.model.link_host import ACCESS, LinkHost
from tests.unit.builders import CORE, item, topology
from tests.unit.checking import facts, of_nothing, well


def found(*live: dict[str, object]) -> dict[str, Finding]:
    """The findings about the link, before the first `up`."""
    world = well(topology(link_host=LinkHost("front.example", 443)))
    world.live = {site: [*live] if site == CORE else [] for site in world.topology.sites}
    return {one.check.id: one for one in judge(facts(world)) if "link" in one.check.id}


def test_without_a_host_there_is_no_finding() -> None:
    assert "link-host" not in {one.check.id for one in judge(of_nothing())}


def test_what_has_to_be_in_front() -> None:
    findings = found()
    assert findings["link-host"].word == "passed"
    assert "lead to Service hzlink-router, port 55672, in namespace hz of core-ctx" in findings["link-host"].text
    assert findings["link-access"].text == "the link leads to front.example:443, as --link-host says"
    assert "link-access-type" not in findings


def test_what_prevents_it_fails_before_anything_is_written() -> None:
    finding = found(item("RouterAccess", ACCESS))["link-host"]
    assert (finding.site, finding.is_fatal, finding.subject) == (CORE, True, f"routeraccesses.skupper.io/{ACCESS}")
