"""A program's output line by line, and how the program ends."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from hzlink.programs import process
from hzlink.programs.process import Completed
from tests.process.programs import Programs, gone, pid_in


def lines_of(path: str, *args: str) -> tuple[list[str], Completed]:
    """All lines until the program ends."""

    async def read() -> tuple[list[str], Completed]:
        async with process.lines([path, *args]) as output:
            return [line async for line in output], output.completed

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("printf 'a\\nb\\n'", ["a", "b"]),
        ("printf 'a\\nb'", ["a", "b"]),
        ("printf '\\n\\na\\n'", ["", "", "a"]),
        ("printf ''", []),
        ("printf 'ä€\\n'", ["ä€"]),
        ("printf '  a \\n'", ["  a "]),
    ],
)
def test_lines_are_split(programs: Programs, body: str, expected: list[str]) -> None:
    found, completed = lines_of(programs.script("p", body))
    assert found == expected
    assert completed.code == 0


def test_end_has_exit_code_and_message(programs: Programs) -> None:
    process.conceal("Sw0rdfish-lines")
    found, completed = lines_of(programs.script("p", "echo a; echo 'no Sw0rdfish-lines' >&2; exit 7"))
    assert (found, completed.code, completed.said) == (["a"], 7, "no [redacted]")


def test_signal_is_a_negative_exit_code(programs: Programs) -> None:
    assert lines_of(programs.script("p", "kill -9 $$"))[1].code == -9


def test_lines_are_yielded_as_they_are_printed(programs: Programs, tmp_path: Path) -> None:
    """The program waits for a file that the test creates after the first line."""
    script = programs.script("p", f"echo one; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; echo two")

    async def read() -> list[str]:
        seen = []
        async with asyncio.timeout(20), process.lines([script]) as output:
            async for line in output:
                seen.append(line)
                (tmp_path / "go").touch()
        return seen

    assert asyncio.run(read()) == ["one", "two"]


def test_many_and_long_lines_are_complete(programs: Programs) -> None:
    body = "printf '%0300000d\\n' 1; i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done"
    found, _ = lines_of(programs.script("p", body))
    assert len(found[0]) == 300_000
    assert found[1:] == [str(number) for number in range(3000)]


def test_invalid_utf8_is_replaced(programs: Programs) -> None:
    found, _ = lines_of(programs.script("p", r"printf 'a\377b\nnext\n'"))
    assert found == ["a\ufffdb", "next"]


def test_program_and_children_end_with_the_block(programs: Programs, tmp_path: Path) -> None:
    script = programs.script(
        "p", f"sh -c 'echo $$ > {tmp_path}/child; sleep 60' & echo $$ > {tmp_path}/pid; echo on; wait"
    )

    async def leave() -> None:
        async with process.lines([script]) as output:
            async for line in output:
                assert line == "on"
                await asyncio.to_thread(pid_in, tmp_path / "child")
                break

    began = time.monotonic()
    asyncio.run(leave())
    assert time.monotonic() - began < 50
    assert gone(pid_in(tmp_path / "pid"))
    assert gone(pid_in(tmp_path / "child"))


def test_cancellation_ends_the_program(programs: Programs, tmp_path: Path) -> None:
    script = programs.script("p", f"echo $$ > {tmp_path}/pid; sleep 60")

    async def watch() -> None:
        async with process.lines([script]) as output:
            async for _ in output:
                pass

    async def cancelled() -> None:
        task = asyncio.create_task(watch())
        await asyncio.to_thread(pid_in, tmp_path / "pid")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert gone(pid_in(tmp_path / "pid"))


def test_error_inside_the_block_ends_the_program(programs: Programs, tmp_path: Path) -> None:
    script = programs.script("p", f"echo $$ > {tmp_path}/pid; echo on; sleep 60")

    async def fail() -> None:
        async with process.lines([script]) as output:
            async for _ in output:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(fail())
    assert gone(pid_in(tmp_path / "pid"))
