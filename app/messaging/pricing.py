"""What a text costs for each recipient, as one SQL expression.

A rendered text is the literals plus the recipient's values, so its length is a sum of lengths that the
contact row
already keeps. The number of parts follows from the length alone unless a two-unit character (an escape, an
emoji) could meet a part boundary; only those rows are rendered in SQL and packed exactly by `sms_parts`. The
property test in tests/messaging/test_pricing.py holds this to the Python renderer.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, Integer, SmallInteger, case, cast, func, literal
from sqlalchemy.sql import ColumnCollection

from app.core.settings import settings
from app.messaging.text.alphabet import GSM_EXTENSION, septets, utf16_units
from app.messaging.text.parts import PART_UNITS, SINGLE_UNITS, Encoding
from app.messaging.text.template import Literal, Slot, Template

# The recipient columns that a priced selectable must have; app.contacts.queries.opted_in has them.
PRICED_COLUMNS = (
    "phone",
    "email",
    "first_name",
    "first_name_septets",
    "first_name_utf16",
    "last_name",
    "last_name_septets",
    "last_name_utf16",
)
# Slots whose lengths are counted when they are asked for, with the columns of their values. `discount_code`
# is there only where everybody is given a code of his own.
PLAIN_SLOTS = {"phone": "phone", "email": "email", "discount.code": "discount_code"}


@dataclass(frozen=True)
class SlotValue:
    """One merge value in SQL: its text and its length in both alphabets (septets is -1 when it is not
    GSM-7).
    """

    text: ColumnElement[str]
    septets: ColumnElement[int]
    utf16: ColumnElement[int]


def slot_value(name: str, columns: ColumnCollection[str, ColumnElement[object]]) -> SlotValue:
    """The value of a campaign's slot. Raises KeyError for a name that the recipients do not have."""
    if name in {"firstName", "lastName"}:
        column = "first_name" if name == "firstName" else "last_name"
        return SlotValue(
            func.coalesce(func.merge_value(columns[column]), ""),
            func.coalesce(columns[f"{column}_septets"], 0),
            func.coalesce(columns[f"{column}_utf16"], 0),
        )
    text = func.coalesce(func.merge_value(columns[PLAIN_SLOTS[name]]), "")
    return SlotValue(text, func.sms_septets(text), func.sms_utf16(text))


def parts_of(template: Template, recipients: FromClause) -> ColumnElement[int]:
    """The exact parts of `template` for a row of `recipients`, never less than one."""
    slots = [part for part in template.segments if isinstance(part, Slot)]
    values = {slot.name: slot_value(slot.name, recipients.c) for slot in slots}
    letters = "".join(part.text for part in template.segments if isinstance(part, Literal))
    exact = func.sms_parts(_rendered(template, values))
    wide = _parts(Encoding.UCS2, _units(utf16_units(letters), slots, values, "utf16"), exact)
    narrow_letters = septets(letters)
    if narrow_letters is None:
        return cast(wide, SmallInteger)
    narrow = _parts(Encoding.GSM7, _units(narrow_letters, slots, values, "septets"), exact)
    if not slots:
        return cast(narrow, SmallInteger)
    return cast(case((is_gsm(template, recipients), narrow), else_=wide), SmallInteger)


def credits_of(template: Template, recipients: FromClause) -> ColumnElement[int]:
    """What `template` costs for a row of `recipients`."""
    return parts_of(template, recipients) if settings().credit_unit == "part" else literal(1, SmallInteger)


def shape_of(template: Template) -> tuple[object, ...]:
    """All that a price depends on beside the recipient: texts of one shape cost everybody the same."""
    letters = "".join(part.text for part in template.segments if isinstance(part, Literal))
    in_gsm = septets(letters) is not None
    shape: list[object] = [in_gsm]
    for part in template.segments:
        if isinstance(part, Literal):
            shape.append("".join("2" if _is_wide(letter, in_gsm) else "1" for letter in part.text))
        else:
            shape.append((part.name, part.before, part.after))
    return tuple(shape)


def _is_wide(letter: str, in_gsm: bool) -> bool:
    return letter in GSM_EXTENSION if in_gsm else letter > "\uffff"


def is_gsm(template: Template, recipients: FromClause) -> ColumnElement[bool]:
    """Whether a row's text stays in the cheap alphabet."""
    if septets(template.literal_text) is None:
        return literal(False)
    if not template.slot_names:
        return literal(True)
    return func.least(*(slot_value(name, recipients.c).septets for name in template.slot_names), 0) >= 0


def _units(
    letters: int, slots: list[Slot], values: dict[str, SlotValue], alphabet: str
) -> ColumnElement[int]:
    total: ColumnElement[int] = literal(letters, Integer)
    for slot in slots:
        units: ColumnElement[int] = cast(getattr(values[slot.name], alphabet), Integer)
        blanks = len(slot.before + slot.after)
        total = total + (case((units == 0, 0), else_=units + blanks) if blanks else units)
    return total


def _parts(encoding: Encoding, units: ColumnElement[int], exact: ColumnElement[int]) -> ColumnElement[int]:
    one, room = SINGLE_UNITS[encoding], PART_UNITS[encoding]
    # Packing wastes at most one unit a part: when even that does not change the count, the sum is the answer.
    at_best, at_worst = (units + room - 1) // room, (units + room - 2) // (room - 1)
    return case((units <= one, 1), (at_best == at_worst, at_best), else_=exact)


def _rendered(template: Template, values: dict[str, SlotValue]) -> ColumnElement[str]:
    pieces: list[ColumnElement[str]] = []
    for part in template.segments:
        if isinstance(part, Literal):
            pieces.append(literal(part.text))
        else:
            text = values[part.name].text
            filled = func.concat(part.before, text, part.after) if part.before or part.after else text
            pieces.append(case((text == "", ""), else_=filled))
    return func.concat("", *pieces)
