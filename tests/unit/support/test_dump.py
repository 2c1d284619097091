"""Which logs come first if a namespace has more pods than are read."""

from __future__ import annotations

from hzlink.model import objects
from hzlink.model.existing_members import parse
from hzlink.observe.existing_members import with_found
from hzlink.observe.snapshot import Snapshot
from hzlink.support import dump
from tests.unit.builders import CORE, pod, topology
from tests.unit.observe.test_existing_members import pod as member
from tests.unit.observe.test_existing_members import workload


def test_members_of_others_come_first_as_hzlinks_own_do() -> None:
    pods = [pod("a-shop", "shop"), member("prod-0"), pod("skupper-router-1", "skupper-router"), member("prod-1")]
    seen = Snapshot(CORE, (workload(), *pods))
    found = with_found(topology(members_from=parse("statefulset/prod")), seen)
    names = [objects.name(one) for one in sorted(pods, key=lambda one: dump._importance(found, one))]
    assert names == ["prod-0", "prod-1", "skupper-router-1", "a-shop"]
