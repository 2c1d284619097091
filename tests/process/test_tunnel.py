"""A forwarded port: opened on loopback when kubectl is ready, and closed in every case."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hzlink.model.choices import Role
from hzlink.model.errors import ExitStatus, HzlinkError, WaitTimeout
from hzlink.model.topology import Site
from hzlink.verify.port_forward import tunnel
from tests.process.programs import Programs, gone, pid_in

EDGE = Site("edge", Role.CLIENT, "edge-ctx", "hz", "/k")
READY = "echo 'Forwarding from 127.0.0.1:43121 -> 1024'"


def forwarding(programs: Programs, tmp_path: Path, body: str) -> Path:
    """A kubectl that records its pid and arguments and then runs `body`. Returns the path of the pid file."""
    programs.script("kubectl", f'echo "$*" > {tmp_path}/args; echo $$ > {tmp_path}/pid; {body}')
    return tmp_path / "pid"


def test_tunnel_opens_when_kubectl_is_ready_and_closes_with_the_block(programs: Programs, tmp_path: Path) -> None:
    pid = forwarding(programs, tmp_path, f"{READY}; exec sleep 60")

    async def use() -> str:
        async with tunnel(EDGE, "service/hazelcast-1", 5701) as forward:
            assert not gone(pid_in(pid), 0)
            return forward.address

    assert asyncio.run(use()) == "127.0.0.1:43121"
    assert gone(pid_in(pid))
    args = (tmp_path / "args").read_text().split()
    assert args[:3] == ["--kubeconfig=/k", "--context=edge-ctx", "--namespace=hz"]
    assert args[3:5] == ["port-forward", "--address=127.0.0.1"]
    assert args[-2:] == ["service/hazelcast-1", ":5701"]


def test_local_port_can_be_given(programs: Programs, tmp_path: Path) -> None:
    forwarding(programs, tmp_path, f"{READY}; exec sleep 60")

    async def use() -> None:
        async with tunnel(EDGE, "service/x", "https", local=8080):
            pass

    asyncio.run(use())
    assert (tmp_path / "args").read_text().split()[-1] == "8080:https"


def opening(deadline: float = 10.0) -> HzlinkError:
    async def use() -> None:
        async with tunnel(EDGE, "service/hazelcast-1", 5701, deadline=deadline):
            pass

    with pytest.raises(HzlinkError) as caught:
        asyncio.run(use())
    return caught.value


def test_refusal_of_kubectl_is_an_error(programs: Programs, tmp_path: Path) -> None:
    said = 'Error from server (NotFound): services "hazelcast-1" not found'
    forwarding(programs, tmp_path, f"echo '{said}' >&2; exit 1")
    error = opening()
    assert error.status is ExitStatus.FAILED
    assert error.site == "edge"
    assert error.said == said
    assert "service/hazelcast-1" in error.message


def test_missing_right_is_named(programs: Programs, tmp_path: Path) -> None:
    said = 'error: pods "r" is forbidden: User "ann" cannot create resource "pods/portforward"'
    forwarding(programs, tmp_path, f"echo '{said}' >&2; exit 1")
    error = opening()
    assert error.status is ExitStatus.PREREQUISITE
    assert error.message == "you may not forward a port to service/hazelcast-1 in namespace hz of context edge-ctx"


def test_tunnel_that_does_not_open_is_a_timeout(programs: Programs, tmp_path: Path) -> None:
    pid = forwarding(programs, tmp_path, "echo 'waits for a pod' >&2; exec sleep 60")
    error = opening(deadline=1.0)
    assert isinstance(error, WaitTimeout)
    assert (error.waited, error.said) == (1.0, "waits for a pod")
    assert error.next_step == "kubectl --kubeconfig /k --context edge-ctx -n hz describe service/hazelcast-1"
    assert gone(pid_in(pid))


def test_tunnel_on_another_address_does_not_count(programs: Programs, tmp_path: Path) -> None:
    forwarding(programs, tmp_path, "echo 'Forwarding from [::1]:43121 -> 1024'; exec sleep 60")
    assert isinstance(opening(deadline=1.0), WaitTimeout)


def test_end_of_the_tunnel_has_a_reason(programs: Programs, tmp_path: Path) -> None:
    forwarding(programs, tmp_path, f"{READY}; sleep 0.3; echo 'error: lost connection to pod' >&2; exit 1")

    async def use() -> str:
        async with tunnel(EDGE, "service/x", 1) as forward:
            async with asyncio.timeout(10):
                return await forward.ended()

    assert asyncio.run(use()) == "error: lost connection to pod"


def test_cancelled_wait_for_the_end_keeps_the_tunnel_open(programs: Programs, tmp_path: Path) -> None:
    pid = forwarding(programs, tmp_path, f"{READY}; exec sleep 60")

    async def use() -> None:
        async with tunnel(EDGE, "service/x", 1) as forward:
            for _ in range(2):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await forward.ended()
            assert not gone(pid_in(pid), 0)

    asyncio.run(use())
    assert gone(pid_in(pid))


@pytest.mark.parametrize("body", [f"{READY}; exec sleep 60", "exec sleep 60"], ids=["open", "opening"])
def test_cancellation_closes_the_tunnel(programs: Programs, tmp_path: Path, body: str) -> None:
    pid = forwarding(programs, tmp_path, body)

    async def use() -> None:
        async with tunnel(EDGE, "service/x", 1):
            await asyncio.sleep(60)

    async def cancelled() -> None:
        task = asyncio.create_task(use())
        await asyncio.to_thread(pid_in, pid)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert gone(pid_in(pid))


def test_error_inside_the_block_closes_the_tunnel(programs: Programs, tmp_path: Path) -> None:
    pid = forwarding(programs, tmp_path, f"{READY}; exec sleep 60")

    async def use() -> None:
        async with tunnel(EDGE, "service/x", 1):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(use())
    assert gone(pid_in(pid))


def test_output_of_many_connections_does_not_block_kubectl(programs: Programs, tmp_path: Path) -> None:
    body = 'i=0; while [ $i -lt 3000 ]; do echo "Handling connection for 43121"; i=$((i+1)); done'
    forwarding(programs, tmp_path, f"{READY}; {body}; echo done > {tmp_path}/done; exec sleep 60")

    async def use() -> bool:
        async with tunnel(EDGE, "service/x", 1):
            for _ in range(200):
                if (tmp_path / "done").exists():
                    return True
                await asyncio.sleep(0.05)
        return False

    assert asyncio.run(use())
