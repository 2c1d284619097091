"""Which images a simulated node can pull. Pure.

Every image can be pulled, except from a host that never resolves and except Python versions that the sandbox cannot
run.
"""

from __future__ import annotations

import re

_PYTHON = re.compile(r"(?:.*/)?python:3\.1[1-4](?:\.\d+)?(?:-slim|-alpine)?")


def is_python(image: str) -> bool:
    """Whether the image has a Python version that the sandbox's own Python can replace."""
    return _PYTHON.fullmatch(image) is not None


def refusal(image: str) -> str:
    """A node's message when it cannot pull the image; empty when it can."""
    host, _, _ = image.partition("/")
    said = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
    if "/" in image and host.partition(":")[0].endswith(".invalid"):
        # A name that never resolves (RFC 2606).
        return f"{said}failed to do request: dial tcp: lookup {host}: no such host"
    if re.fullmatch(r"(?:.*/)?python(?::.*)?", image) and not is_python(image):
        return f"{said}{image}: not found"
    return ""
