"""Names: from kubeconfig contexts (any characters) to names that Kubernetes accepts. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import zip_longest

# A Skupper Site's name becomes part of token, Link and Secret names (63 characters), so it is kept short.
MAX_SITE_NAME = 40

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def is_label(text: str) -> bool:
    """Whether `text` is an RFC 1123 label, which namespaces and topology names must be."""
    return _LABEL.fullmatch(text) is not None


def slug(context: str) -> str:
    """A short readable label for a context: the last part of an ARN or path, in lower case.

    A context without a single usable character gets a name made of its hash.
    """
    tail = re.split(r"[/:]", context.rstrip("/:"))[-1]
    text = re.sub(r"[^a-z0-9]+", "-", tail.lower()).strip("-")[:MAX_SITE_NAME].strip("-")
    return text or f"site-{_digest(context)}"


# Contexts up to this long are shown as they are.
SHORT = 17

# (pattern, its groups by how much each tells): what well-known tools call a context.
_FORMS = (
    (re.compile(r"arn:[^:]*:eks:([^:]+):(\d+):cluster/(.+)"), (3, 1, 2)),
    (re.compile(r"gke_([^_]+)_([^_]+)_(.+)"), (3, 2, 1)),
    (re.compile(r"vcluster_([^_]+)_([^_]+)_(.+)"), (1, 3, 2)),
    # oc login: namespace/server:port/user
    (re.compile(r"([^/]*)/(?:api-)?([^/:]+):(\d+)/([^/]*)"), (2, 4, 1, 3)),
)


def short_contexts(contexts: Sequence[str]) -> list[str]:
    """For each context a short name that no other context of these has, nor is; equal contexts have equal names.

    It is the context itself where that is short, else the part that tells most, such as a cluster's name; with a
    second part, such as the region, where several contexts share the first; and the whole context where neither helps.
    """
    short = {context: _head(context) for context in dict.fromkeys(contexts)}
    for group in _groups(short):
        long = [context for context in group if short[context] != context]
        short |= dict(zip(long, _told_apart(long), strict=True))
    for context, name in short.items():
        if name != context and (_counts(short)[name] > 1 or name in short or len(name) >= len(context)):
            short = {**short, context: context}
    for group in _groups(short):
        short |= {context: context for context in group}
    return [short[context] for context in contexts]


def parts(context: str) -> list[str]:
    """The parts of a context's name, the one that tells most first: EKS ARNs, GKE, OpenShift, eksctl, kubeadm."""
    for form, order in _FORMS:
        if found := form.fullmatch(context):
            return [found[number] for number in order if found[number]]
    split = [part for part in reversed(re.split(r"[/:@]", context)) if part]
    labels = [label for part in split for label in (part.split(".") if _is_domain(part) else [part]) if label]
    # A port or an account says least.
    return sorted(labels, key=lambda label: label.isdecimal())


def _is_domain(part: str) -> bool:
    return "." in part and not re.fullmatch(r"[\d.]+", part)


def _head(context: str) -> str:
    found = parts(context)
    return context if len(context) <= SHORT or not found else found[0]


def _told_apart(contexts: Sequence[str]) -> list[str]:
    """Contexts of one first part, each with the next part that is another in each of them."""
    columns = list(zip_longest(*(parts(context) for context in contexts)))[1:]
    chosen = next((column for column in columns if None not in column and len(set(column)) == len(column)), None)
    if chosen is None:
        return list(contexts)
    return [f"{parts(context)[0]}-{part}" for context, part in zip(contexts, chosen, strict=True)]


def _groups(short: Mapping[str, str]) -> list[list[str]]:
    """The contexts that share a name, together."""
    counts = _counts(short)
    return [[one for one in short if short[one] == name] for name in counts if counts[name] > 1]


def _counts(short: Mapping[str, str]) -> Counter[str]:
    return Counter(short.values())


def site_names(places: Sequence[tuple[str, str, str | None]]) -> list[str]:
    """Distinct site names for (context, namespace, kubeconfig) places, in their order.

    Places whose contexts read alike are told apart by namespace, and by a hash where that is not enough.
    """
    names = [slug(short) for short in short_contexts([context for context, _, _ in places])]
    names = [
        slug(f"{name[: MAX_SITE_NAME // 2]}-{place[1]}") if clash else name
        for name, place, clash in zip(names, places, _clashes(names), strict=True)
    ]
    return [
        f"{name[: MAX_SITE_NAME - 7].rstrip('-')}-{_digest(repr(place))}" if clash else name
        for name, place, clash in zip(names, places, _clashes(names), strict=True)
    ]


def _clashes(names: Sequence[str]) -> list[bool]:
    counts = Counter(names)
    return [counts[name] > 1 for name in names]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
