"""The token's file: mode 0600 in a folder of mode 0700, gone when it is left."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hzlink import process, state
from hzlink.errors import HzlinkError

# A name that the skupper CLI accepts: ^[A-Za-z0-9./~-]+$
FILE = "token.yaml"


@dataclass(frozen=True)
class Token:
    """What redeems: the grant it came from, where to redeem it, and the secret code. Never printed."""

    grant: str
    url: str
    code: str
    ca: str

    def __repr__(self) -> str:
        return f"Token(grant={self.grant!r})"


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that only this user can look into, with an empty token file in it; removed on every way out.

    Should hzlink be killed, the next run removes it (`sweep`).

    Raises:
        HzlinkError: no folder can be made.
    """
    folder = None
    try:
        folder, held = _make()
        (folder / FILE).touch(mode=0o600)
    except OSError as error:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise HzlinkError(
            "there is nowhere to keep the token for the moment that it is needed",
            said=f"{error.filename}: {error.strerror}",
            next_step="free some disk space or set TMPDIR, or use: --via kubectl (needs no file)",
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def sweep() -> None:
    """Removes the folders of runs that were killed: those that nobody holds a lock on. Other users' are left alone."""
    for base, prefix in _places():
        for folder in (*base.glob(f"{prefix}*"), *base.glob(f".{prefix}*")):
            with suppress(OSError):
                _remove_abandoned(folder)


# Seconds after which a folder that was never locked is nobody's; it is empty.
_HIDDEN_FOR = 60.0


def _remove_abandoned(folder: Path) -> None:
    """Raises OSError where the folder is in use, or another user's."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(handle)
        young = folder.name.startswith(".") and time.time() - found.st_mtime < _HIDDEN_FOR
        if found.st_uid == os.getuid() and not young:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    finally:
        os.close(handle)


def _places() -> list[tuple[Path, str]]:
    """Where the folder is made, and how its name begins: the state folder, else the one for temporary files."""
    return [(state.path().parent, "token-"), (Path(tempfile.gettempdir()), "hzlink-token-")]


def _make() -> tuple[Path, int]:
    """The folder, and the handle that holds its lock until it is closed."""
    (base, prefix), (other, others_prefix) = _places()
    try:
        base.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _make_in(base, prefix)
    except OSError:
        return _make_in(other, others_prefix)


def _make_in(base: Path, prefix: str) -> tuple[Path, int]:
    # It gets its name once it is locked, so that no other run takes it for abandoned.
    new = Path(tempfile.mkdtemp(prefix=f".{prefix}", dir=base))
    handle = os.open(new, os.O_RDONLY | os.O_DIRECTORY)
    # A file system without locks: then it is not swept away, either.
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return new.rename(new.with_name(new.name.removeprefix("."))), handle


def read(folder: Path) -> Token:
    """The token that `skupper token issue` wrote.

    Raises:
        HzlinkError: the file is not a token's. Its content is never quoted.
    """
    import yaml

    try:
        document = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
        spec = document["spec"]
        token = Token(str(document["metadata"]["name"]), str(spec["url"]), str(spec["code"]), str(spec["ca"]))
    # What PyYAML lets out for odd values quotes them, so nothing of it is passed on.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, yaml.YAMLError):
        raise HzlinkError(
            "skupper token issue wrote something that is not a token", next_step="skupper version   (hzlink knows 2.2)"
        ) from None
    process.conceal(token.code)
    return token


def write(folder: Path, item: Any) -> None:
    """Puts an AccessToken into the file, for `skupper token redeem`."""
    import json

    # JSON is YAML. The file keeps its mode.
    with open(os.path.join(folder, FILE), "w", encoding="utf-8") as file:
        json.dump(item, file)
