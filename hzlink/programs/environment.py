"""The environment of kubectl and skupper: the user's, without variables that change a call or its output.

A user's preferences (a kuberc that makes `delete` ask for confirmation, an output format, colours, another language)
must not change what hzlink's calls do or print. Variables that are needed to reach the clusters stay: KUBECONFIG,
proxies, certificates, the variables of credential plugins, PATH and HOME.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Neutralised:
    """Variables that hzlink sets or removes for the programs that it runs.

    Attributes:
        names: exact names, or prefixes that end with `*`.
        value: their new value; None removes them.
        reason: what they would change.
    """

    names: tuple[str, ...]
    value: str | None
    reason: str


# The first row that matches a name applies.
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
        ("SKUPPER_*",), None, "skupper: SKUPPER_PLATFORM selects podman or docker, which have no --context"
    ),
    Neutralised(("LC_ALL",), "C.UTF-8", "the language of messages that hzlink parses; UTF-8 for the output of plugins"),
    Neutralised(("LANGUAGE",), None, "gettext: with some C libraries it applies in C.UTF-8, too"),
    Neutralised(("NO_COLOR",), "1", "colour codes in output that hzlink parses"),
    Neutralised(("KUBECOLOR_*", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"), None, "the same, from wrappers, too"),
    Neutralised(("GREP_OPTIONS", "GREP_COLORS"), None, "grep in wrappers: colours, line numbers"),
)  # fmt: skip


# Set if the user's kuberc has a policy for credential plugins: then KUBERC is a file with this policy alone, not `off`.
PLUGIN_POLICY: dict[str, str] = {}


def own(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for the programs that hzlink runs, from the user's."""
    kept = {name: value for name, value in environ.items() if not _is_neutralised(name)}
    return (
        kept | {name: row.value for row in NEUTRALISED if row.value is not None for name in row.names} | PLUGIN_POLICY
    )


def use_plugin_policy(kuberc: str) -> None:
    """Makes programs use this kuberc file, which contains only the user's policy for credential plugins."""
    PLUGIN_POLICY.update(KUBERC=kuberc, KUBECTL_KUBERC="true")


@cache
def _is_neutralised(name: str) -> bool:
    known = (known for row in NEUTRALISED for known in row.names)
    return any(name.startswith(one[:-1]) if one.endswith("*") else name == one for one in known)
