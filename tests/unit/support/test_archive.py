"""The archive's file: written completely or not at all, private, never over an existing file."""

from __future__ import annotations

import errno
import gzip
import os
import stat
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hzlink.model.errors import HzlinkError, UsageError
from hzlink.support import archive

WHEN = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
FILES = [("summary.txt", "all is well\n"), ("core/x.yaml", "a: ü\n")]


def test_files_are_written_in_order(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    size = archive.write(path, FILES, WHEN)
    assert size == path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as tar:
        assert tar.getnames() == ["x/summary.txt", "x/core/x.yaml"]
        assert {(member.mode, member.mtime) for member in tar.getmembers()} == {(0o600, WHEN.timestamp())}
    assert "a: ü".encode() in gzip.decompress(path.read_bytes())
    assert os.listdir(tmp_path) == ["x.tar.gz"]


def test_existing_file_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    path.write_text("mine")
    with pytest.raises(UsageError, match="already exists"):
        archive.target(str(path), "stem")
    # Also if it was created after the check.
    with pytest.raises(UsageError, match="already exists"):
        archive.write(path, FILES, WHEN)
    assert (path.read_text(), os.listdir(tmp_path)) == ("mine", ["x.tar.gz"])


def test_dangling_symlink_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError):
        archive.target(str(tmp_path / "x"), "stem")
    with pytest.raises(UsageError):
        archive.write(tmp_path / "x", FILES, WHEN)
    assert os.listdir(tmp_path) == ["x"]


@pytest.fixture
def without_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.usefixtures("without_hard_links")
def test_archive_is_written_without_hard_links(tmp_path: Path) -> None:
    path = tmp_path / "x.tar.gz"
    assert archive.write(path, FILES, WHEN) == path.stat().st_size
    assert os.listdir(tmp_path) == ["x.tar.gz"]
    with pytest.raises(UsageError):
        archive.write(path, FILES, WHEN)


@pytest.mark.usefixtures("without_hard_links")
def test_failed_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    for owner, name in ((os, "fsync"), (Path, "replace")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, full)
            with pytest.raises(HzlinkError, match="cannot be written") as caught:
                archive.write(tmp_path / "x.tar.gz", FILES, WHEN)
            assert caught.value.said == "No space left on device"
        assert os.listdir(tmp_path) == []


def test_target_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert archive.target(None, "stem") == Path("stem.tar.gz")
    assert archive.target(str(tmp_path), "stem") == tmp_path / "stem.tar.gz"
    with pytest.raises(UsageError, match="no folder nowhere"):
        archive.target("nowhere/x", "stem")
