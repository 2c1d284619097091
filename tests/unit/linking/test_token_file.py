"""The token's file: nobody else's to read, gone afterwards, never quoted."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hzlink.config import last_run
from hzlink.linking import token_file
from hzlink.linking.token_file import Token
from hzlink.model.errors import HzlinkError
from hzlink.programs import process

SECRET = "Sw0rdfish-9"
TOKEN = f"""
apiVersion: skupper.io/v2alpha1
kind: AccessToken
metadata:
  name: core-1234
spec:
  ca: |
    -----BEGIN CERTIFICATE-----
    {SECRET}
  code: {SECRET}-code
  url: https://203.0.113.7:9090/1234
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def any_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def leftovers() -> list[Path]:
    """What lies in the folder where the tokens' folders are made."""
    return [path for path in last_run.path().parent.glob("*") if path.name.startswith("token-")]


@pytest.mark.usefixtures("any_umask")
def test_only_this_user_can_look() -> None:
    with token_file.private_folder() as folder:
        assert mode(folder) == 0o700
        assert mode(folder / token_file.FILE) == 0o600
        token_file.write(folder, {"spec": {"code": SECRET}})
        assert mode(folder / token_file.FILE) == 0o600
        assert json.loads((folder / token_file.FILE).read_text()) == {"spec": {"code": SECRET}}


def test_the_files_name_is_one_that_skupper_takes() -> None:
    assert set(token_file.FILE) <= set("abcdefghijklmnopqrstuvwxyz.-")


@pytest.mark.parametrize(
    "way_out", [None, HzlinkError("x"), KeyboardInterrupt(), asyncio.CancelledError(), SystemExit(1)]
)
def test_it_is_gone_on_every_way_out(way_out: BaseException | None) -> None:
    folders = []
    try:
        with token_file.private_folder() as folder:
            folders.append(folder)
            token_file.write(folder, {"spec": {"code": SECRET}})
            (folder / "more").write_text("what skupper may have left")
            if way_out is not None:
                raise way_out
    except BaseException as error:
        if error is not way_out:
            raise
    assert not folders[0].exists()
    assert leftovers() == []


def test_two_at_once_do_not_share() -> None:
    with token_file.private_folder() as one, token_file.private_folder() as two:
        assert one != two


def test_where_the_state_folder_cannot_be_had_the_temporary_one_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with token_file.private_folder() as folder:
        assert mode(folder) == 0o700
    assert not folder.exists()


def abandoned() -> Path:
    """The folder of another process that was killed with a token in its file."""
    code = (
        "import time; from hzlink.linking import token_file\n"
        "with token_file.private_folder() as folder:\n"
        f"    token_file.write(folder, {{'code': {SECRET!r}}}); print(folder, flush=True); time.sleep(60)"
    )
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    folder = Path(running.stdout.readline().strip())
    try:
        assert SECRET in (folder / token_file.FILE).read_text()
        token_file.sweep()
        assert folder.is_dir(), "one whose run is at work stays"
    finally:
        running.kill()
        running.wait()
    return folder


def test_what_a_killed_run_left_is_removed_by_the_next() -> None:
    folder = abandoned()
    assert folder.is_dir()
    token_file.sweep()
    assert not folder.exists()


def test_so_it_is_where_only_the_temporary_folder_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    folder = abandoned()
    assert folder.parent == tmp_path / "tmp"
    token_file.sweep()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_only_looks_like_one_is_left_alone(tmp_path: Path) -> None:
    base = last_run.path().parent
    base.mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("keep me")
    (base / "token-link").symlink_to(tmp_path / "mine")
    (base / "token-file").write_text("keep me")
    (base / ".token-being-made").mkdir()
    before = sorted(base.iterdir())
    token_file.sweep()
    assert sorted(base.iterdir()) == before
    assert (tmp_path / "mine" / "file").read_text() == "keep me"


def test_one_that_never_got_its_name_is_removed_after_a_while() -> None:
    folder = last_run.path().parent / ".token-x"
    folder.mkdir(parents=True)
    os.utime(folder, (0, 0))
    token_file.sweep()
    assert not folder.exists()


def test_another_users_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = last_run.path().parent / "token-x"
    folder.mkdir(parents=True)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    token_file.sweep()
    assert folder.exists()


def test_a_full_disk_is_said_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, mode: int = 0o666, exist_ok: bool = True) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "touch", full)
    with pytest.raises(HzlinkError, match="no folder for the token file") as caught, token_file.private_folder():
        pytest.fail("there is no folder")
    assert "No space left" in (caught.value.said or "")
    assert leftovers() == []


def test_a_token_is_read_and_its_code_concealed_from_then_on() -> None:
    with token_file.private_folder() as folder:
        (folder / token_file.FILE).write_text(TOKEN)
        token = token_file.read(folder)
    assert (token.grant, token.url) == ("core-1234", "https://203.0.113.7:9090/1234")
    assert token.ca.startswith("-----BEGIN")
    assert process.redact(f"code {SECRET}-code refused") == "code [redacted] refused"


def test_a_token_is_never_printed() -> None:
    token = Token("core-1234", "https://x", SECRET, SECRET)
    assert SECRET not in f"{token} {token!r} {[token]}"


@pytest.mark.parametrize(
    "content",
    [
        "",
        SECRET,
        f"- {SECRET}",
        f"spec: {SECRET}",
        f"spec: {{code: {SECRET}}}",
        f"metadata: null\nspec: {{code: {SECRET}, url: x, ca: y}}",
        f"{SECRET}: [",
        f"code: !!int {SECRET}",
        f"code: !!timestamp {SECRET}",
        f"code: {SECRET}\nexpires: 2026-99-99",
        b"\xff" + SECRET.encode(),
        "a: &a [*a]",
        "[" * 500,
    ],
)
def test_what_is_no_token_is_not_quoted(content: str | bytes) -> None:
    with token_file.private_folder() as folder:
        (folder / token_file.FILE).write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(HzlinkError, match="not a token") as caught:
            token_file.read(folder)
    assert SECRET not in repr(caught.value.to_dict())
    assert caught.value.__suppress_context__
