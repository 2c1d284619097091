"""Why a member that can be reached does not accept hzlink's client."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hzlink.verify import client_refusals

AUTHENTICATION = "Authentication failed. Check cluster name and credentials."


def tls_context(folder: Path, *, client_certificate: bool = False) -> ssl.SSLContext:
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", "/CN=member"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if client_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


@asynccontextmanager
async def server(context: ssl.SSLContext | None = None, says: bytes = b"") -> AsyncIterator[str]:
    """A server on loopback, which says something and ends the connection; its address."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(says)
        writer.close()

    running = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with running:
        yield f"127.0.0.1:{running.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("client_certificate", [False, True])
def test_tls_is_recognized(tmp_path: Path, client_certificate: bool) -> None:
    async def run() -> str:
        async with server(tls_context(tmp_path, client_certificate=client_certificate)) as address:
            return await client_refusals.explained("no answer within 10 s", address, "prod")

    said = asyncio.run(run())
    assert "require TLS" in said
    assert "no answer within 10 s" in said


@pytest.mark.parametrize("says", [b"", b"HTTP/1.0 400 Bad Request\r\n\r\n", b"\0" * 64])
def test_another_server_does_not_speak_tls(says: bytes) -> None:
    async def run() -> str:
        async with server(says=says) as address:
            return await client_refusals.explained("connection lost", address, "prod")

    assert asyncio.run(run()) == "connection lost"


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no-such-host.invalid:5701", "127.0.0.1:none"])
def test_an_address_without_a_server_changes_nothing(address: str) -> None:
    assert asyncio.run(client_refusals.explained("connection refused", address, "prod")) == "connection refused"


def test_a_server_that_hangs_is_given_up() -> None:
    async def run() -> bool:
        async with await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0) as hanging:
            address = f"127.0.0.1:{hanging.sockets[0].getsockname()[1]}"
            return await client_refusals.speaks_tls(address, 0.2)

    assert asyncio.run(run()) is False


def test_authentication_names_both_causes() -> None:
    said = asyncio.run(client_refusals.explained(AUTHENTICATION, "127.0.0.1:1", "prod"))
    for part in ("not prod", "--hazelcast-cluster", "credentials", AUTHENTICATION):
        assert part in said
