"""Files for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from app.core.csv import ROWS_AT_ONCE, Row, csv_file, csv_text


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd", "-2", "@SUM(A1)", " =1", "\u00a0=1", "\t=1", "\r=1", "\tx", "+30 210 1234567"]
)
def test_what_a_spreadsheet_would_calculate_becomes_text(text: str):
    assert read(csv_text([[text]])) == [[f"'{text}"]]


@pytest.mark.parametrize("text", ["+306912345678", "1-2", "a=b", "a@b.gr", "Ωμέγα", "'", "a\nb", 'a","b'])
def test_other_text_stays_as_it_is(text: str):
    assert read(csv_text([[text]])) == [[text]]


def test_numbers_stay_numbers_and_nothing_is_an_empty_cell():
    assert csv_text([[-1, 2.5, None, "a"]]) == "-1,2.5,,a\r\n"


def test_a_file_says_that_it_is_utf_8_and_begins_with_its_header():
    assert "".join(csv_file(["name"], [["Εύα"]])) == "\ufeffname\r\nΕύα\r\n"


def test_no_more_rows_are_read_than_one_piece_needs():
    read_so_far = []

    def rows() -> Iterator[Row]:
        for number in range(3 * ROWS_AT_ONCE):
            read_so_far.append(number)
            yield [number]

    pieces = csv_file(["n"], rows())

    assert [next(pieces), len(read_so_far)] == ["\ufeffn\r\n", 0]
    next(pieces)
    assert len(read_so_far) == ROWS_AT_ONCE
    assert len(read("".join(pieces))) == 2 * ROWS_AT_ONCE


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))
