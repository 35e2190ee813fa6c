"""The segments that every shop has. Their rules live here; the table only gives them an id in each shop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.audiences.rules import Condition, Rule


@dataclass(frozen=True)
class SystemSegment:
    """`criteria` is what the clients are shown, `rule` what is asked of contacts."""

    name: str
    criteria: dict[str, Any]
    rule: Rule


def _gender(name: str, gender: str | None) -> SystemSegment:
    condition = Condition("gender", "is", gender) if gender else Condition("gender", "isUnknown", None)
    return SystemSegment(name, {"gender": gender}, Rule("all", (condition,)))


def _age(name: str, first: int, last: int | None = None) -> SystemSegment:
    if last is None:
        return SystemSegment(
            name, {"age": {"gte": first}}, Rule("all", (Condition("age", "atLeast", first),))
        )
    return SystemSegment(
        name,
        {"age": {"gte": first, "lte": last}},
        Rule("all", (Condition("age", "between", (first, last)),)),
    )


SYSTEM_SEGMENTS: dict[str, SystemSegment] = {
    "gender_male": _gender("Gender: male", "male"),
    "gender_female": _gender("Gender: female", "female"),
    "gender_unknown": _gender("Gender: unknown", None),
    "age_18_24": _age("Age 18-24", 18, 24),
    "age_25_34": _age("Age 25-34", 25, 34),
    "age_35_44": _age("Age 35-44", 35, 44),
    "age_45_54": _age("Age 45-54", 45, 54),
    "age_55_plus": _age("Age 55+", 55),
}
