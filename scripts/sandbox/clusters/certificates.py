"""The certificates of a control plane, made before kwokctl, which keeps those that it finds.

kwokctl makes RSA keys. Every call of kubectl is a new connection, and with an RSA key the API server uses a sixth of
its CPU time to sign the handshakes.
"""

from __future__ import annotations

from pathlib import Path

# The names and the identity that kwokctl gives.
_NAMES = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "localhost",
    "127.0.0.1",
    "::1",
)
_USER, _GROUP = "kwok-admin", "system:masters"


def write(folder: Path) -> None:
    """Writes ca.crt, ca.key, admin.crt and admin.key: a CA, and one certificate for the server and its components."""
    import trustme  # takes a while to import: only `up` needs it

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ca = trustme.CA(organization_name="kwok-ca")
    admin = ca.issue_cert(*_NAMES, common_name=_USER, organization_name=_GROUP)
    ca.cert_pem.write_to_path(folder / "ca.crt")
    admin.cert_chain_pems[0].write_to_path(folder / "admin.crt")
    for name, key in (("ca.key", ca.private_key_pem), ("admin.key", admin.private_key_pem)):
        (folder / name).touch(mode=0o600)
        key.write_to_path(folder / name)
