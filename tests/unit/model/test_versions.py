"""Versions: parsing, comparison, minor versions apart, image tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hzlink.model import versions
from hzlink.model.versions import Version

NUMBERS = st.integers(0, 9999)
VERSIONS = st.builds(Version, NUMBERS, NUMBERS, NUMBERS)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v1.37.2", Version(1, 37, 2)),
        ("1.30", Version(1, 30, 0)),
        ("v1.32.4-dispatcher", Version(1, 32, 4)),
        ("v1.29.3+k3s1", Version(1, 29, 3)),
        ("v1.28.7-eks-b9c9ed7", Version(1, 28, 7)),
        (" 2.2.1-rc1\n", Version(2, 2, 1)),
        ("latest", None),
        ("", None),
        ("2", None),
        ("v2", None),
        ("1.2.3.4", None),
        ("main-1.2.3", None),
    ],
)
def test_parse(text: str, version: Version | None) -> None:
    assert versions.parse(text) == version


@given(VERSIONS, st.sampled_from(["", "-rc1", "+k3s1", "-gke.1234", "-alpha.0+build"]), st.sampled_from(["", "v"]))
def test_formatted_version_is_parsed(version: Version, after: str, before: str) -> None:
    assert versions.parse(f"{before}{version}{after}") == version


@given(st.text())
def test_any_text_is_parsed_without_an_error(text: str) -> None:
    found = versions.parse(text)
    assert found is None or text.strip().removeprefix("v").startswith(f"{text.strip().removeprefix('v')[0]}")


@given(VERSIONS, VERSIONS)
def test_minors_apart(one: Version, other: Version) -> None:
    apart = versions.minors_apart(one, other)
    assert apart == versions.minors_apart(other, one)
    assert (apart is None) is (one.major != other.major)
    if apart is not None:
        assert apart == abs(one.minor - other.minor)


@given(VERSIONS, VERSIONS)
def test_versions_are_ordered_by_their_numbers(one: Version, other: Version) -> None:
    assert (one < other) is ((one.major, one.minor, one.patch) < (other.major, other.minor, other.patch))


@pytest.mark.parametrize(
    ("image", "tag"),
    [
        ("quay.io/skupper/controller:2.2.1", "2.2.1"),
        ("registry.example.com:5000/skupper/controller:2.1.0", "2.1.0"),
        ("registry.example.com:5000/skupper/controller", ""),
        ("quay.io/skupper/controller:2.2.1@sha256:abc", "2.2.1"),
        ("quay.io/skupper/controller@sha256:abc", ""),
        ("controller", ""),
        ("", ""),
    ],
)
def test_version_is_read_from_an_image_tag(image: str, tag: str) -> None:
    assert versions.of_image(image) == tag
