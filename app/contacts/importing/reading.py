"""From bytes to records: which encoding, which delimiter, which columns; in little memory."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice

from app.contacts.importing.columns import fields_of, given
from app.contacts.importing.rows import presentable

Fetch = Callable[[int], bytes | None]  # the file's pieces by number, from 0; None after the last

LINE_MAX = 100_000
BUFFER_BYTES = 64 * 1024
DELIMITERS = ",;\t|"
SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
HIGH = re.compile(rb"[\x80-\xff]+")
HIGH_IN_LATIN_WORD = re.compile(rb"(?<=[A-Za-z])[\x80-\xff]+|[\x80-\xff]+(?=[A-Za-z])")
EIGHT_BIT = {"cp1253": "Windows-1253 (Greek)", "cp1252": "Windows-1252 (Western European)"}
Numbered = tuple[int, dict[str, object]]


class FileNotReadable(Exception):
    """The file cannot be imported; the text is a sentence for its owner."""


@dataclass(frozen=True)
class Survey:
    """How to read a file. `guessed` names the encoding when the file did not make it certain."""

    encoding: str
    delimiter: str
    fields: dict[str, int]
    guessed: str | None = None


def survey(fetch: Fetch) -> Survey:
    """Read the whole file once, keeping nothing. Raises FileNotReadable with the reason.

    After this, no row of the file can stop an import that has begun.
    """
    encoding = _marked_encoding(fetch(0) or b"")
    try:
        return _try(fetch, encoding or "utf-8")
    except UnicodeDecodeError as broken:
        if encoding:
            name = encoding.removesuffix("-sig").upper()
            raise FileNotReadable(f"The file is marked as {name} but cannot be decoded as such.") from broken
    encoding = _guessed_encoding(fetch)
    return _try(fetch, encoding, EIGHT_BIT[encoding])


class Table:
    """The data records of a surveyed file, in order. `position` counts those taken; `bytes_read` is ahead."""

    def __init__(self, fetch: Fetch, found: Survey) -> None:
        self._bytes = _Pieces(fetch)
        self._records = _records(_lines(self._bytes, found.encoding), found.delimiter)
        self._fields = found.fields
        self.position = 0
        self.ended = False
        next(self._records)  # the header

    @property
    def bytes_read(self) -> int:
        return self._bytes.read_so_far

    def skip(self, count: int) -> None:
        """Pass over records that have been taken before."""
        self.position += sum(1 for _ in islice(self._records, count))

    def take(self, count: int) -> list[Numbered]:
        """The next `count` records, numbered from 1, without empty ones. Sets `ended` after the last."""
        taken = list(islice(self._records, count))
        first = self.position + 1
        self.position += len(taken)
        self.ended = len(taken) < count
        return [
            (number, given(cells, self._fields))
            for number, cells in enumerate(taken, first)
            if any(map(str.strip, cells))
        ]


class _Pieces(io.RawIOBase):
    """The stored pieces as one stream."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._number = 0
        self._rest = memoryview(b"")
        self.read_so_far = 0

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = memoryview(self._fetch(self._number) or b"")
            self._number += 1
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        self.read_so_far += size
        return size


def _lines(pieces: _Pieces, encoding: str) -> Iterator[str]:
    """Lines with their ends, which a quoted cell may contain. Raises FileNotReadable, UnicodeDecodeError."""
    text = io.TextIOWrapper(io.BufferedReader(pieces, BUFFER_BYTES), encoding, newline="")
    for number, line in enumerate(iter(lambda: text.readline(LINE_MAX), ""), 1):
        if len(line) == LINE_MAX:
            raise FileNotReadable(f"Line {number} is longer than {LINE_MAX:,} characters.")
        yield line


