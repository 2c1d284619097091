"""Classifies errors of kubectl and the API server, and turns them into KubectlErrors. Pure.

Unreachable, unauthorized, forbidden, definitions missing and not found are different errors, because each has a
different remedy. The patterns match messages of kubectl and the API server (1.34 to 1.37).
"""

from __future__ import annotations

import re
from enum import StrEnum

from hzlink.model.errors import ExitStatus, HzlinkError
from hzlink.model.topology import Site
from hzlink.programs import admission, conflicts, hints
from hzlink.programs.admission import Gate
from hzlink.programs.conflicts import Conflict


class Refusal(StrEnum):
    """Why a call failed."""

    UNREACHABLE = "unreachable"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NO_DEFINITIONS = "definitions missing"
    OLD_DEFINITIONS = "definitions of another version"
    NO_NAMESPACE = "namespace missing"
    TERMINATING = "namespace terminating"
    QUOTA = "quota exceeded"
    WEBHOOK = "admission webhook failed"
    POLICY = "refused by a policy"
    NOT_FOUND = "not found"
    EXISTS = "already exists"
    CONFLICT = "conflict"
    CHANGED = "changed meanwhile"
    OTHER = "refused"


# The first match applies, so the more specific patterns come first.
_PHRASES: tuple[tuple[Refusal, str], ...] = (
    (Refusal.NO_NAMESPACE, r'namespaces "[^"]*" not found'),
    (Refusal.NO_DEFINITIONS, r"doesn't have a resource type|no matches for kind|resource mapping not found"),
    (Refusal.OLD_DEFINITIONS, r"skupper\.io/.*field not declared in schema"),
    (Refusal.CONFLICT, r"Apply failed with \d+ conflict"),
    (Refusal.CHANGED, r"\(Conflict\)"),
    (
        Refusal.UNAUTHORIZED,
        r"must be logged in|\(Unauthorized\)|error: Unauthorized|provide credentials|getting credentials",
    ),
    (Refusal.TERMINATING, r"being terminated"),
    (Refusal.FORBIDDEN, r"\(Forbidden\)|is forbidden"),
    (Refusal.EXISTS, r"\(AlreadyExists\)|already exists"),
    (Refusal.NOT_FOUND, r"\(NotFound\)|not found"),
    (
        Refusal.UNREACHABLE,
        r"Unable to connect|connection to the server|was refused|dial tcp|i/o timeout|no such host|TLS handshake"
        r"|x509:|tls:|API group list|context deadline exceeded|connection reset|http2: client connection|EOF$"
        r"|ServiceUnavailable|request canceled|unable to handle the request|unable to return a response|Client.Timeout",
    ),
)

_MISSING = {
    *(Refusal.UNREACHABLE, Refusal.UNAUTHORIZED, Refusal.FORBIDDEN, Refusal.WEBHOOK),
    *(Refusal.NO_DEFINITIONS, Refusal.OLD_DEFINITIONS, Refusal.NO_NAMESPACE),
}

INSTALL_SKUPPER = "https://skupper.io/v2/install.yaml"


class KubectlError(HzlinkError):
    """An error of kubectl or the API server. `refusal`: its class; `conflicts`: the fields of a CONFLICT."""

    def __init__(self, refusal: Refusal, message: str, conflicts: tuple[Conflict, ...] = (), **facts: object) -> None:
        super().__init__(message, **facts)  # type: ignore[arg-type]
        self.refusal = refusal
        self.conflicts = conflicts
        self.status = ExitStatus.PREREQUISITE if refusal in _MISSING else ExitStatus.FAILED


def classify(said: str) -> Refusal:
    """The class of an error message."""
    # First, because these messages also contain other patterns, such as "not found" for the webhook's Service.
    if denial := admission.parse(said):
        return _GATES[denial.gate]
    for refusal, pattern in _PHRASES:
        if re.search(pattern, said, re.MULTILINE):
            return refusal
    return Refusal.OTHER


