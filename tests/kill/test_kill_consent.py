"""hzlink is killed at the write that enables link access of a Site of others, and at the one that sets it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill import shims
from tests.sandbox.conftest import Hzlink, Ran, tokens_left
from tests.sandbox.networks import Namespace
from tests.sandboxed import Namespaces, Sandbox

PATCH = "patch sites.v2alpha1.skupper.io"
UP = ("up", "--enable-link-access")
DOWN = ("down", "--yes")


@pytest.fixture
def killed(sandbox: Sandbox, namespaces: Namespaces, tmp_path: Path) -> Hzlink:
    """hzlink whose calls go through the shims, in a namespace with a Site of others on each side."""
    hzlink = Hzlink(sandbox, namespaces.make("none"), tmp_path / "state")
    return shims.put_before(hzlink, tmp_path)


def test_link_access_of_others_is_enabled_and_set_back(killed: Hzlink, tmp_path: Path) -> None:
    places = [Namespace(killed.sandbox, context, killed.namespace) for context in ("client", "cluster")]
    for place in places:
        place.site(f"of-{place.context}")
    for place in places:
        place.ready(f"site.skupper.io/of-{place.context}")
    before = [place.seen() for place in places]

    def run(command: tuple[str, ...], when: str, at: int) -> Ran:
        contexts = ("--client-ctx", "client", "--cluster-ctx", "cluster", "-n", killed.namespace)
        return killed(*command, *contexts, env=shims.killed_at(tmp_path, when, at, PATCH))

    for command in (UP, DOWN):
        for when in ("before", "after"):
            assert run(command, when, 1).code == -9, f"not killed {when} the write"
        run(command, "before", 0).ok()
        if command is UP:
            assert _enabled(places[1])
            assert killed("status").code == 0
    assert [place.seen() for place in places] == before
    assert tokens_left(killed) == []


def _enabled(place: Namespace) -> bool:
    return bool(place.objects()["Site/of-cluster"]["spec"].get("linkAccess") == "default")
