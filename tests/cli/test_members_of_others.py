"""`render --members-from`: what `up` would apply for members that are there already."""

from __future__ import annotations

from collections.abc import Callable

import yaml

from tests.cli.assertions import is_clean
from tests.cli.fake_api import FakeApi
from tests.cli.program import User
from tests.unit.observe.test_existing_members import pod, workload

SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")


def test_render_has_a_connector_to_the_members_and_no_members(user: User, serve: Callable[[FakeApi], FakeApi]) -> None:
    core, edge = serve(FakeApi(items=[workload(), pod("prod-0"), pod("prod-1")])), serve(FakeApi(items=[]))
    user.has_contexts(core=core.url, edge=edge.url)
    ended = user.hzlink("render", *SITES, "--members-from", "statefulset/prod", "--mode", "smart")
    is_clean(ended)
    assert ended.code == 0
    made = [item for item in yaml.safe_load_all(ended.out) if item]
    [connector] = [item for item in made if item["kind"] == "Connector"]
    assert (connector["spec"]["selector"], connector["spec"]["port"]) == ("app=prod", 5710)
    assert "StatefulSet" not in {item["kind"] for item in made}

    missing = user.hzlink("render", *SITES, "--members-from", "statefulset/other")
    assert missing.code != 0
    assert "StatefulSet other" in missing.err


def test_a_restart_of_members_of_others_is_refused(user: User) -> None:
    user.has_contexts(core="http://127.0.0.1:1", edge="http://127.0.0.1:2")
    ended = user.hzlink("up", *SITES, "--members-from", "deployment/cache", "--allow-restart")
    is_clean(ended)
    assert ended.code == 2
    assert "--allow-restart is for members that hzlink deploys, but these are Deployment cache" in ended.err
