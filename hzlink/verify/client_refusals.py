"""Explains why a member that can be reached does not accept hzlink's client: cluster name, credentials or TLS."""

from __future__ import annotations

import asyncio
from contextlib import suppress

# The client's message for a wrong cluster name and for missing or wrong credentials: the members do not say which.
_AUTHENTICATION = "Authentication failed"
TLS_DEADLINE_SECONDS = 2.0


async def explained(said: str, address: str, cluster_name: str) -> str:
    """What the client said, with its cause if the member refuses clients such as hzlink's.

    `address`: host:port, where the client tried to connect.
    """
    if _AUTHENTICATION in said:
        return (
            f"the members refuse the client: their cluster name is not {cluster_name} (--hazelcast-cluster), or they "
            f"require credentials, which hzlink does not have ({said})"
        )
    if await speaks_tls(address):
        return f"the members require TLS on this port, which hzlink's client does not use ({said or 'no answer'})"
    return said


async def speaks_tls(address: str, deadline: float = TLS_DEADLINE_SECONDS) -> bool:
    """Whether the server at the address answers the first message of a TLS handshake in TLS, if only to refuse it."""
    host, _, port = address.rpartition(":")
    try:
        async with asyncio.timeout(deadline):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(_first_message())
                answer = await reader.readexactly(2)
            finally:
                writer.close()
    except (OSError, EOFError, ValueError):
        # A timeout is an OSError; an answer of less than two bytes is an EOFError.
        return False
    return answer[0] in (_ALERT, _HANDSHAKE) and answer[1] == _MAJOR_VERSION


# The type of a TLS record, and the major version that follows it (RFC 8446, section 5.1).
_ALERT, _HANDSHAKE, _MAJOR_VERSION = 0x15, 0x16, 0x03


def _first_message() -> bytes:
    # Imported here: it takes 10 ms, and most runs do not need it.
    import ssl

    outgoing = ssl.MemoryBIO()
    handshake = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="member")
    with suppress(ssl.SSLWantReadError):
        handshake.do_handshake()
    return outgoing.read()
