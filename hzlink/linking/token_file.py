"""The token's file: mode 0600 in a folder of mode 0700, deleted after use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hzlink.config import last_run
from hzlink.model.errors import HzlinkError
from hzlink.programs import process, scratch

# A name that the skupper CLI accepts: ^[A-Za-z0-9./~-]+$
FILE = "token.yaml"


@dataclass(frozen=True)
class Token:
    """A token: its grant, the URL where it is redeemed, the secret code and the CA. Never printed."""

    grant: str
    url: str
    code: str
    ca: str

    def __repr__(self) -> str:
        return f"Token(grant={self.grant!r})"


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder that only this user can read, with an empty token file. It is removed after use in any case.

    If hzlink is killed, the next run removes it (`sweep`).

    Raises:
        HzlinkError: the folder cannot be created.
    """
    with ExitStack() as stack:
        try:
            folder = _enter(stack)
            (folder / FILE).touch(mode=0o600)
        except OSError as error:
            raise HzlinkError(
                "no folder for the token file can be created",
                said=f"{error.filename}: {error.strerror}",
                next_step="free some disk space or set TMPDIR, or use: --via kubectl (needs no file)",
            ) from None
        yield folder


def sweep() -> None:
    """Removes the folders of runs that were killed."""
    for place in _places():
        scratch.sweep(*place)


def _places() -> list[tuple[Path, str]]:
    """The parents of the folder, each with the prefix of its name: the state folder, and that for temporary files."""
    return [(last_run.path().parent, "token-"), (scratch.temporary(), "hzlink-token-")]


def _enter(stack: ExitStack) -> Path:
    first, second = _places()
    try:
        first[0].mkdir(parents=True, exist_ok=True, mode=0o700)
        return stack.enter_context(scratch.folder(*first))
    except OSError:
        return stack.enter_context(scratch.folder(*second))


def read(folder: Path) -> Token:
    """Reads the token that `skupper token issue` wrote.

    Raises:
        HzlinkError: the file contains no token. The error never quotes its content.
    """
    import yaml

    try:
        document = yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))
        spec = document["spec"]
        token = Token(str(document["metadata"]["name"]), str(spec["url"]), str(spec["code"]), str(spec["ca"]))
    # PyYAML's errors about invalid values quote them, so their texts are dropped.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, yaml.YAMLError):
        raise HzlinkError(
            "skupper token issue wrote a file that is not a token", next_step="skupper version   (hzlink supports 2.2)"
        ) from None
    process.conceal(token.code)
    return token


def write(folder: Path, item: Any) -> None:
    """Writes an AccessToken to the file, for `skupper token redeem`."""
    import json

    # JSON is YAML. The file keeps its mode.
    with open(os.path.join(folder, FILE), "w", encoding="utf-8") as file:
        json.dump(item, file)
