"""What a check is, what was found, and the facts that checks judge. Pure records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hzlink.checks.needed_rights import Right
from hzlink.model import objects
from hzlink.model.choices import Role
from hzlink.model.errors import PrerequisiteError
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import Snapshot


class Severity(StrEnum):
    """What it means when a check fails: `up` would fail, or it may do worse than it could."""

    FATAL = "fatal"
    WARNING = "warning"


class Outcome(StrEnum):
    """How a check ended. UNKNOWN: what it judges could not be read; it counts as a warning, never as a failure."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One check: its id, what it verifies, how to fix a failure, its severity, and seconds that it may take.

    `awaited`: `up` itself waits for it and reports what comes, so that not knowing it beforehand is no warning.
    """

    id: str
    title: str
    hint: str
    severity: Severity = Severity.FATAL
    deadline: float = 10.0
    awaited: bool = False

    def passed(self, site: Site | None, text: str = "") -> Finding:
        """All is well; `text` says what was seen."""
        return Finding(self, Outcome.PASSED, site, text)

    def failed(
        self, site: Site | None, text: str, *, subject: str | None = None, said: str | None = None, then: str = ""
    ) -> Finding:
        """It is not so. `then` is the command to type, where there is a better one than the hint."""
        return Finding(self, Outcome.FAILED, site, text, subject, said, then or self.hint)

    def unknown(self, site: Site | None, text: str, said: str | None = None, then: str = "") -> Finding:
        """It could not be found out."""
        return Finding(self, Outcome.UNKNOWN, site, text, None, said, then or self.hint)


@dataclass(frozen=True)
class Finding:
    """What one check found at a site, or across the sites where `site` is None."""

    check: Check
    outcome: Outcome
    site: Site | None
    text: str
    subject: str | None = None
    said: str | None = None
    next_step: str | None = None

    @property
    def is_fatal(self) -> bool:
        """Whether `up` would fail for it."""
        return self.outcome is Outcome.FAILED and self.check.severity is Severity.FATAL

    @property
    def is_warning(self) -> bool:
        """Whether it is worth telling, and nothing that stops `up`."""
        return self.outcome is not Outcome.PASSED and not self.is_fatal

    @property
    def error(self) -> PrerequisiteError:
        """The finding as an error, for a command that it stops."""
        site = self.site.name if self.site else None
        return PrerequisiteError(
            self.text, site=site, subject=self.subject, said=self.said, next_step=self.next_step or self.check.hint
        )

    @property
    def word(self) -> str:
        """What it comes to, in one word: passed, failed, warning or unknown."""
        return str(Severity.WARNING) if self.is_warning and self.outcome is Outcome.FAILED else str(self.outcome)

    def to_dict(self) -> dict[str, object]:
        """The finding as plain data, for `-o json`; absent facts are left out. `site` is absent across the sites."""
        facts = {
            "id": self.check.id,
            "site": self.site.name if self.site else None,
            "title": self.check.title,
            "severity": str(self.check.severity),
            "result": self.word,
            "message": self.text or None,
            "subject": self.subject,
            "said": self.said,
            "next": self.next_step,
            "deadlineSeconds": self.check.deadline,
        }
        return {key: value for key, value in facts.items() if value is not None}


@dataclass(frozen=True)
class Unknown:
    """A fact that could not be read, and why: in the words of kubectl, or that it took too long."""

    said: str


@dataclass(frozen=True)
class Versions:
    """The versions of kubectl and of the API server, such as `v1.37.2`; empty where unknown."""

    kubectl: str
    server: str


@dataclass(frozen=True)
class Answers:
    """What a site answered besides its objects. None: asked for, and it does not exist.

    `review` is the status of a SelfSubjectRulesReview; `controller` and `grant_server` are the Deployment and the
    Service in the namespace where Skupper installs itself for a whole cluster; `routes` whether there are OpenShift
    routes.
    """

    versions: Versions | Unknown
    review: Object | Unknown
    namespace: Object | Unknown | None
    controller: Object | Unknown | None
    grant_server: Object | Unknown | None
    routes: bool | Unknown
    kube_system: Object | Unknown | None = None

    @property
    def cluster(self) -> str:
        """The UID of namespace kube-system, which tells clusters apart; empty where it could not be read."""
        return objects.uid(self.kube_system) if isinstance(self.kube_system, dict) else ""


@dataclass(frozen=True)
class Facts:
    """All that is judged. `skupper_cli` is the CLI's version, None where it is not installed.

    `needed` are the rights of each role, `missing` the sites whose namespace `up` is to create.
    """

    topology: Topology
    snapshots: Mapping[Site, Snapshot]
    answers: Mapping[Site, Answers]
    skupper_cli: str | Unknown | None = None
    needed: Mapping[Role, tuple[Right, ...]] = field(default_factory=dict)
    missing: frozenset[Site] = field(default_factory=frozenset)


# Where Skupper's install file puts what serves the whole cluster (Skupper 2.2).
SKUPPER_NAMESPACE = "skupper"
CONTROLLER = "skupper-controller"
GRANT_SERVER = "skupper-grant-server"
