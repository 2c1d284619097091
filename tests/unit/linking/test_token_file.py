"""The token's file: private, removed afterwards, never quoted in an error."""

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


def token_folders() -> list[Path]:
    """The token folders that exist."""
    return [path for path in last_run.path().parent.glob("*") if path.name.startswith("token-")]


@pytest.mark.usefixtures("any_umask")
def test_folder_and_file_are_private() -> None:
    with token_file.private_folder() as folder:
        assert mode(folder) == 0o700
        assert mode(folder / token_file.FILE) == 0o600
        token_file.write(folder, {"spec": {"code": SECRET}})
        assert mode(folder / token_file.FILE) == 0o600
        assert json.loads((folder / token_file.FILE).read_text()) == {"spec": {"code": SECRET}}


def test_file_name_is_one_that_skupper_accepts() -> None:
    assert set(token_file.FILE) <= set("abcdefghijklmnopqrstuvwxyz.-")


@pytest.mark.parametrize(
    "raised", [None, HzlinkError("x"), KeyboardInterrupt(), asyncio.CancelledError(), SystemExit(1)]
)
def test_folder_is_removed_after_any_error(raised: BaseException | None) -> None:
    folders = []
    try:
        with token_file.private_folder() as folder:
            folders.append(folder)
            token_file.write(folder, {"spec": {"code": SECRET}})
            (folder / "more").write_text("a file of skupper's")
            if raised is not None:
                raise raised
    except BaseException as error:
        if error is not raised:
            raise
    assert not folders[0].exists()
    assert token_folders() == []


def test_concurrent_runs_have_separate_folders() -> None:
    with token_file.private_folder() as one, token_file.private_folder() as two:
        assert one != two


def test_temporary_folder_is_used_when_the_state_folder_is_unusable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with token_file.private_folder() as folder:
        assert mode(folder) == 0o700
    assert not folder.exists()


def abandoned() -> Path:
    """The folder of a process that was killed while it held a token."""
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
        assert folder.is_dir(), "a running process's folder stays"
    finally:
        running.kill()
        running.wait()
    return folder


def test_folder_of_a_killed_run_is_removed_by_the_next_run() -> None:
    folder = abandoned()
    assert folder.is_dir()
    token_file.sweep()
    assert not folder.exists()


def test_folder_of_a_killed_run_in_the_temporary_folder_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    folder = abandoned()
    assert folder.parent == tmp_path / "tmp"
    token_file.sweep()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_other_files_with_similar_names_are_kept(tmp_path: Path) -> None:
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


def test_old_unfinished_folder_is_removed() -> None:
    folder = last_run.path().parent / ".token-x"
    folder.mkdir(parents=True)
    os.utime(folder, (0, 0))
    token_file.sweep()
    assert not folder.exists()


def test_folder_of_another_user_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = last_run.path().parent / "token-x"
    folder.mkdir(parents=True)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    token_file.sweep()
    assert folder.exists()


def test_full_disk_is_an_error_and_leaves_no_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, mode: int = 0o666, exist_ok: bool = True) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "touch", full)
    with pytest.raises(HzlinkError, match="no folder for the token file") as caught, token_file.private_folder():
        pytest.fail("the folder was created")
    assert "No space left" in (caught.value.said or "")
    assert token_folders() == []


def test_code_of_a_read_token_is_redacted() -> None:
    with token_file.private_folder() as folder:
        (folder / token_file.FILE).write_text(TOKEN)
        token = token_file.read(folder)
    assert (token.grant, token.url) == ("core-1234", "https://203.0.113.7:9090/1234")
    assert token.ca.startswith("-----BEGIN")
    assert process.redact(f"code {SECRET}-code refused") == "code [redacted] refused"


def test_token_has_no_secret_in_its_text() -> None:
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
def test_invalid_token_file_is_not_quoted(content: str | bytes) -> None:
    with token_file.private_folder() as folder:
        (folder / token_file.FILE).write_bytes(content.encode() if isinstance(content, str) else content)
        with pytest.raises(HzlinkError, match="not a token") as caught:
            token_file.read(folder)
    assert SECRET not in repr(caught.value.to_dict())
    assert caught.value.__suppress_context__
