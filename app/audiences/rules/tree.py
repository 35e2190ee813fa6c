"""A rule after checking: what it asks, with values of the right type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Match = Literal["all", "any"]


@dataclass(frozen=True)
class Condition:
    """One question about a contact: `field` and `op` are in the vocabulary, `value` has passed its reader."""

    field: str
    op: str
    value: Any


@dataclass(frozen=True)
class Rule:
    """A group: a contact fits when all (or any) of its parts do. Never empty."""

    match: Match
    parts: tuple[Rule | Condition, ...]
