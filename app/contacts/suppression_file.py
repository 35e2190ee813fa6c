"""Reading a list of numbers to suppress: our own export, anybody's CSV, or one number a line."""

from __future__ import annotations

import codecs
import re

from app.contacts.importing.reading import FileNotReadable, Table, survey
from app.core.errors import ValidationFailed

ROWS_MAX = 50_000
PIECE = 64 * 1024
HAS_LETTER = re.compile(rb"[A-Za-z\x80-\xff]")


def read_numbers(content: bytes) -> list[tuple[int, str]]:
    """The rows' numbers from 1, the header not counted, and what stands there. Raises ValidationFailed."""
    content = content.removeprefix(codecs.BOM_UTF8)
    if not HAS_LETTER.search(content.lstrip().split(b"\n", 1)[0]) and content.strip(b"\r\n\t \x00"):
        content = b"phone\n" + content  # no header: one number a line

    def piece(number: int) -> bytes | None:
        return content[number * PIECE : (number + 1) * PIECE] or None

    try:
        table = Table(piece, survey(piece))
        rows = table.take(ROWS_MAX + 1)
    except FileNotReadable as refusal:
        raise ValidationFailed("file", str(refusal)) from None
    if not rows:
        raise ValidationFailed("file", "has no rows")
    if len(rows) > ROWS_MAX:
        raise ValidationFailed("file", f"must not have more than {ROWS_MAX:,} rows")
    # Spreadsheets keep a number as text behind an apostrophe.
    return [(number, str(row.get("phoneE164", "")).strip().removeprefix("'")) for number, row in rows]
