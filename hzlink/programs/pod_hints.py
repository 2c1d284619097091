"""The command that shows why pods do not run, chosen by the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hzlink.model import conditions
from hzlink.model.objects import Object
from hzlink.model.topology import Site
from hzlink.programs import admission, hints

# A container's reasons for an image that cannot be pulled, and how registries answer without valid credentials
# (containerd, Docker Hub, ECR, Artifact Registry, Quay). Docker Hub answers the same for an image that does not exist.
_PULL = re.compile("ImagePullBackOff|ErrImagePull")
_DENIED = re.compile(
    "unauthorized|authorization failed|authentication required|access denied|no basic auth credentials|"
    "insufficient_scope|403 Forbidden",
    re.IGNORECASE,
)


def next_step(site: Site, found: Iterable[Object], selector: str, workload: str, said: str) -> str:
    """A command that shows the admission rule, the log of a crashed container, or the description of the pods.

    If a registry wants credentials, the command is followed by the option that gives them.

    Args:
        site: the pods' site.
        found: the pods.
        selector: their label selector.
        workload: the object that creates them, as kubectl takes it.
        said: the reason why they do not run, as the cluster says.
    """
    listed = list(found)
    reasons = (said, *(trouble.text for trouble in conditions.pod_troubles(listed)))
    command = admission.hint(site, said) or hints.pods(site, listed, selector, workload)
    return with_pull_secret(command, reasons)


def with_pull_secret(command: str, reasons: Iterable[str]) -> str:
    """The command, and the option that gives credentials if one of the reasons is that a registry wants them."""
    if any(is_denied(reason) for reason in reasons):
        return f"{command}   (for a private registry: {hints.hzlink('up --pull-secret NAME')})"
    return command


def is_denied(said: str) -> bool:
    """Whether an image cannot be pulled because the registry refuses access."""
    return bool(_PULL.search(said) and _DENIED.search(said))
