"""Checks Skupper: its definitions, its controller, and known bugs of the controller's version. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from hzlink.checks.records import CONTROLLER, SKUPPER_NAMESPACE, Answers, Check, Finding, Severity, Unknown
from hzlink.model import conditions, objects, versions
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.model.versions import Version
from hzlink.observe.snapshot import Snapshot
from hzlink.programs import hints
from hzlink.programs.refusals import INSTALL_SKUPPER, Refusal

INSTALL = f"kubectl apply -f {INSTALL_SKUPPER}"
DEFINITIONS = Check("skupper-definitions", "Skupper's definitions are installed", INSTALL)
CONTROLLER_EXISTS = Check(
    "skupper-controller",
    "a Skupper controller manages the namespace",
    f"{INSTALL}   (if it runs in another namespace: hzlink up --skip-check)",
)
CONTROLLER_READY = Check(
    "skupper-controller-runs",
    "the Skupper controller's pod is ready",
    "check the events and logs of the controller's pod",
    Severity.WARNING,
)
VERSION = Check(
    "skupper-version",
    "the Skupper version has no bug that an upgrade fixes",
    "upgrade Skupper to 2.2.1 or later",
    Severity.WARNING,
)
# The first release with the definitions that hzlink uses, and the last release that hzlink was tested with.
FIRST, TRIED = Version(2, 0), Version(2, 2, 1)


@dataclass(frozen=True)
class Bug:
    """A known bug of Skupper. `fixed`: the first version without it, None if it is open; `answer`: what hzlink does."""

    name: str
    what: str
    fixed: Version | None = None
    answer: str = ""


BUGS = (
    Bug("issue 2058", "Listener and Connector of one routing key in one site do not work", Version(2, 2)),
    Bug("issue 2251", "Services of deleted pods may remain after a rollout"),
    Bug(
        "issue 2428",
        "a Listener may stay Pending while traffic flows",
        answer="hzlink does not wait for that condition alone",
    ),
    Bug("issue 2069", "a Site's list of its network may be stale", answer="hzlink does not rely on it"),
    Bug("sleeping links", "the controller may ignore a new Link for 30 s", answer="hzlink annotates it"),
)


def bugs(found: Version) -> list[Bug]:
    """The known bugs that the version has."""
    return [bug for bug in BUGS if bug.fixed is None or found < bug.fixed]


def version(snapshot: Snapshot, answers: Answers) -> str:
    """The controller's version from the Site's status, or else its image's tag; empty if neither is known."""
    stated = (objects.status(snapshot.skupper_site or {}).get("controller") or {}).get("version")
    deployment = _deployment(snapshot, answers)
    return str(stated) if stated else _image_tag(deployment) if deployment else ""


def at_site(site: Site, snapshot: Snapshot, answers: Answers) -> list[Finding]:
    """The findings on definitions, controller and version."""
    if snapshot.refusal is Refusal.NO_DEFINITIONS:
        text = f"Skupper is not installed in the cluster of context {site.context}"
        said = snapshot.error.said if snapshot.error else None
        then = hints.cluster_wide(site, f"apply -f {INSTALL_SKUPPER}")
        return [DEFINITIONS.failed(site, text, said=said, then=then)]
    known = [] if snapshot.error else [DEFINITIONS.passed(site)]
    return [*known, *_controller(site, snapshot, answers), *_version(site, snapshot, answers)]


def _deployment(snapshot: Snapshot, answers: Answers) -> Object | None:
    """The controller's Deployment: the namespace's own controller takes precedence over the cluster's."""
    own = snapshot.get("Deployment", CONTROLLER)
    return own if own is not None else answers.controller if not isinstance(answers.controller, Unknown) else None


def _image_tag(deployment: Object) -> str:
    pod = (objects.spec(deployment).get("template") or {}).get("spec") or {}
    tags = [versions.of_image(str(container.get("image", ""))) for container in pod.get("containers") or []]
    return next((tag for tag in tags if versions.parse(tag)), "")


def _controller(site: Site, snapshot: Snapshot, answers: Answers) -> list[Finding]:
    deployment = _deployment(snapshot, answers)
    stated = objects.status(snapshot.skupper_site or {}).get("controller") or {}
    if deployment is not None:
        rollout = conditions.rollout(deployment)
        exists = CONTROLLER_EXISTS.passed(site, f"Deployment {CONTROLLER} exists")
        if rollout.ok:
            return [exists, CONTROLLER_READY.passed(site, f"Deployment {CONTROLLER}: {rollout.text}")]
        where = site.namespace if snapshot.get("Deployment", CONTROLLER) else SKUPPER_NAMESPACE
        then = hints.cluster_wide(site, f"-n {where} describe deployment {CONTROLLER}")
        subject = f"Deployment {CONTROLLER}"
        return [
            exists,
            CONTROLLER_READY.failed(
                site, "the Skupper controller is not ready", subject=subject, said=rollout.text, then=then
            ),
        ]
    if stated:
        # The controller has set a status, so it runs; hzlink does not need to know in which namespace.
        return [
            CONTROLLER_EXISTS.passed(site, f"the Site is managed by {stated.get('namespace')}/{stated.get('name')}")
        ]
    if isinstance(answers.controller, Unknown):
        text = f"it is not known whether a Skupper controller runs in namespace {SKUPPER_NAMESPACE}"
        then = hints.cluster_wide(site, f"-n {SKUPPER_NAMESPACE} get deployment {CONTROLLER}")
        return [CONTROLLER_EXISTS.unknown(site, text, answers.controller.said, f"{then}   (ask an administrator)")]
    text = (
        f"there is no Skupper controller: no Deployment {CONTROLLER} in namespace {SKUPPER_NAMESPACE}"
        f" or {site.namespace} of context {site.context}"
    )
    then = hints.cluster_wide(site, f"apply -f {INSTALL_SKUPPER}")
    return [
        CONTROLLER_EXISTS.failed(
            site, text, then=f"{then}   (if it runs in another namespace: {hints.hzlink('up --skip-check')})"
        )
    ]


def _version(site: Site, snapshot: Snapshot, answers: Answers) -> list[Finding]:
    stated = version(snapshot, answers)
    found = versions.parse(stated)
    if found is None:
        # Without any version there is no finding here: another check reports a missing controller.
        return [VERSION.unknown(site, f"Skupper reports version {stated!r}")] if stated else []
    fixed_later = [bug for bug in bugs(found) if bug.fixed is not None]
    if found < FIRST or fixed_later:
        reasons = [f"{bug.name}: {bug.what}" for bug in fixed_later]
        return [VERSION.failed(site, f"Skupper is {found}, which has known bugs", said="; ".join(reasons))]
    tried = "" if found <= TRIED else f", newer than {TRIED}, which hzlink was tested with"
    notes = [f"{bug.name}: {bug.what}" + (f" ({bug.answer})" if bug.answer else "") for bug in bugs(found)]
    return [VERSION.passed(site, f"Skupper {found}{tried}. Known bugs: {'; '.join(notes)}")]
