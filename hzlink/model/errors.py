"""The one error tree and the exit codes. Every error knows its exit code, what was seen and what to type next."""

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
    """Something failed in a way that the user can act on.

    Args:
        message: one line: what failed.
        site: name of the site where it failed, if it was at one.
        subject: the object that it is about, as `Kind name`.
        said: what the cluster or the program said, in its own words.
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
    """Something that must be there first is missing: a tool, a definition, a right, a reachable API server."""

    status = ExitStatus.PREREQUISITE


class WaitTimeout(HzlinkError):
    """The cluster did not get there within the time allowed."""

    status = ExitStatus.TIMEOUT


class Locked(HzlinkError):
    """Another run holds the lock of the same topology, or took it."""

    status = ExitStatus.LOCKED


class Interrupted(HzlinkError):
    """The user (or the system) asked hzlink to stop."""

    status = ExitStatus.INTERRUPTED
