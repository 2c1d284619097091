"""What a row of the fault table says. The page docs/failures.md is made of the same rows."""

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
    """Where a run gives its answer."""

    ERROR = "errors"
    HOP = "firstBrokenHop"
    WARNING = "warnings"
    TALK = "standard error"


@dataclass(frozen=True)
class Fault:
    """One thing that can be broken, and the answer to it.

    Attributes:
        name: short, for `pytest -k`.
        title: what is broken, in a few words.
        message: what hzlink says, word for word; {namespace}, {client} and {cluster} stand for the run's own.
        means, do: for the page: what it means, and what to do.
        breaks: breaks it; called before the run, and may leave triggers for during it.
        code: the exit code.
        command: hzlink's command and flags.
        where: where the answer is. Of a broken hop, `subject` is its name; for a talk only `message` counts.
        site: the site that is named.
        subject: the object that is named; empty for none.
        said: a pattern of what the cluster or the program said.
        later: message and `said` where the cluster may have gone on by the time that hzlink sees it.
        next: what the next command has in it, with the same words in braces.
        alone: it breaks more than its own namespace.
        heals: whether the row mends it afterwards (`World.mend`); then the same command must go well.
        bystanders: the API servers that others' objects are planted at.
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
        """Whether the time that was given is used up, as nothing tells that it is in vain."""
        return self.code == 4
