"""The fault table is consistent, and docs/failures.md is up to date."""

from __future__ import annotations

import subprocess
import sys

from tests.faults.fault import Where
from tests.faults.table import FAULTS
from tests.rules.sources import ROOT


def test_page_is_up_to_date() -> None:
    script = ROOT / "scripts" / "failures.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_fault_names_are_unique() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 30


def test_every_failure_names_a_site_and_a_next_command() -> None:
    for fault in FAULTS:
        if fault.where in (Where.ERROR, Where.HOP):
            # A program that is missing on this machine belongs to no site.
            assert fault.site or fault.name == "skupper-missing", fault.name
            assert fault.next, fault.name
            assert fault.code != 0, fault.name
