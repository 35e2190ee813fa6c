"""Tables for spreadsheets: CSV that no spreadsheet takes for formulas, made while the rows are read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import islice

Cell = str | int | float | None
Row = Iterable[Cell]

ROWS_AT_ONCE = 500
BYTE_ORDER_MARK = "\ufeff"  # without it spreadsheets read Greek as Latin letters
# What makes a spreadsheet calculate, also behind blanks (OWASP, "CSV Injection").
FORMULA = re.compile(r"\s*[=+\-@]|[\t\r]")
# A number in E.164 calculates nothing, and has to come back as it went.
PHONE = re.compile(r"\+[0-9]{7,15}")


def csv_file(header: Row, rows: Iterable[Row]) -> Iterator[str]:
    """A file with these rows, in pieces. Never holds more than 500 rows."""
    yield BYTE_ORDER_MARK + csv_text([header])
    left = iter(rows)
    while portion := list(islice(left, ROWS_AT_ONCE)):
        yield csv_text(portion)


def csv_text(rows: Iterable[Row]) -> str:
    """The rows as lines of CSV, each ended. An apostrophe makes text of what would be a formula."""
    written = io.StringIO()
    csv.writer(written).writerows([_harmless(cell) for cell in row] for row in rows)
    return written.getvalue()


def _harmless(cell: Cell) -> Cell:
    if not isinstance(cell, str) or PHONE.fullmatch(cell):
        return cell
    return f"'{cell}" if FORMULA.match(cell) else cell
