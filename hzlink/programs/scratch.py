"""Temporary folders. They are removed after use in any case, and after a SIGKILL by the next run.

A folder is locked while it is in use; the lock ends with its process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Age at which a folder that was never locked counts as abandoned. Such a folder is empty.
ABANDONED_AFTER_SECONDS = 60.0


def temporary() -> Path:
    """The system's folder for temporary files."""
    return Path(tempfile.gettempdir())


@contextmanager
def folder(base: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `base`, of mode 0700.

    Raises:
        OSError: it cannot be created.
    """
    # It gets its final name after it is locked, so that no other run removes it as abandoned.
    new = Path(tempfile.mkdtemp(prefix=f".{prefix}", dir=base))
    handle = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # On a file system without locks, no run removes the folder as abandoned either.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        new = new.rename(new.with_name(new.name.removeprefix(".")))
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)
        os.close(handle)


def sweep(base: Path, prefix: str) -> None:
    """Removes the folders of killed runs: this user's folders that no process has locked."""
    for found in (*base.glob(f"{prefix}*"), *base.glob(f".{prefix}*")):
        with suppress(OSError):
            _remove_abandoned(found)


def _remove_abandoned(found: Path) -> None:
    """Raises OSError if the folder is in use or cannot be opened."""
    handle = os.open(found, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        facts = os.fstat(handle)
        young = found.name.startswith(".") and time.time() - facts.st_mtime < ABANDONED_AFTER_SECONDS
        if facts.st_uid == os.getuid() and not young:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(found)
    finally:
        os.close(handle)
