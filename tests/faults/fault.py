"""A row of the fault table. The page docs/failures.md is generated from the same rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.faults.world import World


class Part(StrEnum):
    """The parts of the table, and of the page."""

    API = "The API servers and your rights"
    NAMESPACE = "The namespace"
    SITES = "Skupper: the Sites"
    TOKENS = "Skupper: the token"
    LINKS = "Skupper: the link and the names"
    PODS = "Pods"
    PROGRAMS = "Programs and files"


class Where(StrEnum):
    """Where a run reports the fault."""

    ERROR = "errors"
    HOP = "firstBrokenHop"
    WARNING = "warnings"
    TALK = "standard error"


@dataclass(frozen=True)
class Fault:
    """A fault, and how hzlink reports it.

    Attributes:
        name: short, for `pytest -k`.
        title: what is broken, in a few words.
        message: hzlink's exact message; {namespace}, {client} and {cluster} are replaced by the run's.
        means, do: for the page: the cause, and the remedy.
        breaks: sets the fault before the run; may add triggers that act during the run.
        code: the exit code.
        command: hzlink's command and flags.
        where: where hzlink reports it. For a broken hop `subject` is its name; for TALK only `message` is compared.
        site: the site that is named.
        subject: the object that is named; empty for none.
        said: a pattern of what the cluster or the program said.
        later: message and `said` if the cluster may change before hzlink reads it.
        next: a part of the next command, with the same placeholders.
        alone: it breaks more than its own namespace.
        heals: whether the row removes the fault (`World.mend`); then the same command must succeed.
        bystanders: the API servers on which foreign objects are created.
    """

    part: Part
    name: str
    title: str
    message: str
    means: str
    do: str
    breaks: Callable[[World], None]
    code: int
    command: tuple[str, ...] = ("up", "--timeout", "120")
    where: Where = Where.ERROR
    site: str = ""
    subject: str = ""
    said: str = ""
    later: tuple[str, str] | None = None
    next: str = ""
    alone: bool = False
    heals: bool = False
    bystanders: tuple[str, ...] = ("client", "cluster")

    @property
    def seconds(self) -> float:
        """The --timeout of the command."""
        return float(self.command[self.command.index("--timeout") + 1])

    @property
    def is_waited_out(self) -> bool:
        """Whether hzlink waits until its timeout, because it cannot detect the failure earlier."""
        return self.code == 4
