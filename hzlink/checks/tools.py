"""Checks the programs that hzlink runs: installed, recent enough, and of a supported version skew. Pure."""

from __future__ import annotations

from hzlink.checks import controller
from hzlink.checks.records import Answers, Check, Facts, Finding, Severity, Unknown, Versions
from hzlink.model import versions
from hzlink.model.choices import Via
from hzlink.model.topology import Site
from hzlink.model.versions import Version
from hzlink.observe.snapshot import Snapshot
from hzlink.programs import kubectl

# The minimum that hzlink needs (README), and the minimum for Skupper 2.
MIN_KUBECTL = Version(1, 30)
MIN_SERVER = Version(1, 25)

KUBECTL = Check("kubectl", "kubectl is installed", kubectl.HINT)
KUBECTL_AGE = Check(
    "kubectl-version", "kubectl is recent enough", f"install kubectl {MIN_KUBECTL} or later", Severity.WARNING
)
KUBECTL_SKEW = Check(
    "kubectl-skew",
    "kubectl is within one minor version of the API server",
    "install a kubectl of the API server's version (https://kubernetes.io/releases/version-skew-policy/)",
    Severity.WARNING,
)
SERVER = Check("server-version", "Kubernetes is recent enough for Skupper", "upgrade the cluster", Severity.WARNING)
CLI = Check(
    "skupper-cli",
    "the skupper CLI is installed, if --via skupper needs it",
    "install it (https://skupper.io/start/), or use: --via kubectl",
    deadline=5.0,
)
CLI_SKEW = Check(
    "skupper-cli-skew",
    "the skupper CLI is of the controller's minor version",
    "install the CLI of the controller's version (https://skupper.io/start/), or use: --via kubectl",
    Severity.WARNING,
    5.0,
)


def at_site(site: Site, snapshot: Snapshot, answers: Answers, cli: str | Unknown | None) -> list[Finding]:
    """The findings on the versions of the site's API server, kubectl, the Skupper controller and the skupper CLI."""
    return [*_kubectl_and_server(site, answers), *_cli_skew(site, snapshot, answers, cli)]


def _kubectl_and_server(site: Site, answers: Answers) -> list[Finding]:
    found = answers.versions
    if isinstance(found, Unknown):
        return [KUBECTL_SKEW.unknown(site, "the versions of kubectl and API server are not known", found.said)]
    mine, server = versions.parse(found.kubectl), versions.parse(found.server)
    return [_skew(site, mine, server), *_server(site, server)]


def _skew(site: Site, mine: Version | None, server: Version | None) -> Finding:
    if mine is None or server is None:
        return KUBECTL_SKEW.unknown(site, "the versions of kubectl and API server are not both known")
    apart = versions.minors_apart(mine, server)
    if apart is None or apart > 1:
        text = f"kubectl is {mine}, the API server {server}: a skew of only one minor version is supported"
        return KUBECTL_SKEW.failed(site, text)
    return KUBECTL_SKEW.passed(site, f"kubectl {mine}, API server {server}")


def _server(site: Site, server: Version | None) -> list[Finding]:
    if server is None:
        return []
    if server < MIN_SERVER:
        return [SERVER.failed(site, f"the API server is {server}; Skupper 2 needs {MIN_SERVER} or later")]
    return [SERVER.passed(site, f"API server {server}")]


def across(facts: Facts) -> list[Finding]:
    """The findings that are the same for every site: kubectl, and the skupper CLI."""
    return [*_kubectl(facts), *_cli(facts)]


def _kubectl(facts: Facts) -> list[Finding]:
    stated = [found.kubectl for one in facts.answers.values() if isinstance(found := one.versions, Versions)]
    if not stated:
        return []
    mine = versions.parse(stated[0])
    if mine is None:
        return [KUBECTL_AGE.unknown(None, f"kubectl reports version {stated[0]!r}")]
    if mine < MIN_KUBECTL:
        return [KUBECTL_AGE.failed(None, f"kubectl is {mine}; hzlink needs {MIN_KUBECTL} or later")]
    return [KUBECTL_AGE.passed(None, f"kubectl {mine}")]


def _cli(facts: Facts) -> list[Finding]:
    """The CLI must be installed with --via skupper; otherwise it is optional."""
    via, found = facts.topology.settings.via, facts.skupper_cli
    if via in (Via.KUBECTL, Via.LINK):
        return [CLI.passed(None, f"not used: --via {via}")]
    if found is None:
        if via is Via.SKUPPER:
            return [CLI.failed(None, "skupper is not installed, or not on the PATH, and --via skupper needs it")]
        return [CLI.passed(None, "not installed: hzlink uses kubectl instead")]
    if isinstance(found, Unknown):
        return [CLI_SKEW.unknown(None, "the version of the skupper CLI is not known", found.said)]
    mine = versions.parse(found)
    if mine is None:
        return [CLI_SKEW.unknown(None, f"the skupper CLI reports version {found!r}")]
    return [CLI.passed(None, f"skupper {mine}")]


def _cli_skew(site: Site, snapshot: Snapshot, answers: Answers, cli: str | Unknown | None) -> list[Finding]:
    mine = versions.parse(cli) if isinstance(cli, str) else None
    theirs = versions.parse(controller.version(snapshot, answers))
    if mine is None or theirs is None:
        return []
    if versions.minors_apart(mine, theirs) != 0:
        return [CLI_SKEW.failed(site, f"the skupper CLI is {mine}, the controller {theirs}")]
    return [CLI_SKEW.passed(site, f"CLI {mine}, controller {theirs}")]
