"""Versions as programs and servers tell them, and how far two of them are apart. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Version:
    """The three numbers of a version. Whatever follows them (`-rc1`, `+k3s1`, `-gke.100`) does not count."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse(text: str) -> Version | None:
    """`v1.37.2`, `2.2.1-rc1`, `1.32.4-dispatcher` or `1.30`; None for what is no version, such as `latest`."""
    match = re.match(r"v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?![\d.])", text.strip())
    if match is None:
        return None
    major, minor, patch = match.groups(default="0")
    return Version(int(major), int(minor), int(patch))


def minors_apart(one: Version, other: Version) -> int | None:
    """How many minor versions lie between them; None where the major versions differ."""
    return abs(one.minor - other.minor) if one.major == other.major else None


def of_image(image: str) -> str:
    """The tag of an image, empty where it has none: `registry:5000/skupper/controller:2.2.1@sha256:...` is 2.2.1."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
