"""Names: from kubeconfig contexts (any characters) to names that Kubernetes accepts. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

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


def site_names(places: Sequence[tuple[str, str, str | None]]) -> list[str]:
    """Distinct site names for (context, namespace, kubeconfig) places, in their order.

    Places whose contexts read alike are told apart by namespace, and by a hash where that is not enough.
    """
    names = [slug(context) for context, _, _ in places]
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
