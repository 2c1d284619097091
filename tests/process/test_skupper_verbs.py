"""skupper's two verbs, with a skupper that records its calls and prints a given answer."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from hzlink.linking import token_flow
from hzlink.model.choices import Role, Via
from hzlink.model.errors import HzlinkError, PrerequisiteError
from hzlink.model.topology import Site
from hzlink.programs import process
from hzlink.programs.skupper import Skupper
from tests.process.programs import Call, Programs

SITE = Site("core", Role.CLUSTER, "arn:aws:eks:eu:1:cluster/core", "hz")


def issue(site: Site, folder: Path, seconds: float = 60) -> None:
    asyncio.run(Skupper(site).issue(folder, "token.yaml", "1m0.5s", seconds))


def redeem(site: Site, folder: Path, seconds: float = 60) -> None:
    asyncio.run(Skupper(site).redeem(folder, "token.yaml", seconds))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose path the skupper CLI itself would refuse."""
    made = tmp_path / "with_underscore and space"
    made.mkdir()
    return made


def issued(programs: Programs, site: Site, folder: Path) -> Call:
    programs.recorder("skupper")
    issue(site, folder)
    return programs.call("skupper")


def test_arguments_of_issue(programs: Programs, folder: Path) -> None:
    call = issued(programs, SITE, folder)
    assert call.argv[:3] == ["token", "issue", "token.yaml"]
    assert set(call.argv[3:]) == {
        *("--redemptions-allowed=1", "--expiration-window=1m0.5s", "--timeout=60s", "--platform=kubernetes"),
        *(f"--context={SITE.context}", "--namespace=hz"),
    }
    assert call.folder == str(folder)


def test_arguments_of_redeem(programs: Programs, folder: Path) -> None:
    programs.recorder("skupper")
    redeem(SITE, folder)
    call = programs.call("skupper")
    assert call.argv[:3] == ["token", "redeem", "token.yaml"]
    assert set(call.argv[3:]) == {
        *("--timeout=60s", "--platform=kubernetes", f"--context={SITE.context}", "--namespace=hz"),
    }
    assert call.folder == str(folder)


def test_platform_flag_outranks_the_variable(programs: Programs, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKUPPER_PLATFORM", "podman")
    assert "--platform=kubernetes" in issued(programs, SITE, folder).argv


def test_value_that_begins_with_a_dash_is_passed_as_a_value(programs: Programs, folder: Path) -> None:
    argv = issued(programs, Site("core", Role.CLUSTER, "-p", "hz"), folder).argv
    assert "--context=-p" in argv


@pytest.mark.parametrize(("seconds", "flag"), [(1, "10s"), (10, "10s"), (59.9, "59s")])
def test_timeout_is_at_least_ten_seconds(programs: Programs, folder: Path, seconds: float, flag: str) -> None:
    programs.recorder("skupper")
    issue(SITE, folder, seconds)
    assert f"--timeout={flag}" in programs.call("skupper").argv


def test_relative_kubeconfig_path_becomes_absolute(
    programs: Programs, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """skupper runs in the token's folder."""
    monkeypatch.chdir(tmp_path)
    site = Site("core", Role.CLUSTER, "core", "hz", "my/kubeconfig")
    assert f"--kubeconfig={tmp_path}/my/kubeconfig" in issued(programs, site, folder).argv


def test_kubeconfig_variable_is_passed_with_absolute_paths(
    programs: Programs, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join(["one", "", "/absolute/two"]))
    call = issued(programs, SITE, folder)
    assert call.kubeconfig.split(os.pathsep) == [f"{tmp_path}/one", "/absolute/two"]
    assert not any(word.startswith("--kubeconfig") for word in call.argv)


REFUSED = "A site must exist in namespace hz before a token can be created"


@pytest.mark.parametrize(
    ("out", "err"),
    [(REFUSED, ""), ("", REFUSED), (REFUSED, "W0101 10:00:00.0 1 warnings.go:70] v1 Endpoints is deprecated\n")],
    ids=["on standard output", "on standard error", "beside a warning"],
)
@pytest.mark.parametrize("verb", ["issue", "redeem"])
def test_message_is_read_from_either_stream(programs: Programs, folder: Path, out: str, err: str, verb: str) -> None:
    programs.recorder("skupper", out=out, err=err, code=2)
    with pytest.raises(HzlinkError, match=f"skupper token {verb} failed") as caught:
        (issue if verb == "issue" else redeem)(SITE, folder)
    assert REFUSED in (caught.value.said or "")
    assert caught.value.site == "core"
    assert caught.value.waited is not None


def test_code_in_the_output_is_redacted(programs: Programs, folder: Path) -> None:
    process.conceal("Sw0rdfish-cli")
    programs.recorder("skupper", out="code Sw0rdfish-cli refused", code=1)
    with pytest.raises(HzlinkError) as caught:
        redeem(SITE, folder)
    assert caught.value.said == "code [redacted] refused"


def test_skupper_that_does_not_end_is_killed(programs: Programs, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hzlink.programs.skupper.MIN_TIMEOUT_SECONDS", -10)
    programs.script("skupper", "sleep 60")
    with pytest.raises(HzlinkError, match="skupper token issue did not end"):
        issue(SITE, folder, -9.7)


def test_choice_of_skupper_or_kubectl(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs.folder))
    monkeypatch.setattr("sys.executable", str(programs.folder / "python"))
    assert token_flow.choose(Via.AUTO) is Via.KUBECTL
    assert token_flow.choose(Via.SKUPPER) is Via.SKUPPER
    programs.recorder("skupper")
    assert token_flow.choose(Via.AUTO) is Via.SKUPPER
    assert token_flow.choose(Via.KUBECTL) is Via.KUBECTL


def test_missing_skupper_is_a_prerequisite(programs: Programs, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs.folder))
    monkeypatch.setattr("sys.executable", str(programs.folder / "python"))
    with pytest.raises(PrerequisiteError, match="skupper is not installed") as caught:
        issue(SITE, folder)
    assert "--via kubectl" in (caught.value.next_step or "")
