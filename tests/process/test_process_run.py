"""Programs that run to their end: output, exit codes, deadlines; none outlives its caller."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from hzlink.model.errors import PrerequisiteError
from hzlink.programs import process
from hzlink.programs.process import Completed, DeadlineExceeded
from tests.process.programs import Programs, gone, pid_in


def run(path: str, *args: str, deadline: float = 20.0, **options: str) -> Completed:
    return asyncio.run(process.run([path, *args], deadline=deadline, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [0, 1, 2, 77, 255])
def test_exit_code_and_both_streams_are_returned(programs: Programs, code: int) -> None:
    done = run(programs.script("p", f"echo out; echo err >&2; exit {code}"))
    assert (done.code, done.stdout, done.stderr) == (code, "out\n", "err\n")
    assert done.seconds > 0


@pytest.mark.parametrize("turns", range(6))
def test_cancellation_at_the_end_of_the_program_is_not_lost(turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait that ends cancels its pings: one that went on pinging kept it from ending."""
    command = SimpleNamespace(process=SimpleNamespace(exit_code=0, stdout=b"", stderr=b""))
    monkeypatch.setattr(process, "_start", lambda *_, **__: command)

    async def cancelled() -> bool:
        ended = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(process, "_ended", lambda _: ended)
        running = asyncio.create_task(process.run(["p"], deadline=60))
        await asyncio.sleep(0.01)
        ended.set_result(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        asked = running.cancel()
        await asyncio.wait({running})
        return running.cancelled() or not asked

    assert asyncio.run(cancelled())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV])
def test_signal_is_a_negative_exit_code(programs: Programs, number: signal.Signals) -> None:
    assert run(programs.script("p", f"kill -{int(number)} $$; sleep 5")).code == -number


def test_arguments_are_passed_unchanged(programs: Programs) -> None:
    args = ["", " ", "a b", "$HOME", "`id`", "*", "'\"", "--flag=-x", "two\nlines", "ä\u2028", "\\"]
    programs.recorder("p")
    run(str(programs.folder / "p"), *args)
    assert programs.call("p").argv == args


@pytest.mark.parametrize("text", ["", "a", "no end", "ä\n" * 100_000], ids=["empty", "one", "no newline", "big"])
def test_standard_input_is_passed_completely(programs: Programs, text: str) -> None:
    assert run(programs.script("p", "cat"), stdin=text).stdout == text


def test_standard_input_is_empty_by_default(programs: Programs) -> None:
    assert run(programs.script("p", "cat; echo end")).stdout == "end\n"


def test_unread_input_is_no_error(programs: Programs) -> None:
    assert run(programs.script("p", "echo done"), stdin="x" * 1_000_000).stdout == "done\n"


def test_large_output_is_complete(programs: Programs) -> None:
    body = "i=0; while [ $i -lt 3000 ]; do printf '%01000d\\n' $i; printf '%0500d\\n' $i >&2; i=$((i+1)); done"
    done = run(programs.script("p", body))
    assert [int(line) for line in done.stdout.split()] == list(range(3000))
    assert len(done.stdout) == 3000 * 1001
    assert len(done.stderr) == 3000 * 501


def test_invalid_utf8_is_replaced(programs: Programs) -> None:
    done = run(programs.script("p", r"printf 'a\377\000b\n'; head -c 100000 /dev/urandom"))
    assert done.code == 0
    assert done.stdout.startswith("a\ufffd\0b\n")
    assert len(done.stdout) > 10_000


def test_environment_and_folder_are_set(programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "kept")
    script = programs.script("p", 'echo "$MINE $OTHER $PWD"')
    (tmp_path / "in here").mkdir()
    done = asyncio.run(process.run([script], deadline=20, env={"OTHER": "added"}, cwd=str(tmp_path / "in here")))
    assert done.stdout == f"kept added {tmp_path}/in here\n"


def test_deadline_ends_the_program_and_its_children(programs: Programs, tmp_path: Path) -> None:
    script = programs.script(
        "p", f"echo $$ > {tmp_path}/parent; sh -c 'echo $$ > {tmp_path}/child; sleep 60'; sleep 60"
    )
    began = time.monotonic()
    with pytest.raises(DeadlineExceeded, match=r"did not end within 0\.5 s") as caught:
        run(script, deadline=0.5)
    assert time.monotonic() - began < 50
    assert caught.value.seconds == 0.5
    assert gone(pid_in(tmp_path / "parent"))
    assert gone(pid_in(tmp_path / "child"))


