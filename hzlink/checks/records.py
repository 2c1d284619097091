"""The records of checks, findings and facts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hzlink.checks.needed_rights import Right
from hzlink.model import objects
from hzlink.model.errors import PrerequisiteError
from hzlink.model.existing_members import NOT_ASKED, Advertised
from hzlink.model.objects import Object
from hzlink.model.topology import Site, Topology
from hzlink.observe.snapshot import Snapshot


class Severity(StrEnum):
    """The consequence of a failed check: `up` would fail (FATAL), or may not work as expected (WARNING)."""

    FATAL = "fatal"
    WARNING = "warning"


class Outcome(StrEnum):
    """The outcome of a check. UNKNOWN: the facts could not be read; that counts as a warning, never as a failure."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """A check: its id, title, remedy (`hint`), severity, and deadline in seconds.

    `awaited`: `up` itself waits for this and reports it, so that an unknown outcome is not a warning. `informs`: users
    want to read what it found also if it passed.
    """

    id: str
    title: str
    hint: str
    severity: Severity = Severity.FATAL
    deadline: float = 10.0
    awaited: bool = False
    informs: bool = False

    def passed(self, site: Site | None, text: str = "") -> Finding:
        """The finding of a passed check; `text` is the evidence."""
        return Finding(self, Outcome.PASSED, site, text)

    def failed(
        self, site: Site | None, text: str, *, subject: str | None = None, said: str | None = None, then: str = ""
    ) -> Finding:
        """The finding of a failed check. `then`: the next command, if it is better than the hint."""
        return Finding(self, Outcome.FAILED, site, text, subject, said, then or self.hint)

    def unknown(self, site: Site | None, text: str, said: str | None = None, then: str = "") -> Finding:
        """The finding of a check whose facts could not be read."""
        return Finding(self, Outcome.UNKNOWN, site, text, None, said, then or self.hint)


@dataclass(frozen=True)
class Finding:
    """The finding of one check at a site; across the sites if `site` is None."""

    check: Check
    outcome: Outcome
    site: Site | None
    text: str
    subject: str | None = None
    said: str | None = None
    next_step: str | None = None

    @property
    def is_fatal(self) -> bool:
        """Whether `up` would fail because of it."""
        return self.outcome is Outcome.FAILED and self.check.severity is Severity.FATAL

    @property
    def is_warning(self) -> bool:
        """Whether it should be reported but does not stop `up`."""
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
        """The result in one word: passed, failed, warning or unknown."""
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
    """A fact that could not be read, with the reason: kubectl's message, or a timeout."""

    said: str


@dataclass(frozen=True)
class Versions:
    """The versions of kubectl and of the API server, such as `v1.37.2`; empty if unknown."""

    kubectl: str
    server: str


@dataclass(frozen=True)
class Answers:
    """The facts of a site in addition to its objects. None: the object does not exist.

    `review`: the status of a SelfSubjectRulesReview. `controller` and `grant_server`: the Deployment and the Service in
    the namespace of a cluster-wide Skupper installation. `routes`: whether the cluster has OpenShift routes.
    `pull_secrets`: the types of the Secrets of --pull-secret, by their names.
    `app_reviews`: like `review`, in each application namespace.
    """

    versions: Versions | Unknown
    review: Object | Unknown
    namespace: Object | Unknown | None
    controller: Object | Unknown | None
    grant_server: Object | Unknown | None
    routes: bool | Unknown
    kube_system: Object | Unknown | None = None
    pull_secrets: Mapping[str, str | Unknown | None] = field(default_factory=dict)
    app_reviews: Mapping[str, Object | Unknown] = field(default_factory=dict)

    @property
    def cluster(self) -> str:
        """The UID of namespace kube-system, which identifies the cluster; empty if it could not be read."""
        return objects.uid(self.kube_system) if isinstance(self.kube_system, dict) else ""


@dataclass(frozen=True)
class Facts:
    """The facts for all checks. `skupper_cli`: the CLI's version, None if it is not installed.

    `needed`: the rights of each role, and in application namespaces. `mancenter_rights`: those that client sites need
    for Management Center, which are also in `needed`. `missing`: the sites whose namespace `up` will create.
    `advertised`: what members that hzlink did not deploy tell clients.
    """

    topology: Topology
    snapshots: Mapping[Site, Snapshot]
    answers: Mapping[Site, Answers]
    skupper_cli: str | Unknown | None = None
    needed: Mapping[str, tuple[Right, ...]] = field(default_factory=dict)
    missing: frozenset[Site] = field(default_factory=frozenset)
    mancenter_rights: frozenset[Right] = field(default_factory=frozenset)
    advertised: Advertised = NOT_ASKED


# The namespace and objects of Skupper's install file, for the whole cluster (Skupper 2.2).
SKUPPER_NAMESPACE = "skupper"
CONTROLLER = "skupper-controller"
GRANT_SERVER = "skupper-grant-server"
