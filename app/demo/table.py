"""Tables and headings for a terminal, which also read well in a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

BOLD, DIM, GREEN, RED, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[31m", "\x1b[0m"
LABEL_WIDTH = 34
Cell = int | str


class Screen:
    """Writes to `out`. Colours only where somebody can see them."""

    def __init__(self, out: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.is_terminal = self.out.isatty()
        self._has_colour = self.is_terminal and "NO_COLOR" not in os.environ

    def heading(self, words: str, remark: str = "") -> None:
        self._write(f"\n{self._in(BOLD, words)}" + (f"  {self._in(DIM, remark)}" if remark else ""))

    def line(self, words: str = "") -> None:
        self._write(f"  {words}" if words else "")

    def aside(self, words: str) -> None:
        self._write(f"  {self._in(DIM, words)}")

    def fact(self, label: str, value: Cell, remark: str = "") -> None:
        """One figure with its name, and a remark that is not a figure."""
        shown = f"  {label:<{LABEL_WIDTH}}{spelled(value):>9}"
        self._write(f"{shown}   {self._in(DIM, remark)}" if remark else shown)

    def table(self, header: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]]) -> None:
        """Named rows of figures under a header; a row without figures is a rule across the table."""
        texts = [[spelled(cell) for cell in cells] for _, cells in rows]
        widths = [
            max(map(len, column)) for column in zip(header, *(row for row in texts if row), strict=True)
        ]
        self._write("  " + " " * LABEL_WIDTH + _aligned(header, widths))
        for (label, _), cells in zip(rows, texts, strict=True):
            rule = self._in(DIM, "─" * (LABEL_WIDTH + sum(widths) + 2 * len(widths)))
            self._write(f"  {label:<{LABEL_WIDTH}}{_aligned(cells, widths)}" if cells else f"  {rule}")

    def verdict(self, words: str, *, is_good: bool) -> None:
        self._write(f"\n{self._in(GREEN if is_good else RED, ('✓ ' if is_good else '✗ ') + words)}")

    def _in(self, style: str, words: str) -> str:
        return f"{style}{words}{PLAIN}" if self._has_colour else words

    def _write(self, words: str) -> None:
        print(words, file=self.out, flush=True)


def spelled(value: Cell) -> str:
    """A figure with its thousands parted: 1,748."""
    return f"{value:,}" if isinstance(value, int) else value


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
