"""Checks that the Secrets for pulling images exist, with a type that the kubelet can use. Pure."""

from __future__ import annotations

from hzlink.checks.records import Answers, Check, Finding, Severity, Unknown
from hzlink.model.choices import Role
from hzlink.model.topology import Site, Topology
from hzlink.programs import hints

# A pod starts without them if its image needs no credentials, so this does not stop `up`.
PULL_SECRETS = Check(
    "pull-secrets",
    "the Secrets of --pull-secret exist and have registry credentials",
    "create the Secret (kubectl create secret docker-registry), or give another one: --pull-secret",
    Severity.WARNING,
    # If they may not be read, `up` waits for the pods, whose status shows an image that cannot be pulled.
    awaited=True,
)
TYPES = ("kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg")


def at_site(topology: Topology, site: Site, answers: Answers) -> list[Finding]:
    """A finding for each Secret, at sites where `up` makes pods."""
    if site.role is Role.HUB or (site.role is Role.CLIENT and not topology.has_mancenter):
        return []
    return [_secret(site, name, answers) for name in topology.settings.pull_secrets]


def _secret(site: Site, name: str, answers: Answers) -> Finding:
    kind, subject = answers.pull_secrets.get(name), f"Secret {name}"
    if isinstance(kind, Unknown):
        return PULL_SECRETS.unknown(site, f"it is not known whether {subject} can be used", kind.said)
    if kind is None:
        create = f"create secret docker-registry {name} --from-file=.dockerconfigjson=FILE"
        text = f"namespace {site.namespace} has no {subject}, which --pull-secret names"
        return PULL_SECRETS.failed(site, text, subject=subject, then=hints.kubectl(site, create))
    if kind not in TYPES:
        text = f"{subject} has no registry credentials: its type is {kind}"
        said = f"the kubelet uses Secrets of type {' and '.join(TYPES)}"
        then = hints.kubectl(site, f"describe secret {name}")
        return PULL_SECRETS.failed(site, text, subject=subject, said=said, then=then)
    return PULL_SECRETS.passed(site, f"{subject} is of type {kind}")
