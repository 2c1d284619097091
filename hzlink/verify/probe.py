"""The program in the pod of `verify --in-cluster`: it verifies by the names that the pod resolves.

This module and its dependencies are packed into a zip (probe_package.py) that needs only Python. It prints the verdict
as one line to standard output.
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
    """Runs the plan in the file and prints the verdict. The exit code is 0 for any verdict."""
    notes: list[Event] = []
    try:
        plan = read_plan(Path(plan_file).read_text(encoding="utf-8"))
        verdict = Verdict(tasks.run(verify_site(plan, direct, notes.append)), None, tuple(notes))
    except InvalidMessage as error:
        verdict = Verdict(None, HzlinkError("the probe cannot read its plan", said=str(error)))
    except HzlinkError as error:
        verdict = Verdict(None, error, tuple(notes))
    except KeyboardInterrupt:
        return int(ExitStatus.INTERRUPTED)
    sys.stdout.write(verdict_line(verdict) + "\n")
    sys.stdout.flush()
    return int(ExitStatus.DONE)