_GATES = {
    Gate.WEBHOOK: Refusal.WEBHOOK,
    Gate.QUOTA: Refusal.QUOTA,
    Gate.POLICY: Refusal.POLICY,
    Gate.LIMITS: Refusal.POLICY,
}


def explain(site: Site, doing: str, said: str) -> KubectlError:
    """The error for a failed call: the operation, the site, kubectl's message and the next command."""
    refusal = classify(said)
    message, next_step = _answer(refusal, site, doing)
    if refusal is Refusal.UNAUTHORIZED and "getting credentials" in said:
        # kubectl did not contact the API server.
        message = f"the credential plugin of context {site.short_context} gave no credentials"
        next_step = hints.cluster_wide(site, "config view --minify")
    if denial := admission.parse(said):
        message, next_step = denial.message, admission.hint(site, said)
    found = conflicts.parse(said) if refusal is Refusal.CONFLICT else ()
    message = conflicts.describe(found, "") or message
    return KubectlError(refusal, message, found, site=site.name, said=gist(said), next_step=next_step)


def ended(site: Site, doing: str, number: int) -> KubectlError:
    """The error for a kubectl that was killed by a signal."""
    return KubectlError(
        Refusal.OTHER,
        f"kubectl was killed (signal {number}) while it tried to {doing}",
        site=site.name,
        said="the operating system kills programs when memory is short; it is not known what the call has changed",
        next_step="free some memory, then run the same command again: it continues from what exists",
    )


# kubectl's advice about a conflict, which applies to kubectl users, not to hzlink users.
_ADVICE = re.compile(
    r"Please review the fields above.*?(?:See https://kubernetes\.io/docs/reference/using-api/server-side-apply/\S*|\Z)",
    re.DOTALL,
)


def gist(said: str) -> str:
    """The relevant lines of kubectl's output: without repeated lines, client-go's log lines, warnings and advice."""
    lines = [line.strip() for line in _ADVICE.sub("", said).splitlines() if line.strip()]
    informative = [line for line in lines if not re.match(r"[EWI]\d{4} |Warning:", line)] or lines
    return "\n".join(dict.fromkeys(informative))[:1500]


def _answer(refusal: Refusal, site: Site, doing: str) -> tuple[str, str | None]:
    where = f"context {site.short_context}"
    match refusal:
        case Refusal.UNREACHABLE:
            return f"the API server of {where} cannot be reached", hints.cluster_wide(site, "cluster-info")
        case Refusal.UNAUTHORIZED:
            return f"the API server of {where} does not accept your credentials", hints.cluster_wide(
                site, "auth whoami"
            )
        case Refusal.FORBIDDEN:
            message = f"you may not {doing} in namespace {site.namespace} of {where}"
            return message, hints.kubectl(site, "auth can-i --list")
        case Refusal.NO_DEFINITIONS:
            message = f"Skupper is not installed in the cluster of {where}"
            return message, hints.cluster_wide(site, f"apply -f {INSTALL_SKUPPER}")
        case Refusal.NO_NAMESPACE:
            create = hints.cluster_wide(site, f"create namespace {site.namespace}")
            return (
                f"there is no namespace {site.namespace} in {where}",
                f"{create}   (or: {hints.hzlink('up --create-namespace')})",
            )
        case Refusal.OLD_DEFINITIONS:
            message = f"the Skupper definitions in the cluster of {where} are of a release that hzlink does not support"
            return message, hints.cluster_wide(site, f"apply -f {INSTALL_SKUPPER}")
        case Refusal.TERMINATING:
            message = f"namespace {site.namespace} of {where} is being deleted"
            return message, hints.cluster_wide(site, f"wait --for=delete namespace {site.namespace}")
        case Refusal.CONFLICT:
            return "another field manager manages fields that hzlink sets", hints.kubectl(
                site, "get all -o yaml --show-managed-fields"
            )
        case _:
            return f"kubectl could not {doing}", None
