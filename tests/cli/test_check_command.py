"""`hzlink check`, and the checks of `up`, with the real console script and kubectl on fake API servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hzlink.model.objects import Object
from tests.cli import fake_api, situations
from tests.cli.assertions import is_clean
from tests.cli.fake_api import FakeApi
from tests.cli.program import EARLY, Ended, User
from tests.cli.situations import CORE, EDGE

Serve = Callable[[FakeApi], FakeApi]
SITES = ("--client-ctx", "edge", "--cluster-ctx", "core")


def _items(role: str) -> tuple[Object, ...]:
    return situations.healthy().snapshots[CORE if role == "core" else EDGE].items


def _found(ended: Ended, result: str) -> set[tuple[str | None, str]]:
    is_clean(ended)
    return {(one.get("site"), one["id"]) for one in ended.document["checks"] if one["result"] == result}


def _check(user: User, core: FakeApi, edge: FakeApi, *args: str, **env: str) -> Ended:
    user.has_contexts(core=core.url, edge=edge.url)
    return user.hzlink("check", *SITES, "-o", "json", *args, **env)


def test_healthy_topology_passes_and_is_only_read(user: User, serve: Serve) -> None:
    core, edge = serve(FakeApi(items=_items("core"))), serve(FakeApi(items=_items("edge")))
    ended = _check(user, core, edge)
    assert (ended.code, ended.err, ended.document["ready"]) == (0, "", True)
    assert _found(ended, "failed") == set()
    assert core.methods | edge.methods == {"GET"}
    posts = [path for method, path in core.requests if method == "POST"]
    assert len(posts) == 1, "one rules review for each site"


TROUBLES: dict[str, tuple[Callable[[], FakeApi], set[tuple[str | None, str]]]] = {
    "no definitions": (lambda: FakeApi(skupper=False), {("edge", "skupper-definitions")}),
    "no controller": (FakeApi, {("edge", "skupper-controller")}),
    "no namespace": (lambda: FakeApi(namespaces=()), {("edge", "namespace"), ("edge", "skupper-controller")}),
    "unauthorized": (lambda: FakeApi(fake_api.unauthorized), {("edge", "api")}),
    "garbage": (lambda: FakeApi(fake_api.garbage), {("edge", "api")}),
    "no rights": (lambda: FakeApi(items=_items("edge"), rules=()), {("edge", "rights")}),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_at_a_site_fails_its_checks(name: str, user: User, serve: Serve) -> None:
    make, expected = TROUBLES[name]
    core, edge = serve(FakeApi(items=_items("core"))), serve(make())
    ended = _check(user, core, edge)
    assert (ended.code, ended.document["exitCode"], ended.document["ready"]) == (3, 3, False)
    assert _found(ended, "failed") == expected
    assert core.methods | edge.methods == {"GET"}


def test_forbidden_objects_are_unknown(user: User, serve: Serve) -> None:
    """The user may read the namespace's objects, but neither the Namespace nor Skupper's controller."""

    def answer(request: fake_api.Request) -> None:
        outside = ("/namespaces/skupper/", "/namespaces/hz?")
        if any(part in request.path for part in outside):
            plural, name = request.path.partition("?")[0].split("/")[-2:]
            group = ".apps" if plural == "deployments" else ""
            message = f'{plural}{group} "{name}" is forbidden: User "ann" cannot get resource "{plural}"'
            request.status(403, "Forbidden", message)
        else:
            request.well()

    core = serve(FakeApi(items=_items("core")))
    edge = serve(FakeApi(answer, items=[item for item in _items("edge") if item["kind"] != "Site"]))
    ended = _check(user, core, edge)
    assert ended.code == 0
    assert {("edge", "skupper-controller"), ("edge", "pod-security")} <= _found(ended, "unknown")
    [one] = [one for one in ended.document["checks"] if (one["id"], one.get("site")) == ("pod-security", "edge")]
    assert 'namespaces "hz" is forbidden' in one["said"]


@pytest.mark.waits
def test_silent_server_is_unreachable(user: User, serve: Serve) -> None:
    core, edge = serve(FakeApi(items=_items("core"))), serve(FakeApi(fake_api.silent))
    ended = _check(user, core, edge, "--timeout", "3")
    assert (ended.code, _found(ended, "failed")) == (3, {("edge", "api")})
    assert ended.seconds < EARLY


@pytest.mark.waits
def test_unanswered_rules_review_is_unknown(user: User, serve: Serve) -> None:
    def answer(request: fake_api.Request) -> None:
        fake_api.silent(request) if request.path.startswith(fake_api.REVIEWS) else request.well()

    core, edge = serve(FakeApi(items=_items("core"))), serve(FakeApi(answer, items=_items("edge")))
    ended = _check(user, core, edge, "--timeout", "5")
    assert (ended.code, _found(ended, "failed")) == (0, set())
    assert ("edge", "rights") in _found(ended, "unknown")
    assert ended.seconds < EARLY


def test_missing_kubectl_is_the_only_finding(user: User, serve: Serve) -> None:
    core, edge = serve(FakeApi()), serve(FakeApi())
    (user.folder / "bin" / "kubectl").unlink()
    beside = user.folder / "python"
    beside.symlink_to("/nowhere")
    user.has_contexts(core=core.url, edge=edge.url)
    code = "import sys; sys.executable = '/nowhere/python'; from hzlink.__main__ import main; main()"
    ended = user.script("check", *SITES, "-o", "json", command=(_python(), "-c", code))
    assert (ended.code, _found(ended, "failed")) == (3, {(None, "kubectl")})
    assert core.requests == []


def _python() -> str:
    import sys

    return sys.executable


# --- up


@pytest.fixture
def empty(user: User, serve: Serve) -> Callable[..., tuple[FakeApi, FakeApi]]:
    """Starts two servers that have only a ready Site each, so that `up` has something to apply."""

    def make(**edge: Any) -> tuple[FakeApi, FakeApi]:
        sites = {role: [item for item in _items(role) if item["kind"] == "Site"] for role in ("core", "edge")}
        served = serve(FakeApi(items=sites["core"])), serve(FakeApi(items=sites["edge"], **edge))
        user.has_contexts(core=served[0].url, edge=served[1].url)
        return served

    return make


def test_fatal_check_stops_up(user: User, empty: Callable[..., tuple[FakeApi, FakeApi]]) -> None:
    core, edge = empty(rules=())
    ended = user.hzlink("up", *SITES)
    is_clean(ended)
    assert (ended.code, ended.out) == (3, "")
    assert "error: edge: you may not, in namespace hz: " in ended.err
    assert "next: kubectl --context edge -n hz auth can-i --list   (an administrator can give" in ended.err
    assert core.methods | edge.methods == {"GET"}


def test_skip_check_skips_the_checks(user: User, empty: Callable[..., tuple[FakeApi, FakeApi]]) -> None:
    core, edge = empty(rules=())
    ended = user.hzlink("up", *SITES, "--skip-check")
    assert ended.code == 1, "the servers refuse writes"
    assert "you may not" not in ended.err
    assert "PATCH" in core.methods | edge.methods, "nothing was applied"
    assert not [path for _, path in edge.requests if path.startswith(fake_api.REVIEWS)]


def test_unknown_check_is_a_warning_of_up(user: User, empty: Callable[..., tuple[FakeApi, FakeApi]]) -> None:
    (user.folder / "bin" / "skupper").write_text("#!/bin/sh\necho nonsense\n")
    (user.folder / "bin" / "skupper").chmod(0o755)
    core, edge = empty()
    ended = user.hzlink("up", *SITES)
    assert ended.code == 1, "the servers refuse writes"
    assert "warn  not known: skupper-cli-skew" in ended.err
    assert "PATCH" in core.methods | edge.methods, "nothing was applied"


def test_dry_run_skips_the_checks(user: User, empty: Callable[..., tuple[FakeApi, FakeApi]]) -> None:
    core, edge = empty(rules=())
    assert user.hzlink("up", *SITES, "--dry-run").code == 0
    assert not [path for api in (core, edge) for _, path in api.requests if path.startswith(fake_api.REVIEWS)]
