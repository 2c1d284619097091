"""The fault table: every row, in the order of the page docs/failures.md."""

from __future__ import annotations

from tests.faults import rows_api, rows_programs, rows_skupper, rows_ways
from tests.faults.fault import Fault, Part


def _in_order() -> list[Fault]:
    rows = [*rows_api.ROWS, *rows_skupper.ROWS, *rows_ways.ROWS, *rows_programs.ROWS]
    return [row for part in Part for row in rows if row.part is part]


FAULTS = _in_order()
