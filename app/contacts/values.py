"""Reading what people type about a contact. Raises ValueError with a sentence that can be shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import marshmallow as ma

from app.core.phones import NotAPhone, NotAPhoneReason, Phone, parse_phone

NAME_MAX = 100
EMAIL_MAX = 255
TAG_MAX = 50
TAGS_MAX = 50
# Direction overrides can make one name look like another; joiners stay, emoji are built with them.
DIRECTION = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF])
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(rf"{DAY.pattern}[Tt ][0-9]{{2}}:[0-9]{{2}}[0-9:.]*(?:[Zz]|[+-][0-9]{{2}}:?[0-9]{{2}})?")
PHONE_REFUSALS = {
    NotAPhoneReason.EMPTY: "is required",
    NotAPhoneReason.NOT_A_NUMBER: "is not a phone number",
    NotAPhoneReason.NOT_VALID: "is not a valid phone number",
    NotAPhoneReason.LANDLINE: "is not a mobile number, so it cannot receive texts",
}
valid_email = ma.validate.Email(error="is not a valid e-mail address")


def clean_text(raw: str) -> str | None:
    """Trimmed, on one line, without control characters; None when nothing is left."""
    line = " ".join(raw.split())
    kept = "".join(char for char in line.translate(DIRECTION) if unicodedata.category(char) != "Cc")
    return kept.strip() or None


def clean_name(raw: str) -> str | None:
    """A first or last name."""
    name = clean_text(raw)
    if name and len(name) > NAME_MAX:
        raise ValueError(f"must not be longer than {NAME_MAX} characters")
    return name


def clean_email(raw: str) -> str | None:
    """Trimmed and in lower case; None when empty."""
    email = raw.strip().lower()
    if not email:
        return None
    if len(email) > EMAIL_MAX:
        raise ValueError(f"must not be longer than {EMAIL_MAX} characters")
    try:
        return valid_email(email)
    except ma.ValidationError as invalid:
        raise ValueError(str(invalid.messages[0])) from None


def clean_tags(raw: Iterable[str]) -> list[str]:
    """Each tag trimmed and once, in the order given."""
    tags = list(dict.fromkeys(tag for tag in map(clean_text, raw) if tag))
    if any(len(tag) > TAG_MAX for tag in tags):
        raise ValueError(f"must not contain a tag longer than {TAG_MAX} characters")
    if len(tags) > TAGS_MAX:
        raise ValueError(f"must not contain more than {TAGS_MAX} tags")
    return tags


def read_phone(raw: str, country: str) -> Phone:
    """A number that can receive texts; `country` is where national numbers belong."""
    try:
        return parse_phone(raw, country)
    except NotAPhone as refusal:
        raise ValueError(PHONE_REFUSALS[refusal.reason]) from None


def read_birth_date(raw: str, zone: ZoneInfo, today: date) -> date | None:
    """The calendar day of `2001-05-15` or of an ISO moment; None when empty.

    One client sends UTC midnight of the picked day, the other local midnight as UTC: at exactly 00:00 UTC the
    day is UTC's, at any other moment the shop's.
    """
    value = raw.strip()
    if not value:
        return None
    try:
        day = date.fromisoformat(value) if DAY.fullmatch(value) else _day_of_moment(value, zone)
    except (ValueError, OverflowError):
        raise ValueError("is not a date (YYYY-MM-DD)") from None
    if day > today:
        raise ValueError("must not be in the future")
    return day


def _day_of_moment(value: str, zone: ZoneInfo) -> date:
    if not MOMENT.fullmatch(value):
        raise ValueError(value)
    moment = datetime.fromisoformat(value.upper())
    if moment.tzinfo is None:
        return moment.date()
    utc = moment.astimezone(UTC)
    return utc.date() if utc.time() == time.min else utc.astimezone(zone).date()
