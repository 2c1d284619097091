"""A real Hazelcast client with one connection to the member at an address. The only module that imports the client.

The client's calls block, so each runs in a separate thread, with a deadline; an abandoned thread does not delay
hzlink's end. Every client has a single connection (unisocket), so that an answer always comes through the tested name.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hzlink.model.errors import HzlinkError, PrerequisiteError
from hzlink.verify import client_refusals
from hzlink.verify.proof import Answer, Member

if TYPE_CHECKING:
    from hazelcast.client import HazelcastClient

T = TypeVar("T")

CLIENT_NAME = "hzlink-verify"
# The deadlines of the stages: to connect, to read the partition table, for puts and gets (a member that lost another
# one waits 5 s for its backup), to remove the map and close the client.
CONNECT_DEADLINE_SECONDS = 10.0
PARTITIONS_DEADLINE_SECONDS = 5.0
DATA_DEADLINE_SECONDS = 15.0
CLOSE_DEADLINE_SECONDS = 3.0

# The client's log must not reach the terminal. Without a handler, Python would print its warnings.
_LOGGER = logging.getLogger("hazelcast")
_LOGGER.propagate = False
_LOGGER.addHandler(logging.NullHandler())

# The number of keys that are tried to find one that a member owns. There are 271 partitions by default.
_KEYS = 20_000


class NoAnswer(HzlinkError):
    """No member answered at an address, or an operation failed or did not end in time."""


def require() -> None:
    """Checks that the Hazelcast client is installed.

    Raises:
        PrerequisiteError: it is not installed.
    """
    try:
        import hazelcast.client  # noqa: F401 - only checks that it exists
    except ImportError as error:
        raise PrerequisiteError(
            "the Hazelcast client for Python is not installed",
            said=str(error),
            next_step="pip install 'hazelcast-python-client>=5.5,<6'   (or hzlink with it: pip install '.[verify]')",
        ) from None


def folder() -> Path:
    """The folder of the installed client. Call `require` first."""
    import hazelcast

    return Path(hazelcast.__path__[0])


class MemberClient:
    """One connected client."""

    def __init__(self, client: HazelcastClient) -> None:
        self._client = client
        self._stop = threading.Event()

    async def answer(self) -> Answer:
        """The member that answered, and its member list."""
        return await in_thread(self._answer, CONNECT_DEADLINE_SECONDS)

    async def put_first(self, map_name: str) -> None:
        """Sends a first value without waiting for an answer: members assign partitions only after the first value.

        The key may belong to a member that hangs.
        """
        await in_thread(lambda: self._proxy(map_name).set("first", 1), CONNECT_DEADLINE_SECONDS)

    async def own_key(self, prefix: str) -> str:
        """A key that the connected member owns, so that it stores the value; any key if it owns none."""
        return await in_thread(lambda: self._own_key(prefix), PARTITIONS_DEADLINE_SECONDS + 5)

    async def put(self, map_name: str, key: str, value: bytes) -> None:
        """Writes a value to a map."""
        # The client treats bytes as a text, but stores a bytearray unchanged.
        await in_thread(lambda: self._map(map_name).set(key, bytearray(value)), DATA_DEADLINE_SECONDS)

    async def get(self, map_name: str, key: str) -> bytes | None:
        """Reads a value from a map."""
        found = await in_thread(lambda: self._map(map_name).get(key), DATA_DEADLINE_SECONDS)
        return None if found is None else bytes(found)

    async def times(self, map_name: str, key: str, *, rounds: int, seconds: float, value: bytes = b"") -> list[float]:
        """The durations of sequential round trips in seconds: at most `rounds`, started within `seconds`.

        A round trip is a get; with a `value`, puts and gets alternate.
        """

        def measure() -> list[float]:
            blocking, sent = self._map(map_name), bytearray(value)
            calls: list[Callable[[], object]] = [lambda: blocking.get(key)]
            if value:
                calls.insert(0, lambda: blocking.set(key, sent))
            return list(self._timed(calls, rounds, seconds))

        return await in_thread(measure, seconds + DATA_DEADLINE_SECONDS)

    async def destroy(self, map_name: str) -> None:
        """Removes a map from the cluster."""
        await in_thread(lambda: self._map(map_name).destroy(), CLOSE_DEADLINE_SECONDS)

    async def maps(self) -> list[str]:
        """The names of the cluster's distributed objects."""
        found = await in_thread(self._client.get_distributed_objects, DATA_DEADLINE_SECONDS)
        return [str(proxy.name) for proxy in found]

    async def close(self) -> None:
        """Closes the client. If that takes too long, it is abandoned."""
        self._stop.set()
        with suppress(NoAnswer):
            await in_thread(self._client.shutdown, CLOSE_DEADLINE_SECONDS)

    def _timed(self, calls: Sequence[Callable[[], object]], rounds: int, seconds: float) -> Iterator[float]:
        until = time.perf_counter() + seconds
        for number in range(rounds):
            before = time.perf_counter()
            if before >= until or self._stop.is_set():
                return
            calls[number % len(calls)]()
            yield time.perf_counter() - before

    def _answer(self) -> Answer:
        # The client has no public API for its connection.
        connections = list(self._client._connection_manager.active_connections.values())
        if not connections:
            raise NoAnswer("the connection was lost")
        connection = connections[0]
        members = [
            Member(str(member.uuid), f"{member.address.host}:{member.address.port}")
            for member in self._client.cluster_service.get_members()
        ]
        own = connection.remote_address
        return Answer(Member(str(connection.remote_uuid), f"{own.host}:{own.port}"), tuple(members))

    def _own_key(self, prefix: str) -> str:
        partitions = self._client.partition_service
        me = self._answer().member.uuid
        until = time.monotonic() + PARTITIONS_DEADLINE_SECONDS
        # The partition table arrives shortly after the connection, and changes while members join or leave.
        while time.monotonic() < until and not self._stop.is_set():
            for number in range(_KEYS):
                owner = partitions.get_partition_owner(partitions.get_partition_id(f"{prefix}-{number}"))
                if owner is None:
                    break
                if str(owner) == me:
                    return f"{prefix}-{number}"
            time.sleep(0.05)
        return f"{prefix}-0"

    def _proxy(self, name: str) -> Any:
        return self._client.get_map(name)

    def _map(self, name: str) -> Any:
        return self._proxy(name).blocking()


