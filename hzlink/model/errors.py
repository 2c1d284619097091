"""The classes of errors and the exit codes. Each error has its exit code, its evidence and the next command."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit codes of every command, the same for every output format."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PREREQUISITE = 3
    TIMEOUT = 4
    LOCKED = 5
    INTERRUPTED = 130


class HzlinkError(Exception):
    """An error that the user can act on.

    Args:
        message: one line: what failed.
        site: name of the site where it failed; None if it is about no single site.
        subject: the object concerned, as `Kind name`.
        said: the message of the cluster or the program, quoted.
        waited: seconds spent waiting before giving up.
        next_step: the next command to type, or what to change.
    """

    status = ExitStatus.FAILED

    def __init__(
        self,
        message: str,
        *,
        site: str | None = None,
        subject: str | None = None,
        said: str | None = None,
        waited: float | None = None,
        next_step: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.site = site
        self.subject = subject
        self.said = said
        self.waited = waited
        self.next_step = next_step

    def to_dict(self) -> dict[str, object]:
        """The error as plain data, for `-o json`; absent facts are left out."""
        facts = {
            "site": self.site,
            "message": self.message,
            "subject": self.subject,
            "said": self.said,
            "waitedSeconds": None if self.waited is None else round(self.waited, 1),
            "next": self.next_step,
            "exitCode": int(self.status),
        }
        return {key: value for key, value in facts.items() if value is not None}


class UsageError(HzlinkError):
    """Wrong flags, file or configuration; nothing was contacted or written."""

    status = ExitStatus.USAGE


class PrerequisiteError(HzlinkError):
    """A prerequisite is missing: a tool, a definition, a right, a reachable API server."""

    status = ExitStatus.PREREQUISITE


class WaitTimeout(HzlinkError):
    """The cluster did not reach the expected state in time."""

    status = ExitStatus.TIMEOUT


class Locked(HzlinkError):
    """Another run holds the lock of this topology, or took it from this run."""

    status = ExitStatus.LOCKED


class Interrupted(HzlinkError):
    """hzlink received SIGINT or SIGTERM."""

    status = ExitStatus.INTERRUPTED
