"""Makes names that Kubernetes accepts from kubeconfig contexts, which may contain any character. Pure."""

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


# A StatefulSet's pods have a label with its name and a hash of 10 characters, of at most 63 in all.
MAX_SERVICE = 52


def is_service(text: str) -> bool:
    """Whether `text` can name the Service and the objects that are named after it: an RFC 1035 label."""
    return is_label(text) and text[0].isalpha() and len(text) <= MAX_SERVICE


def slug(context: str) -> str:
    """A short readable label for a context: the last part of an ARN or path, in lower case.

    A context without any usable character gets a name made from its hash.
    """
    tail = re.split(r"[/:]", context.rstrip("/:"))[-1]
    text = re.sub(r"[^a-z0-9]+", "-", tail.lower()).strip("-")[:MAX_SITE_NAME].strip("-")
    return text or f"site-{_digest(context)}"


# Contexts up to this length are not shortened.
MAX_UNSHORTENED = 17

# (pattern, its groups, the most specific first): the contexts of well-known tools.
_FORMS = (
    (re.compile(r"arn:[^:]*:eks:([^:]+):(\d+):cluster/(.+)"), (3, 1, 2)),
    (re.compile(r"gke_([^_]+)_([^_]+)_(.+)"), (3, 2, 1)),
    (re.compile(r"vcluster_([^_]+)_([^_]+)_(.+)"), (1, 3, 2)),
    # oc login: namespace/server:port/user
    (re.compile(r"([^/]*)/(?:api-)?([^/:]+):(\d+)/([^/]*)"), (2, 4, 1, 3)),
)


def short_contexts(contexts: Sequence[str]) -> list[str]:
    """A short name for each context, different from the other contexts and their short names.

    It is the context itself if that is short; otherwise its most specific part, such as a cluster's name, followed by a
    second part, such as the region, if several contexts share the first; or the whole context if no part is unique.
    Equal contexts have equal names.
    """
    short = {context: _head(context) for context in dict.fromkeys(contexts)}
    for group in _groups(short):
        long = [context for context in group if short[context] != context]
        short |= dict(zip(long, _distinguished(long), strict=True))
    for context, name in short.items():
        if name != context and (_counts(short)[name] > 1 or name in short or len(name) >= len(context)):
            short = {**short, context: context}
    for group in _groups(short):
        short |= {context: context for context in group}
    return [short[context] for context in contexts]


def parts(context: str) -> list[str]:
    """The parts of a context's name, the most specific first: EKS ARNs, GKE, OpenShift, eksctl, kubeadm."""
    for form, order in _FORMS:
        if found := form.fullmatch(context):
            return [found[number] for number in order if found[number]]
    split = [part for part in reversed(re.split(r"[/:@]", context)) if part]
    labels = [label for part in split for label in (part.split(".") if _is_domain(part) else [part]) if label]
    # A port or an account is the least specific.
    return sorted(labels, key=lambda label: label.isdecimal())


def _is_domain(part: str) -> bool:
    return "." in part and not re.fullmatch(r"[\d.]+", part)


def _head(context: str) -> str:
    found = parts(context)
    return context if len(context) <= MAX_UNSHORTENED or not found else found[0]


def _distinguished(contexts: Sequence[str]) -> list[str]:
    """Names for contexts with the same first part: the first part and the next part that differs in all of them."""
    columns = list(zip_longest(*(parts(context) for context in contexts)))[1:]
    chosen = next((column for column in columns if None not in column and len(set(column)) == len(column)), None)
    if chosen is None:
        return list(contexts)
    return [f"{parts(context)[0]}-{part}" for context, part in zip(contexts, chosen, strict=True)]


def _groups(short: Mapping[str, str]) -> list[list[str]]:
    """The contexts that share a short name, grouped."""
    counts = _counts(short)
    return [[one for one in short if short[one] == name] for name in counts if counts[name] > 1]


def _counts(short: Mapping[str, str]) -> Counter[str]:
    return Counter(short.values())


def site_names(places: Sequence[tuple[str, str, str | None]]) -> list[str]:
    """Distinct site names for (context, namespace, kubeconfig) places, in their order.

    Names that would be equal get the namespace appended, and a hash if they are still equal.
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