def _records(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    """The header, then every record after it. Raises FileNotReadable where the quotes do not match."""
    exhausted = False

    def fed() -> Iterator[str]:
        nonlocal exhausted
        yield from lines
        exhausted = True

    reader = csv.reader(fed(), delimiter=delimiter)
    started = False
    begins = 1
    try:
        for cells in reader:
            if exhausted:  # the file ended inside this record
                raise FileNotReadable(f"A quotation mark is opened in line {begins} and never closed.")
            begins = reader.line_num + 1
            started = started or any(map(str.strip, cells))
            if started:
                yield cells
    except csv.Error as broken:
        raise FileNotReadable(
            f"Line {begins} cannot be read as CSV: is a quotation mark missing?"
        ) from broken


def _try(fetch: Fetch, encoding: str, guessed: str | None = None) -> Survey:
    lines = _lines(_Pieces(fetch), encoding)
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise FileNotReadable("The file is empty.")
    delimiter = _delimiter(first)
    records = _records(chain([first], lines), delimiter)
    header = next(records)
    fields = fields_of(header)
    for _ in records:
        pass
    if "phoneE164" not in fields:
        seen = ", ".join(presentable(name.strip())[:40] for name in header[:20])
        raise FileNotReadable(
            f"No column for the phone number was found. The first row must name the columns, one of them"
            f" 'phone'; it reads: {seen}"
        )
    return Survey(encoding, delimiter, fields, guessed)


def _delimiter(line: str) -> str:
    """The delimiter that makes most known columns of the first line, then most columns."""

    def yields(delimiter: str) -> tuple[int, int]:
        cells = next(csv.reader([line], delimiter=delimiter))
        return len(fields_of(cells)), len(cells)

    try:
        return max(DELIMITERS, key=yields)
    except csv.Error as broken:
        raise FileNotReadable("The first line cannot be read as CSV.") from broken


def _marked_encoding(start: bytes) -> str | None:
    """The encoding that the first bytes declare. Raises FileNotReadable for what is no text at all."""
    if start.startswith(SPREADSHEETS):
        raise FileNotReadable("This is a spreadsheet, not a CSV file. Save it as CSV and upload that.")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start[:BUFFER_BYTES].count(0) * 10 > len(start[:BUFFER_BYTES]):
        raise FileNotReadable("This is not a text file. Save the list as CSV (UTF-8) and upload that.")
    return "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else None


def _guessed_encoding(fetch: Fetch) -> str:
    """An eight-bit encoding for bytes that are not UTF-8. Raises FileNotReadable.

    Greek words are all bytes above 127; Western European ones have them next to plain Latin letters.
    """
    possible = dict(EIGHT_BIT)
    high = in_latin_words = as_utf8 = 0
    for piece in _pieces(fetch):
        high_here = sum(map(len, HIGH.findall(piece)))
        high += high_here
        in_latin_words += sum(map(len, HIGH_IN_LATIN_WORD.findall(piece)))
        as_utf8 += len(piece.decode("utf-8", "ignore").encode()) - (len(piece) - high_here)
        for encoding in list(possible):
            if not _decodes(piece, encoding):
                del possible[encoding]
    if as_utf8 * 2 > high:
        raise FileNotReadable(f"The file is UTF-8 but damaged in line {_first_damaged_line(fetch)}.")
    order = ("cp1253", "cp1252") if in_latin_words * 2 < high else ("cp1252", "cp1253")
    for encoding in order:
        if encoding in possible:
            return encoding
    raise FileNotReadable("The file's text encoding is not known. Save the list as CSV (UTF-8).")


def _decodes(piece: bytes, encoding: str) -> bool:
    try:
        piece.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _first_damaged_line(fetch: Fetch) -> int:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    for piece in _pieces(fetch):
        held = decoder.getstate()[0]
        try:
            decoder.decode(piece)
        except UnicodeDecodeError as broken:
            return line + (held + piece)[: broken.start].count(b"\n")
        line += piece.count(b"\n")
    return line


def _pieces(fetch: Fetch) -> Iterator[bytes]:
    number = 0
    while piece := fetch(number):
        yield piece
        number += 1
