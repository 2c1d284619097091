"""The table is sound, and docs/failures.md is what it says."""

from __future__ import annotations

import subprocess
import sys

from tests.faults.fault import Where
from tests.faults.table import FAULTS
from tests.rules.sources import ROOT


def test_the_page_is_made_of_the_table() -> None:
    script = ROOT / "scripts" / "failures.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_fault_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 30


def test_every_failure_names_a_site_and_a_next_command() -> None:
    for fault in FAULTS:
        if fault.where in (Where.ERROR, Where.HOP):
            # What is missing on this machine is no site's.
            assert fault.site or fault.name == "skupper-missing", fault.name
            assert fault.next, fault.name
            assert fault.code != 0, fault.name
