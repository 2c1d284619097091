"""Which images a simulated node refuses."""

from __future__ import annotations

import pytest

from sandbox.pods.images import is_python, refusal


@pytest.mark.parametrize("image", ["hazelcast/hazelcast:5.5.0", "python:3.13-slim", "mirror:5000/python:3.11.4", "x"])
def test_images_that_can_be_pulled(image: str) -> None:
    assert refusal(image) == ""


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("images.invalid/python:3.13", "lookup images.invalid: no such host"),
        ("images.invalid:5000/hazelcast:1", "no such host"),
        ("python:3.15-thin", "python:3.15-thin: not found"),
        ("python", "not found"),
    ],
)
def test_images_that_cannot_be_pulled(image: str, why: str) -> None:
    assert why in refusal(image)


def test_an_image_without_python() -> None:
    assert not is_python("busybox:1")
