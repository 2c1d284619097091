"""kubectl and skupper that count hzlink's calls, and kill (or signal) hzlink at a given call.

`before`: hzlink ends before the program does anything. `after`: the program has finished, and hzlink ends before it
receives the result. A watch is counted only `before`, because it has no result that could be lost.
"""

from __future__ import annotations

from pathlib import Path
from shlex import quote

from tests.sandbox.conftest import Hzlink

# Read by the shims: the file that counts, the number of the call, `before` or `after`, and the signal's name.
COUNT, AT, WHEN, SIGNAL = "KILL_COUNT", "KILL_AT", "KILL_WHEN", "KILL_SIGNAL"
# Only calls that contain this text are counted; all, if it is not set.
ONLY = "KILL_ONLY"

_SHIM = """#!/bin/sh
count() {{
  # Short lines are appended whole, also by several calls at once: the number is that of the own line.
  echo "{name} $verb by $$" >>"$KILL_COUNT"
  number=0
  while read -r line; do
    number=$((number + 1))
    [ "${{line##* by }}" != "$$" ] || break
  done <"$KILL_COUNT"
  if [ "$number" -eq "$KILL_AT" ]; then
    kill -"$KILL_SIGNAL" "$PPID"
    # hzlink's programs end with it. If this one does not, it must not do anything.
    if [ "$KILL_SIGNAL" = KILL ]; then exec sleep 60; fi
  fi
}}
verb=
watches=
for word; do
  case $word in
    --watch) watches=1 ;;
    -*) ;;
    *) [ "${{#verb}}" -gt 49 ] || verb="$verb $word" ;;
  esac
done
case $verb in
  *"$KILL_ONLY"*) ;;
  *) exec {real} "$@" ;;
esac
if [ "$KILL_WHEN" = before ]; then
  count
  exec {real} "$@"
fi
[ -z "$watches" ] || exec {real} "$@"
# It ends with this script, as it would with hzlink.
setpriv --pdeathsig KILL {real} "$@"
code=$?
count
exit "$code"
"""


def install(folder: Path, programs: Path) -> None:
    """Writes both shims into `folder`; the real programs are in `programs`."""
    folder.mkdir()
    for name in ("kubectl", "skupper"):
        shim = folder / name
        shim.write_text(_SHIM.format(name=name, real=quote(str(programs / name))))
        shim.chmod(0o755)


def put_before(hzlink: Hzlink, folder: Path) -> Hzlink:
    """The same hzlink, whose calls go through the shims from now on. It is killed only in runs with `killed_at`."""
    install(folder / "bin", hzlink.sandbox.bin)
    hzlink.env["PATH"] = f"{folder / 'bin'}:{hzlink.env['PATH']}"
    hzlink.env |= {COUNT: str(folder / "count"), SIGNAL: "KILL", AT: "0", WHEN: "before"}
    return hzlink


def killed_at(folder: Path, when: str, number: int, only: str) -> dict[str, str]:
    """Begins to count; the environment of a run that is killed at that call of those that contain `only`."""
    (folder / "count").write_text("")
    return {WHEN: when, AT: str(number), ONLY: only}
