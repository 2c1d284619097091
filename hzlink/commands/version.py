"""`hzlink version`: the versions of hzlink and of the programs that it runs. Needs no configuration and no cluster."""

from __future__ import annotations

import asyncio
import platform

from hzlink import __version__
from hzlink.checks import gather
from hzlink.checks.records import Unknown
from hzlink.model.errors import HzlinkError
from hzlink.programs import output, process
from hzlink.render.result import Result

# For each program.
DEADLINE_SECONDS = 5.0
NOT_INSTALLED = "not installed"
UNKNOWN = "unknown"


async def version() -> Result:
    """The versions by program; None for a program that is not installed, `unknown` if it prints no version."""
    kubectl, cli = await asyncio.gather(_kubectl(), _skupper())
    versions = {"hzlink": __version__, "kubectl": kubectl, "skupper": cli, "python": platform.python_version()}
    text = "\n".join(f"{name:<8} {found or NOT_INSTALLED}" for name, found in versions.items())
    return Result("version", text=text, versions=versions)


async def _kubectl() -> str | None:
    path = process.find_program("kubectl")
    if path is None:
        return None
    try:
        done = await process.run([path, "version", "--client", "--output=json"], deadline=DEADLINE_SECONDS)
        found = (output.json_object(done.stdout) or {})["clientVersion"]["gitVersion"]
    except (process.DeadlineExceeded, HzlinkError, LookupError, TypeError):
        return UNKNOWN
    return _short(found)


async def _skupper() -> str | None:
    found = await gather.skupper_cli(DEADLINE_SECONDS)
    return UNKNOWN if isinstance(found, Unknown) else found and _short(found)


def _short(text: object) -> str:
    """A program's output as one line, at most 80 characters."""
    return " ".join(str(text).split())[:80] or UNKNOWN