async def connect(address: str, cluster_name: str, gave_up: Callable[[], str] = lambda: "") -> MemberClient:
    """A client that is connected to the member at the address (host:port).

    `gave_up`: returns a more specific reason for a failure, such as the error of a port-forward; empty if none.

    Raises:
        NoAnswer: no member answered in time.
    """
    log = _Log()
    abandoned = threading.Event()

    def work() -> HazelcastClient:
        client = _client(address, cluster_name)
        if abandoned.is_set():
            client.shutdown()
        return client

    try:
        return MemberClient(await in_thread(work, CONNECT_DEADLINE_SECONDS + 2))
    except NoAnswer as error:
        said = gave_up()
        if not said:
            said = await client_refusals.explained(log.reason(address) or error.said or "", address, cluster_name)
        raise NoAnswer("no member answered", said=said, waited=error.waited) from None
    finally:
        abandoned.set()
        log.close()


def _client(address: str, cluster_name: str) -> HazelcastClient:
    from hazelcast.client import HazelcastClient
    from hazelcast.config import ReconnectMode

    return HazelcastClient(
        cluster_name=cluster_name,
        client_name=CLIENT_NAME,
        cluster_members=[address],
        smart_routing=False,
        connection_timeout=CONNECT_DEADLINE_SECONDS / 2,
        cluster_connect_timeout=CONNECT_DEADLINE_SECONDS,
        retry_initial_backoff=0.2,
        retry_max_backoff=1.0,
        reconnect_mode=ReconnectMode.OFF,
        invocation_timeout=DATA_DEADLINE_SECONDS,
        heartbeat_interval=2.0,
        heartbeat_timeout=CONNECT_DEADLINE_SECONDS,
    )


class _Log(logging.Handler):
    """Receives the client's log, and keeps the reasons of failed connections."""

    def __init__(self) -> None:
        super().__init__()
        self._reasons: dict[str, str] = {}
        _LOGGER.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the reason of a failed connection, by its target."""
        if record.exc_info and record.exc_info[1] is not None:
            for target in record.args if isinstance(record.args, tuple) else ():
                if (port := getattr(target, "port", None)) is not None:
                    self._reasons[f"{getattr(target, 'host', '')}:{port}"] = str(record.exc_info[1])

    def reason(self, address: str) -> str:
        """Why the last connection to the address failed; empty if the client did not log a reason."""
        return self._reasons.get(address, "")

    def close(self) -> None:
        """Stops receiving the log."""
        _LOGGER.removeHandler(self)
        super().close()


async def in_thread(work: Callable[[], T], seconds: float) -> T:
    """Runs `work` in a separate thread and returns its result. After `seconds` the thread is abandoned.

    Raises:
        NoAnswer: it took longer than `seconds`, or failed.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    began = time.monotonic()

    def settle(put: Callable[[Any], None], value: object) -> None:
        def unless_given_up() -> None:
            if not future.done():
                put(value)

        with suppress(RuntimeError):  # the event loop is closed: hzlink is exiting
            loop.call_soon_threadsafe(unless_given_up)

    def run() -> None:
        try:
            outcome = work()
        except Exception as error:
            settle(future.set_exception, error)
        else:
            settle(future.set_result, outcome)

    # A daemon thread, because Python waits for other threads when it exits.
    threading.Thread(target=run, name="hazelcast", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await future
    except NoAnswer:
        raise
    except TimeoutError:
        said = f"no answer within {seconds:g} s"
        raise NoAnswer("no answer", said=said, waited=time.monotonic() - began) from None
    except Exception as error:
        said = f"{type(error).__name__}: {error}".rstrip(": ")
        raise NoAnswer("the member refused", said=said, waited=time.monotonic() - began) from error
