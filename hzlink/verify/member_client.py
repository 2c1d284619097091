"""A real Hazelcast client with one connection to the member at an address. The only module that loads the client.

The client blocks, so it runs in threads of its own, each call with a deadline; a thread that was given up holds nobody
back. Every client keeps a single connection (unisocket): what answers through one name is never mixed up with what
answers through another.
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
from hzlink.verify.proof import Answer, Member

if TYPE_CHECKING:
    from hazelcast.client import HazelcastClient

T = TypeVar("T")

CLIENT_NAME = "hzlink-verify"
# Seconds for each stage: to connect, to learn who owns which key, for puts and gets (a member that lost another waits
# 5 s for its backup), to remove what was put and let go.
CONNECT_DEADLINE = 10.0
PARTITIONS_DEADLINE = 5.0
DATA_DEADLINE = 15.0
CLOSE_DEADLINE = 3.0

# What the client logs must not reach the terminal. Without any handler Python would print its warnings.
_LOGGER = logging.getLogger("hazelcast")
_LOGGER.propagate = False
_LOGGER.addHandler(logging.NullHandler())

# Keys that are tried to find one that a given member owns; there are 271 partitions by default.
_KEYS = 20_000


class NoAnswer(HzlinkError):
    """No member answered at an address, or it did not do what it was asked in time."""


def require() -> None:
    """Looks whether the client is installed.

    Raises:
        PrerequisiteError: it is not.
    """
    try:
        import hazelcast.client  # noqa: F401 - looked for, not used
    except ImportError as error:
        raise PrerequisiteError(
            "the Hazelcast client for Python is not installed",
            said=str(error),
            next_step="pip install 'hazelcast-python-client>=5.5,<6'   (or hzlink with it: pip install '.[verify]')",
        ) from None


def folder() -> Path:
    """Where the client is installed. Call `require` first."""
    import hazelcast

    return Path(hazelcast.__path__[0])


class MemberClient:
    """One connected client."""

    def __init__(self, client: HazelcastClient) -> None:
        self._client = client
        self._stop = threading.Event()

    async def answer(self) -> Answer:
        """Who answered, and who the members are in its eyes."""
        return await in_thread(self._answer, CONNECT_DEADLINE)

    async def wake(self, map_name: str) -> None:
        """Sends a first value, and waits for no answer: members share out who owns which key only when there is one.

        The key may be that of a member that hangs.
        """
        await in_thread(lambda: self._proxy(map_name).set("first", 1), CONNECT_DEADLINE)

    async def own_key(self, prefix: str) -> str:
        """A key that the member that answered owns, so that its value goes nowhere else; any key if it owns none."""
        return await in_thread(lambda: self._own_key(prefix), PARTITIONS_DEADLINE + 5)

    async def put(self, map_name: str, key: str, value: bytes) -> None:
        """Puts a value into a map."""
        # The client takes bytes for a text; a bytearray it takes as it is.
        await in_thread(lambda: self._map(map_name).set(key, bytearray(value)), DATA_DEADLINE)

    async def get(self, map_name: str, key: str) -> bytes | None:
        """Gets a value from a map."""
        found = await in_thread(lambda: self._map(map_name).get(key), DATA_DEADLINE)
        return None if found is None else bytes(found)

    async def times(self, map_name: str, key: str, *, rounds: int, seconds: float, value: bytes = b"") -> list[float]:
        """Seconds of each of at most so many round trips, one after the other, that begin within so many seconds.

        A round trip is one get; with a `value`, puts of it and gets take turns.
        """

        def measure() -> list[float]:
            blocking, sent = self._map(map_name), bytearray(value)
            calls: list[Callable[[], object]] = [lambda: blocking.get(key)]
            if value:
                calls.insert(0, lambda: blocking.set(key, sent))
            return list(self._timed(calls, rounds, seconds))

        return await in_thread(measure, seconds + DATA_DEADLINE)

    async def destroy(self, map_name: str) -> None:
        """Removes a map from the cluster."""
        await in_thread(lambda: self._map(map_name).destroy(), CLOSE_DEADLINE)

    async def maps(self) -> list[str]:
        """The names of the cluster's distributed objects."""
        found = await in_thread(self._client.get_distributed_objects, DATA_DEADLINE)
        return [str(proxy.name) for proxy in found]

    async def close(self) -> None:
        """Lets go. One that cannot in time is left behind."""
        self._stop.set()
        with suppress(NoAnswer):
            await in_thread(self._client.shutdown, CLOSE_DEADLINE)

    def _timed(self, calls: Sequence[Callable[[], object]], rounds: int, seconds: float) -> Iterator[float]:
        until = time.perf_counter() + seconds
        for number in range(rounds):
            before = time.perf_counter()
            if before >= until or self._stop.is_set():
                return
            calls[number % len(calls)]()
            yield time.perf_counter() - before

    def _answer(self) -> Answer:
        # Nothing public tells whom a client is connected to.
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
        until = time.monotonic() + PARTITIONS_DEADLINE
        # The table of partitions comes a moment after the connection, and moves while members come and go.
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
    """A client that is connected to the member that answers at the address (host:port).

    `gave_up` is asked for a better reason where there is one, such as what a port-forward said.

    Raises:
        NoAnswer: nobody answered as a member in time.
    """
    log = _Log()
    abandoned = threading.Event()

    def work() -> HazelcastClient:
        client = _client(address, cluster_name)
        if abandoned.is_set():
            client.shutdown()
        return client

    try:
        return MemberClient(await in_thread(work, CONNECT_DEADLINE + 2))
    except NoAnswer as error:
        said = gave_up() or log.reason(address) or error.said
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
        connection_timeout=CONNECT_DEADLINE / 2,
        cluster_connect_timeout=CONNECT_DEADLINE,
        retry_initial_backoff=0.2,
        retry_max_backoff=1.0,
        reconnect_mode=ReconnectMode.OFF,
        invocation_timeout=DATA_DEADLINE,
        heartbeat_interval=2.0,
        heartbeat_timeout=CONNECT_DEADLINE,
    )


class _Log(logging.Handler):
    """Collects the client's log, so that none of it reaches the terminal, and keeps why connections failed."""

    def __init__(self) -> None:
        super().__init__()
        self._reasons: dict[str, str] = {}
        _LOGGER.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps the reason of a failed try, by its target."""
        if record.exc_info and record.exc_info[1] is not None:
            for target in record.args if isinstance(record.args, tuple) else ():
                if (port := getattr(target, "port", None)) is not None:
                    self._reasons[f"{getattr(target, 'host', '')}:{port}"] = str(record.exc_info[1])

    def reason(self, address: str) -> str:
        """Why the last try to connect there failed; empty where the client did not say."""
        return self._reasons.get(address, "")

    def close(self) -> None:
        """Takes nothing any more."""
        _LOGGER.removeHandler(self)
        super().close()


async def in_thread(work: Callable[[], T], seconds: float) -> T:
    """What `work` gives, run in a thread of its own. One that takes longer is left behind: it ends with the process.

    Raises:
        NoAnswer: it took longer, or failed.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    began = time.monotonic()

    def settle(put: Callable[[Any], None], value: object) -> None:
        def unless_given_up() -> None:
            if not future.done():
                put(value)

        with suppress(RuntimeError):  # the loop is closed: hzlink is on its way out
            loop.call_soon_threadsafe(unless_given_up)

    def run() -> None:
        try:
            outcome = work()
        except Exception as error:
            settle(future.set_exception, error)
        else:
            settle(future.set_result, outcome)

    # Python waits for the threads of its own pools at the end, but not for these.
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
