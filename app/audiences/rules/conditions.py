"""From a rule to SQL over contacts. Every value is a bound parameter; LIKE's wildcards in it are escaped.

What a contact does not tell never matches a positive question (is, contains, before, …) and always matches a
negative one (isNot, noneOf, notInLastDays): somebody who never ordered has not ordered in the last 90 days.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Interval,
    Text,
    and_,
    cast,
    extract,
    func,
    literal,
    not_,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.audiences.rules.tree import Condition, Rule
from app.contacts.queries import Contact

Clause = ColumnElement[bool]
Column = Any  # a mapped column of whichever type: the vocabulary has matched it with the operator
Question = Callable[[Column, Any], Clause]


def rule_condition(rule: Rule, today: date, zone: tzinfo = UTC) -> Clause:
    """The condition that a contact fits `rule`. Ages are as of `today`, dates in it are days in `zone`."""
    parts = [_part(part, today, zone) for part in rule.parts]
    return and_(*parts) if rule.match == "all" else or_(*parts)


def _part(part: Rule | Condition, today: date, zone: tzinfo) -> Clause:
    if isinstance(part, Rule):
        return rule_condition(part, today, zone).self_group()
    if part.field == "age":
        return _age(part.op, part.value, today)
    if part.field in INSTANTS:
        return _instant(INSTANTS[part.field], part.op, part.value, zone)
    column, questions = FIELDS[part.field]
    return questions[part.op](column, part.value)


def _age(op: str, value: Any, today: date) -> Clause:
    """Whole years by calendar: who was born on 29 February is a year older on 1 March of a common year."""
    first, last = value if op == "between" else (value, value)
    old_enough = Contact.birth_date <= _years_before(today, first)
    young_enough = Contact.birth_date > _years_before(today, last + 1)
    return {"atLeast": old_enough, "atMost": young_enough}.get(op, and_(old_enough, young_enough))


def _years_before(today: date, years: int) -> ColumnElement[date]:
    return cast(cast(literal(today), Date) - func.make_interval(years, type_=Interval), Date)


def _instant(column: Column, op: str, value: Any, zone: tzinfo) -> Clause:
    if op == "inLastDays":
        return column >= _days_ago(value)  # type: ignore[no-any-return]
    if op == "notInLastDays":
        return func.coalesce(column < _days_ago(value), True)
    if op == "before":
        return column < (value if isinstance(value, datetime) else _midnight(value, zone))  # type: ignore[no-any-return]
    if isinstance(value, datetime):
        return column > value  # type: ignore[no-any-return]
    return column >= _midnight(value + timedelta(days=1), zone)  # type: ignore[no-any-return]


def _days_ago(days: int) -> ColumnElement[datetime]:
    return func.now() - func.make_interval(0, 0, 0, days, type_=Interval)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _is(column: Column, value: Any) -> Clause:
    return column == value  # type: ignore[no-any-return]


def _is_not(column: Column, value: Any) -> Clause:
    return column.is_distinct_from(value)  # type: ignore[no-any-return]


def _is_missing(column: Column, _value: Any) -> Clause:
    return column.is_(None)  # type: ignore[no-any-return]


def _any_of(column: Column, values: Any) -> Clause:
    return column.in_(values)  # type: ignore[no-any-return]


def _tags(values: tuple[str, ...]) -> ColumnElement[Any]:
    return cast(list(values), ARRAY(Text))


WORDS: dict[str, Question] = {
    "is": lambda column, value: func.lower(column) == func.lower(value),
    "isNot": lambda column, value: func.lower(column).is_distinct_from(func.lower(value)),
    "contains": lambda column, value: column.icontains(value, autoescape=True),
    "startsWith": lambda column, value: column.istartswith(value, autoescape=True),
    "endsWith": lambda column, value: column.iendswith(value, autoescape=True),
    "isEmpty": _is_missing,  # contacts keep no empty texts
    "isNotEmpty": lambda column, _: column.is_not(None),
}
NUMBERS: dict[str, Question] = {
    "atLeast": lambda column, value: column >= value,
    "atMost": lambda column, value: column <= value,
    "equals": _is,
}
WORD_OF_A_FEW: dict[str, Question] = {"is": _is, "isNot": _is_not, "isUnknown": _is_missing, "anyOf": _any_of}
TAGS: dict[str, Question] = {
    "anyOf": lambda column, value: column.op("&&", is_comparison=True)(_tags(value)),
    "allOf": lambda column, value: column.op("@>", is_comparison=True)(_tags(value)),
    "noneOf": lambda column, value: not_(column.op("&&", is_comparison=True)(_tags(value))),
}
PURCHASED: dict[str, Question] = {"is": lambda column, value: column > 0 if value else column == 0}

INSTANTS: dict[str, Column] = {"lastOrderAt": Contact.last_order_at, "createdAt": Contact.created_at}
FIELDS: dict[str, tuple[Column, dict[str, Question]]] = {
    "consent": (Contact.consent, WORD_OF_A_FEW),
    "firstName": (Contact.first_name, WORDS),
    "lastName": (Contact.last_name, WORDS),
    "email": (Contact.email, WORDS),
    "tags": (Contact.tags, TAGS),
    "gender": (Contact.gender, WORD_OF_A_FEW),
    "birthMonth": (extract("month", Contact.birth_date), WORD_OF_A_FEW),
    "ordersCount": (Contact.orders_count, NUMBERS),
    "hasPurchased": (Contact.orders_count, PURCHASED),
    "region": (Contact.region, WORD_OF_A_FEW),
}
