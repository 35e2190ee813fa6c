"""From JSON to a rule, or to a sentence about the first thing that is wrong and the path to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from app.audiences.rules.tree import Condition, Match, Rule
from app.audiences.rules.vocabulary import FIELDS
from app.core.errors import ValidationFailed

MAX_DEPTH = 5
MAX_CONDITIONS = 50
GROUPS = ("all", "any")
LEAF = ("field", "op", "value")


def parse_rule(raw: Any) -> Rule:
    """The rule that `raw` states: `{"all": […]}` or `{"any": […]}`, at most 5 deep, at most 50 conditions.

    Nothing is ignored: a key that is not understood could have narrowed the audience. Raises ValidationFailed
    whose field is the path, such as rule.all[2].value.
    """
    return _Parser().group(raw, "rule", depth=1)


@dataclass
class _Parser:
    conditions: int = 0

    def group(self, raw: Any, path: str, depth: int) -> Rule:
        if not isinstance(raw, dict) or len(raw) != 1 or next(iter(raw)) not in GROUPS:
            raise ValidationFailed(path, 'must be {"all": […]} or {"any": […]}')
        match, parts = next(iter(raw.items()))
        path = f"{path}.{match}"
        if not isinstance(parts, list) or not parts:
            raise ValidationFailed(path, "must be a list with at least one condition")
        if depth > MAX_DEPTH:
            raise ValidationFailed(path, f"is nested more than {MAX_DEPTH} deep")
        read = (self.part(part, f"{path}[{index}]", depth) for index, part in enumerate(parts))
        return Rule(cast(Match, match), tuple(read))

    def part(self, raw: Any, path: str, depth: int) -> Rule | Condition:
        if isinstance(raw, dict) and any(key in raw for key in GROUPS):
            return self.group(raw, path, depth + 1)
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            raise ValidationFailed(path, f"is one too many: a rule has at most {MAX_CONDITIONS} conditions")
        return _condition(raw, path)


def _condition(raw: Any, path: str) -> Condition:
    if not isinstance(raw, dict):
        raise ValidationFailed(path, 'must be a condition: {"field": "age", "op": "atLeast", "value": 18}')
    for key in raw:
        if key not in LEAF:
            raise ValidationFailed(path, "must have no keys but field, op and value")
    field = _word(raw.get("field"), FIELDS, f"{path}.field")
    operators = FIELDS[field]
    op = _word(raw.get("op"), operators, f"{path}.op")
    return Condition(field, op, operators[op](f"{path}.value", raw.get("value")))


def _word(raw: Any, choices: Iterable[str], path: str) -> str:
    if not isinstance(raw, str) or raw not in choices:
        raise ValidationFailed(path, f"must be one of: {', '.join(choices)}")
    return raw
