"""What runs inside the pod of `verify --in-cluster`: the proof, directly by the names that the pod resolves.

This and what it needs is packed into a zip (probe_package.py) and gets by with Python alone. Standard output is its way
back: one line, the verdict.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hzlink.model.errors import ExitStatus, HzlinkError
from hzlink.model.events import Event
from hzlink.programs import tasks
from hzlink.verify.endpoints import direct
from hzlink.verify.probe_messages import InvalidMessage, Verdict, read_plan, verdict_line
from hzlink.verify.site_proof import verify_site


def main(plan_file: str) -> int:
    """Runs the plan in that file. The exit code says whether there was a verdict, not which."""
    notes: list[Event] = []
    try:
        plan = read_plan(Path(plan_file).read_text(encoding="utf-8"))
        verdict = Verdict(tasks.run(verify_site(plan, direct, notes.append)), None, tuple(notes))
    except InvalidMessage as error:
        verdict = Verdict(None, HzlinkError("the probe got no readable plan", said=str(error)))
    except HzlinkError as error:
        verdict = Verdict(None, error, tuple(notes))
    except KeyboardInterrupt:
        return int(ExitStatus.INTERRUPTED)
    sys.stdout.write(verdict_line(verdict) + "\n")
    sys.stdout.flush()
    return int(ExitStatus.DONE)
