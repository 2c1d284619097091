"""Simulated certificates: text in PEM form that says it is simulated.

Nothing is encrypted or signed: the routers' links and the grant server are simulated inside the controller. The texts
only show which CA issued a certificate.
"""

from __future__ import annotations

import base64
import secrets
import textwrap

from sandbox.api.kinds import Obj

_SIZE = 780  # bytes, so that Secrets and token files are about as long as real ones


def secret_data(subject: str, ca: str = "") -> dict[str, str]:
    """The data of a `kubernetes.io/tls` Secret, for a certificate issued by `ca`, or for a CA itself."""
    certificate = _pem("CERTIFICATE", f"simulated certificate of {subject}")
    key = _pem("PRIVATE KEY", f"simulated key of {subject}")
    values = {"tls.crt": certificate, "tls.key": key, "ca.crt": ca or certificate}
    return {name: base64.b64encode(text.encode()).decode() for name, text in values.items()}


def ca_of(secret: Obj | None) -> str:
    """The CA certificate that a Secret carries; empty when there is none."""
    encoded = ((secret or {}).get("data") or {}).get("ca.crt", "")
    return base64.b64decode(encoded).decode()


def _pem(label: str, text: str) -> str:
    content = f"{text}; {secrets.token_hex(16)}; ".encode()
    encoded = base64.b64encode(content.ljust(_SIZE, b".")).decode()
    lines = "\n".join(textwrap.wrap(encoded, 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"
