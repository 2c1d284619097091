"""Records commands at a terminal as an asciinema cast (version 2): a header, then one JSON array for each output."""

from __future__ import annotations

import codecs
import fcntl
import json
import os
import pty
import select
import shlex
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

WIDTH, HEIGHT = 92, 30
# Seconds: the longest pause; between two keys; after a command, to read its output; between two separate outputs.
LONGEST, KEY, READ, TOGETHER = 1.0, 0.04, 2.0, 0.05


def record(file: Path, commands: Sequence[str], env: Mapping[str, str], title: str) -> None:
    """Types and runs the commands and writes the cast. CalledProcessError when a command fails."""
    header = {"version": 2, "width": WIDTH, "height": HEIGHT, "title": title, "env": {"TERM": "xterm-256color"}}
    lines = [json.dumps(header)]
    now = 0.0
    for command in commands:
        for delay, text in (*_typed(command), *_run(shlex.split(command), env), (READ, "\r\n")):
            now += min(delay, READ if text == "\r\n" else LONGEST)
            lines.append(json.dumps([round(now, 3), "o", text], ensure_ascii=False))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _typed(command: str) -> Iterator[tuple[float, str]]:
    yield 0.5, "\x1b[1m$ "
    yield from ((KEY, key) for key in command)
    yield 0.3, "\x1b[0m\r\n"


def _run(argv: Sequence[str], env: Mapping[str, str]) -> Iterator[tuple[float, str]]:
    """The program's output at a terminal: seconds since the previous output, and the text."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    variables = {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    running = subprocess.Popen(argv, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    last = time.monotonic()
    while data := _read(ours):
        # Data that comes at about the same time is one output.
        while select.select([ours], [], [], TOGETHER)[0] and (more := _read(ours)):
            data += more
        now = time.monotonic()
        yield now - last, decoder.decode(data)
        last = now
    os.close(ours)
    if running.wait() != 0:
        raise subprocess.CalledProcessError(running.returncode, list(argv))


def _read(terminal: int) -> bytes:
    """Some bytes; none at the end, which Linux reports as an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