def test_program_that_ignores_sigterm_is_killed(programs: Programs, tmp_path: Path) -> None:
    script = programs.script("p", f"trap '' TERM INT HUP; echo $$ > {tmp_path}/pid; while :; do sleep 1; done")
    with pytest.raises(DeadlineExceeded):
        run(script, deadline=0.5)
    assert gone(pid_in(tmp_path / "pid"))


def test_cancellation_ends_the_program(programs: Programs, tmp_path: Path) -> None:
    script = programs.script("p", f"echo $$ > {tmp_path}/pid; sleep 60")

    async def cancelled() -> None:
        task = asyncio.create_task(process.run([script], deadline=60))
        pid = await asyncio.to_thread(pid_in, tmp_path / "pid")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(gone, pid)

    began = time.monotonic()
    asyncio.run(cancelled())
    assert time.monotonic() - began < 50


def test_child_that_keeps_the_output_open_does_not_block_the_caller(programs: Programs, tmp_path: Path) -> None:
    script = programs.script("p", f"sleep 60 & echo $! > {tmp_path}/pid; echo out")
    began = time.monotonic()
    done = run(script, deadline=30)
    assert time.monotonic() - began < 50
    assert (done.code, done.stdout) == (0, "out\n")
    os.kill(pid_in(tmp_path / "pid"), signal.SIGKILL)


def test_many_programs_run_concurrently(programs: Programs) -> None:
    script = programs.script("p", "sleep 1; echo $1")

    async def all_of_them() -> list[Completed]:
        return await asyncio.gather(*(process.run([script, str(n)], deadline=60) for n in range(40)))

    began = time.monotonic()
    assert [done.stdout for done in asyncio.run(all_of_them())] == [f"{n}\n" for n in range(40)]
    assert time.monotonic() - began < 40


@pytest.mark.parametrize("body", [None, "#!/no/such/interpreter\n", "\x7fELF nonsense"])
def test_program_that_cannot_start_is_a_prerequisite(tmp_path: Path, body: str | None) -> None:
    path = tmp_path / "broken"
    if body is not None:
        path.write_text(body)
        path.chmod(0o755)
    with pytest.raises(PrerequisiteError, match="broken"):
        run(str(path))


def test_program_is_found_on_the_path(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    path = programs.script("mine", "")
    monkeypatch.setenv("PATH", str(programs.folder))
    assert process.find_program("mine") == path == process.require_program("mine", "install it")
    assert process.find_program("no-such-program") is None
    with pytest.raises(PrerequisiteError, match="mine-not is not installed") as caught:
        process.require_program("mine-not", "install it")
    assert caught.value.next_step == "install it"


def test_program_beside_python_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    name = Path(sys.executable).name
    assert process.find_program(name) == str(Path(sys.executable).parent / name)


@pytest.mark.parametrize(
    ("out", "err", "said"),
    [("out", "err", "err"), ("out", "", "out"), ("", "", ""), ("\nout\n", " \n", "out")],
)
def test_message_is_standard_error_or_standard_output(out: str, err: str, said: str) -> None:
    assert Completed(("p",), 1, out, err, 0.1).said == said


def test_secrets_are_redacted_in_the_message(programs: Programs) -> None:
    process.conceal("Sw0rdfish-run")
    process.conceal("")
    # A broken credential plugin's token: it would redact parts of words.
    process.conceal("d")
    done = run(programs.script("p", "echo 'code Sw0rdfish-run and Sw0rdfish-run' >&2; exit 1"))
    assert done.said == "code [redacted] and [redacted]"


def test_every_run_is_traced(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[list[str], int, float]] = []
    monkeypatch.setattr(process, "trace", lambda argv, code, seconds: told.append(([*argv], code, seconds)))
    script = programs.script("p", "exit 3")
    run(script, "a b")
    [(argv, code, seconds)] = told
    assert (argv, code) == ([script, "a b"], 3)
    assert seconds > 0
