"""The environment that kubectl and skupper get: the user's, without what changes a call or what it prints.

hzlink's calls are its own. A preference that suits a person at a prompt (a kuberc that makes `delete` ask first, an
output format, colours, another language) must not change what a call does or how its answer reads. What leads to the
clusters stays: KUBECONFIG, proxies, certificates, the variables of credential plugins, PATH and HOME.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Neutralised:
    """Variables that hzlink's programs do not get as the user has them.

    Attributes:
        names: exact names, or, with `*` at the end, all that begin so.
        value: what they are set to; None: they are removed.
        reason: what they would change.
    """

    names: tuple[str, ...]
    value: str | None
    reason: str


# The first row that a name fits holds.
NEUTRALISED = (
    Neutralised(("KUBERC",), "off", "kubectl 1.34 and later: a user's kuberc sets flags (delete --interactive)"),
    Neutralised(("KUBECTL_KUBERC",), "false", "the same in kubectl 1.33, which does not know KUBERC=off"),
    Neutralised(
        ("KUBECTL_*",), None, "kubectl: feature switches, KUBECTL_EXTERNAL_DIFF, and settings of wrappers around it"
    ),
    Neutralised(("KUBE_FEATURE_*",), None, "client-go: feature switches of its lists and watches"),
    Neutralised(("KUBERNETES_MASTER",), None, "client-go: the server of a kubeconfig entry that names none"),
    Neutralised(("KUBE_EDITOR", "KUSTOMIZE_*"), None, "kubectl edit and kustomize plugins, which hzlink does not use"),
    Neutralised(
        ("SKUPPER_*",), None, "skupper: SKUPPER_PLATFORM turns to podman or docker, where there is no --context"
    ),
    Neutralised(("LC_ALL",), "C.UTF-8", "the language of messages that hzlink reads; UTF-8 for what plugins print"),
    Neutralised(("LANGUAGE",), None, "gettext: holds in C.UTF-8, too, with some C libraries"),
    Neutralised(("NO_COLOR",), "1", "colour codes in what hzlink reads"),
    Neutralised(("KUBECOLOR_*", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"), None, "the same, from wrappers, too"),
    Neutralised(("GREP_OPTIONS", "GREP_COLORS"), None, "grep in wrappers: colours, line numbers"),
)  # fmt: skip


# Set for a run whose user has a rule for credential plugins: a kuberc of that rule alone takes the place of `off`.
RULE: dict[str, str] = {}


def own(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for hzlink's programs, from the user's."""
    kept = {name: value for name, value in environ.items() if not any(_fits(name, row) for row in NEUTRALISED)}
    return kept | {name: row.value for row in NEUTRALISED if row.value is not None for name in row.names} | RULE


def keep_rule(kuberc: str) -> None:
    """From now on programs get this kuberc file, which holds the user's rule for credential plugins alone."""
    RULE.update(KUBERC=kuberc, KUBECTL_KUBERC="true")


def _fits(name: str, row: Neutralised) -> bool:
    return any(name.startswith(known[:-1]) if known.endswith("*") else name == known for known in row.names)
