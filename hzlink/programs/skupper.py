"""The skupper CLI: its version, and the commands that hzlink runs for one site. It prints errors on standard output.

Every call sets the platform: SKUPPER_PLATFORM could change it to one without --context.
"""

from __future__ import annotations

import os
from pathlib import Path

from hzlink.model.errors import HzlinkError
from hzlink.model.topology import Site
from hzlink.programs import credentials, process, refusals

HINT = "install the skupper CLI (https://skupper.io/start/), or use: --via kubectl"

MIN_TIMEOUT_SECONDS = 10


async def version(deadline: float) -> process.Completed | None:
    """The result of `skupper version`, which prints the CLI's version; None if the CLI is not installed.

    Raises:
        DeadlineExceeded: it did not end within `deadline` seconds.
        PrerequisiteError: it could not be started.
    """
    path = process.find_program("skupper")
    return None if path is None else await process.run([path, "version"], deadline=deadline)


class Skupper:
    """skupper for one site."""

    def __init__(self, site: Site) -> None:
        self.site = site

    async def issue(self, folder: Path, file: str, window: str, seconds: float) -> None:
        """Runs `skupper token issue`: for one redemption, within `window`. The file must exist with mode 0600.

        The CLI accepts no window below a minute. `seconds` is the CLI's timeout.

        Raises:
            HzlinkError: the CLI failed, or the grant did not become ready in time; contains the CLI's message.
        """
        args = ["token", "issue", file, "--redemptions-allowed=1", f"--expiration-window={window}"]
        await self._call("skupper token issue", args, folder, seconds)

    async def redeem(self, folder: Path, file: str, seconds: float) -> None:
        """Runs `skupper token redeem`. If it fails, the reason is in the AccessToken's status, not in its output.

        Raises:
            HzlinkError: the CLI failed, or the token was not redeemed in time.
        """
        await self._call("skupper token redeem", ["token", "redeem", file], folder, seconds)

    async def _call(self, doing: str, args: list[str], folder: Path, seconds: float) -> None:
        limit = max(MIN_TIMEOUT_SECONDS, int(seconds))
        argv = [
            process.require_program("skupper", HINT),
            *args,
            f"--timeout={limit}s",
            "--platform=kubernetes",
            f"--context={self.site.context}",
            f"--namespace={self.site.namespace}",
        ]
        await credentials.refresh(self.site)
        if kubeconfig := credentials.kubeconfig(self.site):
            argv.append(f"--kubeconfig={os.path.abspath(kubeconfig)}")
        try:
            # Run in the file's folder: the CLI refuses a path with an underscore or a space.
            done = await process.run(argv, deadline=limit + 10, env=_absolute_kubeconfig(), cwd=str(folder))
        except process.DeadlineExceeded as error:
            raise HzlinkError(
                f"{doing} did not end", site=self.site.name, said=str(error), waited=error.seconds
            ) from None
        if done.code != 0:
            # The CLI's errors are on standard output; client-go's warnings are on standard error.
            said = refusals.gist(process.redact(f"{done.stdout}\n{done.stderr}"))
            raise HzlinkError(f"{doing} failed", site=self.site.name, said=said, waited=done.seconds)


def _absolute_kubeconfig() -> dict[str, str]:
    """KUBECONFIG with absolute paths, for a program that runs in another folder."""
    listed = os.environ.get("KUBECONFIG", "")
    if not listed:
        return {}
    return {"KUBECONFIG": os.pathsep.join(os.path.abspath(file) for file in listed.split(os.pathsep) if file)}
