"""Parses versions of programs, servers and images, and compares them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Version:
    """The three numbers of a version, without a suffix such as `-rc1`, `+k3s1` or `-gke.100`."""

    major: int
    minor: int
    patch: int = 0

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse(text: str) -> Version | None:
    """Parses `v1.37.2`, `2.2.1-rc1`, `1.32.4-dispatcher` or `1.30`; None for other texts, such as `latest`."""
    match = re.match(r"v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?![\d.])", text.strip())
    if match is None:
        return None
    major, minor, patch = match.groups(default="0")
    return Version(int(major), int(minor), int(patch))


def minors_apart(one: Version, other: Version) -> int | None:
    """The difference of the minor versions; None if the major versions differ."""
    return abs(one.minor - other.minor) if one.major == other.major else None


def of_image(image: str) -> str:
    """The tag of an image, empty if it has none: 2.2.1 for `registry:5000/skupper/controller:2.2.1@sha256:...`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
