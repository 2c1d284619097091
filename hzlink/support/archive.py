"""Writes a tar archive of texts: readable only by its owner, complete or not at all, and never over another file."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from hzlink.model.errors import HzlinkError, UsageError

SUFFIX = ".tar.gz"


def target(file: str | None, stem: str) -> Path:
    """The archive's path: `file`, or `stem` in the folder `file`, or `stem` in the current folder.

    Raises:
        UsageError: the path already exists, or its folder does not.
    """
    path = Path(file) if file else Path(stem + SUFFIX)
    if path.is_dir():
        path = path / (stem + SUFFIX)
    if os.path.lexists(path):
        raise _already_exists(path)
    if not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent}", next_step="give a file in an existing folder")
    return path


def write(path: Path, files: Sequence[tuple[str, str]], when: datetime) -> int:
    """Writes the files (name and text) in their order, in a folder named like the archive. Returns the size in bytes.

    Raises:
        UsageError: the path already exists.
        HzlinkError: the file cannot be written.
    """
    folder = path.name.removesuffix(SUFFIX)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{folder}-", suffix=".part", dir=path.parent)
        part = Path(name)
        try:
            with open(handle, "wb") as stream:
                stream.write(_packed(folder, files, when))
                stream.flush()
                os.fsync(stream.fileno())
            size = part.stat().st_size
            _put(part, path)
        finally:
            part.unlink(missing_ok=True)
    except FileExistsError:
        raise _already_exists(path) from None
    except OSError as error:
        raise HzlinkError(
            f"{path} cannot be written", said=error.strerror or str(error), next_step="give another file"
        ) from None
    return size


def _packed(folder: str, files: Sequence[tuple[str, str]], when: datetime) -> bytes:
    seconds = int(when.timestamp())
    packed = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=seconds) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for name, text in files:
            data = text.encode(errors="replace")
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size, info.mtime, info.mode = len(data), seconds, 0o600
            tar.addfile(info, io.BytesIO(data))
    return packed.getvalue()


def _put(part: Path, path: Path) -> None:
    """Gives the file its final name, unless the name exists."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links: create the name first, then replace it in one step.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            part.replace(path)
        except OSError:
            with suppress(OSError):
                path.unlink()
            raise


def _already_exists(path: Path) -> UsageError:
    return UsageError(f"{path} already exists and is not overwritten", next_step="give another file")
