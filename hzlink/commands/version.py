"""`hzlink version`: the versions of hzlink and of the programs that it runs. Needs no configuration and no cluster."""

from __future__ import annotations

import asyncio
import json
import platform

from hzlink import __version__
from hzlink.model.errors import HzlinkError
from hzlink.programs import process, skupper
from hzlink.render.result import Result

# Seconds for each program.
DEADLINE = 5.0
NOT_INSTALLED = "not installed"
UNKNOWN = "unknown"


async def version() -> Result:
    """The versions, by program; None for one that is not installed, `unknown` for one that does not tell its own."""
    kubectl, cli = await asyncio.gather(_kubectl(), _skupper())
    versions = {"hzlink": __version__, "kubectl": kubectl, "skupper": cli, "python": platform.python_version()}
    text = "\n".join(f"{name:<8} {found or NOT_INSTALLED}" for name, found in versions.items())
    return Result("version", text=text, versions=versions)


async def _kubectl() -> str | None:
    path = process.find_program("kubectl")
    if path is None:
        return None
    try:
        done = await process.run([path, "version", "--client", "--output=json"], deadline=DEADLINE)
        found = json.loads(done.stdout)["clientVersion"]["gitVersion"]
    except (process.DeadlineExceeded, HzlinkError, ValueError, LookupError, TypeError):
        return UNKNOWN
    return _short(found)


async def _skupper() -> str | None:
    try:
        done = await skupper.version(DEADLINE)
    except (process.DeadlineExceeded, HzlinkError):
        return UNKNOWN
    return None if done is None else _short(done.stdout if done.code == 0 else "")


def _short(text: object) -> str:
    """One line of what a program printed, short enough for a table."""
    return " ".join(str(text).split())[:80] or UNKNOWN
