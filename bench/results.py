"""What was measured: a list of results, a table for people, a file for machines."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "results.json"
COLUMNS = ("name", "size", "value", "unit", "limit", "ratio", "target", "met", "n")


@dataclass(frozen=True)
class Target:
    """What `design.md` §5 promises about a result's `value` or `ratio`."""

    of: str  # "value" or "ratio"
    sense: str  # "<=" or ">="
    bound: float

    def is_met(self, value: float, ratio: float | None) -> bool:
        seen = value if self.of == "value" else ratio
        if seen is None:
            return False
        return seen <= self.bound if self.sense == "<=" else seen >= self.bound

    def __str__(self) -> str:
        return f"{self.of} {self.sense} {self.bound:g}"


@dataclass(frozen=True)
class Result:
    """One figure. `limit` is what this machine could do at best, in the same unit; `n` counts the tries."""

    name: str
    size: int
    value: float
    unit: str
    limit: float | None = None
    target: Target | None = None
    n: int = 1

    @property
    def ratio(self) -> float | None:
        return self.value / self.limit if self.limit else None

    def as_json(self, *, judged: bool) -> dict[str, Any]:
        target = self.target if judged else None
        return {
            "name": self.name,
            "size": self.size,
            "value": round(self.value, 4),
            "unit": self.unit,
            "limit": None if self.limit is None else round(self.limit, 4),
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "target": str(target) if target else None,
            "met": target.is_met(self.value, self.ratio) if target else None,
            "n": self.n,
        }


@dataclass
class Results:
    """Everything measured in this run; each figure is shown as soon as it is known."""

    judged: bool = True
    rows: list[Result] = field(default_factory=list)

    def add(self, *results: Result) -> None:
        for result in results:
            self.rows.append(result)
            print(_line(result.as_json(judged=self.judged)), flush=True)

    def find(self, name: str, size: int) -> Result | None:
        return next((row for row in self.rows if (row.name, row.size) == (name, size)), None)

    def as_json(self) -> list[dict[str, Any]]:
        return [row.as_json(judged=self.judged) for row in self.rows]

    def write(self, path: Path = FILE) -> None:
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in self.as_json())
        path.write_text(f"[\n{lines}\n]\n")

    def missed(self) -> list[Result]:
        return [r for r in self.rows if self.judged and r.target and not r.target.is_met(r.value, r.ratio)]


def heading() -> str:
    return f"{_machine()}\n\n{_line(dict(zip(COLUMNS, COLUMNS, strict=True)))}"


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"


WIDTHS = dict(zip(COLUMNS, (37, 9, 9, 12, 9, 7, 15, 4, 3), strict=True))


def _line(row: dict[str, Any]) -> str:
    return " ".join(_cell(row[name], width) for name, width in WIDTHS.items())


def _cell(value: Any, width: int) -> str:
    if value is None:
        return "–".rjust(width)
    if isinstance(value, bool):
        return ("yes" if value else "NO").rjust(width)
    if isinstance(value, int | float):
        return (f"{value:,}" if isinstance(value, int) else _number(value)).rjust(width)
    return str(value).ljust(width)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
