"""The Secrets of --pull-secret, and the rights and versions that are not asked for without Management Center."""

from __future__ import annotations

from typing import Any

import pytest

from hzlink.checks.needed_rights import Right, for_mancenter
from hzlink.checks.records import Facts, Finding, Unknown
from hzlink.model.choices import Mode, Role
from tests.unit.builders import EDGE, topology
from tests.unit.checking import ended, facts, well

JSON, LEGACY = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"


def of(*names: str, core: Any = JSON, **settings: Any) -> Facts:
    """Facts of sites that have these Secrets, except for the first one at core."""
    edge = dict.fromkeys(names, LEGACY)
    found: dict[str, Any] = {}
    if names:
        found = {"core": {"pull_secrets": edge | {names[0]: core}}, "edge": {"pull_secrets": edge}}
    return facts(topology=topology(pull_secrets=names, **settings), **found)


def found_at(checked: Facts, outcome: str) -> dict[str | None, Finding]:
    return {site: one for (site, check), one in ended(checked, outcome).items() if check == "pull-secrets"}


def test_secrets_of_both_types_pass() -> None:
    assert found_at(of("registry"), "passed").keys() == {"core", "edge"}


def test_nothing_is_checked_without_pull_secrets() -> None:
    assert found_at(of(), "passed") == {}


@pytest.mark.parametrize(
    ("kind", "text", "then"),
    [
        (None, "namespace hz has no Secret registry", "create secret docker-registry registry"),
        ("Opaque", "Secret registry has no registry credentials: its type is Opaque", "describe secret registry"),
    ],
)
def test_secret_that_cannot_be_used_is_a_warning(kind: str | None, text: str, then: str) -> None:
    [found] = found_at(of("registry", core=kind), "warning").values()
    assert text in found.text
    assert then in str(found.next_step)
    assert found.site is not None
    assert found.site.name == "core"


def test_secret_that_may_not_be_read_is_unknown_and_no_warning_of_up() -> None:
    [found] = found_at(of("registry", core=Unknown("secrets is forbidden")), "unknown").values()
    assert (found.said, found.check.awaited) == ("secrets is forbidden", True)


def test_client_site_without_pods_needs_no_secret() -> None:
    assert found_at(of("registry", mancenter=False), "passed").keys() == {"core"}


MANCENTER = for_mancenter()
NONE_OF_THEM = {"resourceRules": [{"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}]}


def rights(**settings: Any) -> Facts:
    needed = {Role.CLIENT: (Right("", "pods", "list"), *MANCENTER)}
    world = well(topology(**settings))
    world.drop(EDGE, "Deployment")
    return facts(world, needed=needed, mancenter_rights=frozenset(MANCENTER), edge={"review": NONE_OF_THEM})


def test_rights_for_management_center_are_needed_only_with_it() -> None:
    assert ("edge", "rights") in ended(rights(), "failed")
    assert ("edge", "rights") in ended(rights(mancenter=False), "passed")
    assert ("edge", "rights") in ended(rights(mode=Mode.UNISOCKET), "passed")


def test_rights_for_management_center_are_needed_to_remove_it() -> None:
    world = well(topology(mancenter=False))
    asked = rights(mancenter=False)
    with_it = facts(world, needed=asked.needed, mancenter_rights=asked.mancenter_rights, edge={"review": NONE_OF_THEM})
    assert ("edge", "rights") in ended(with_it, "failed")


def test_version_of_management_center_is_checked_only_with_it() -> None:
    image = "hazelcast/hazelcast:5.7.0"
    assert ("edge", "mancenter-version") in ended(facts(topology=topology(image=image)), "warning")
    without = facts(topology=topology(image=image, mancenter=False))
    assert ("edge", "mancenter-version") not in {*ended(without, "warning"), *ended(without, "passed")}
