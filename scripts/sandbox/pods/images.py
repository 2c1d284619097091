"""Which images a simulated node can have. Pure.

Most are taken for granted. Refused is what nobody could have, and, of images whose program is run for real, a Python
that this is not.
"""

from __future__ import annotations

import re

_PYTHON = re.compile(r"(?:.*/)?python:3\.1[1-4](?:\.\d+)?(?:-slim|-alpine)?")


def is_python(image: str) -> bool:
    """Whether there is a Python in it that the sandbox's own can stand for."""
    return _PYTHON.fullmatch(image) is not None


def refusal(image: str) -> str:
    """What a node says that cannot pull the image; empty where it can."""
    host, _, _ = image.partition("/")
    said = f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
    if "/" in image and host.partition(":")[0].endswith(".invalid"):
        # A name that never resolves (RFC 2606).
        return f"{said}failed to do request: dial tcp: lookup {host}: no such host"
    if re.fullmatch(r"(?:.*/)?python(?::.*)?", image) and not is_python(image):
        return f"{said}{image}: not found"
    return ""
