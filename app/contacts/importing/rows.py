"""What one row of a list means. Pure: no database, no clock, and no row is so bad that it raises."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.contacts.models import Consent, Gender
from app.contacts.values import (
    NAME_MAX,
    TAG_MAX,
    TAGS_MAX,
    clean_email,
    clean_text,
    read_birth_date,
)
from app.core.phones import NotAPhone, NotAPhoneReason, parse_phone

SHOWN_MAX = 200
OLDEST_YEAR = 1900


@dataclass(frozen=True)
class Rules:
    """What the shop decides about a row: the country of national numbers, the zone, the day it is there."""

    region: str
    zone: ZoneInfo
    today: date


class Row(NamedTuple):
    """One contact as the list gives it. None means that the row says nothing about the field."""

    number: int
    phone: str
    region: str
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    gender: str | None = None
    birth_date: date | None = None
    consent: str | None = None
    tags: tuple[str, ...] | None = None


class Problem(NamedTuple):
    """One field that was not taken as written. `phone` says whose row it is, as well as is known."""

    row: int
    field: str
    value: str | None
    message: str
    phone: str | None


Reading = tuple[object, str | None]  # the value to keep (None: none), and what the owner of the list is told

PHONE_COMPLAINTS = {
    NotAPhoneReason.EMPTY: "The phone number is missing.",
    NotAPhoneReason.NOT_A_NUMBER: "This is not a phone number.",
    NotAPhoneReason.NOT_VALID: "This phone number does not exist. Abroad it needs its country code.",
    NotAPhoneReason.LANDLINE: "This is not a mobile number: it cannot receive texts.",
}
# Spreadsheets wrap numbers as ="+30…" or '+30… to keep them text.
PHONE_WRAPPING = " \t'\"=\u00a0"
# What nearly every address looks like; the others are judged by `values`, thirty times slower.
PLAIN_EMAIL = re.compile(
    r"[a-z0-9_]+(?:[.+-][a-z0-9_]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,6}"
).fullmatch
TAG_SEPARATOR = re.compile(r"[;|,]")
YEAR_FIRST = re.compile(r"(\d{4})[/.](\d{1,2})[/.](\d{1,2})", re.ASCII).fullmatch
PLAIN_EMAIL_MAX = 64  # well below every limit on the parts of an address
NOT_AN_EMAIL = "This is not an e-mail address. The contact was kept without it."
YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", re.ASCII).fullmatch
GENDERS = {
    **{gender.value: gender.value for gender in Gender},
    **dict.fromkeys(("m", "man", "άνδρας", "άντρας", "άρρεν"), Gender.MALE.value),
    **dict.fromkeys(("f", "woman", "γυναίκα", "θήλυ"), Gender.FEMALE.value),
}
# Consent is never guessed: only our own words count, however they are spelled.
CONSENTS = {Consent.OPTED_IN.value, Consent.OPTED_OUT.value}


def read_row(number: int, given: Mapping[str, object], rules: Rules) -> tuple[Row | None, list[Problem]]:
    """The contact in a row (None when its phone is unusable), and what was wrong with it.

    `given` has the API's field names. At most one problem per field.
    """
    problems: list[Problem] = []
    written = _as_text(given.get("phoneE164") or given.get("phone")) or ""
    try:
        phone = parse_phone(written.strip(PHONE_WRAPPING), rules.region)
    except NotAPhone as refusal:
        shown = presentable(written)
        return None, [Problem(number, "phoneE164", shown, PHONE_COMPLAINTS[refusal.reason], shown)]
    kept: dict[str, object] = {}
    for field, name, read in FIELDS:
        raw = given.get(field)
        if raw is None or raw == "":
            continue
        kept[name], complaint = read(raw, rules)
        if complaint:
            problems.append(Problem(number, field, presentable(raw), complaint, phone.e164))
    return Row(number, phone.e164, phone.region, **kept), problems  # type: ignore[arg-type]


def together(earlier: Row, later: Row) -> Row:
    """Two rows about one phone, as if taken one by one: the later word counts, but undoes no opt-out."""
    said = later._asdict()
    merged = later._replace(
        **{name: value for name, value in earlier._asdict().items() if said[name] is None},
    )
    return merged._replace(consent=earlier.consent) if earlier.consent == Consent.OPTED_OUT else merged


def presentable(raw: object) -> str:
    """A bad value as it may be stored and shown: cut, without what no database text can hold."""
    value = str(raw)[:SHOWN_MAX]
    return value if value.isprintable() else "".join(map(_visible, value))


def _visible(character: str) -> str:
    return "\ufffd" if unicodedata.category(character) in {"Cc", "Cs"} else character


def clean(value: str) -> tuple[str, bool]:
    """`values.clean_text` for any text at all; and whether control characters had to be removed."""
    if value.isprintable() and "  " not in value:
        return value.strip(), False
    storable = value.encode(errors="ignore").decode()  # JSON may contain halves of surrogate pairs
    controls = any(unicodedata.category(one) == "Cc" and not one.isspace() for one in storable)
    return clean_text(storable) or "", controls or len(storable) < len(value)


# --- one field each


def _name(raw: object, _rules: Rules) -> Reading:
    text = _as_text(raw)
    if text is None:
        return None, "This is not text."
    name, removed = clean(text)
    complaint = "Control characters were removed." if removed else None
    if len(name) > NAME_MAX:
        name, complaint = name[:NAME_MAX].rstrip(), f"The name was cut to {NAME_MAX} characters."
    return name or None, complaint


def _email(raw: object, _rules: Rules) -> Reading:
    email = (_as_text(raw) or "").strip().lower()
    if len(email) < PLAIN_EMAIL_MAX and PLAIN_EMAIL(email):
        return email, None
    try:
        known = clean_email(email) if email.isprintable() else None
    except ValueError:
        known = None
    complaint = None if known or (isinstance(raw, str) and not email) else NOT_AN_EMAIL
    return known, complaint


def _gender(raw: object, _rules: Rules) -> Reading:
    return GENDERS.get((_as_text(raw) or "").strip().lower()), None


def _consent(raw: object, _rules: Rules) -> Reading:
    word = re.sub(r"[\s-]+", "_", (_as_text(raw) or "").strip().lower())
    return (word if word in CONSENTS else None), None


def _birth_date(raw: object, rules: Rules) -> Reading:
    text = (_as_text(raw) or "").strip()
    if not text and isinstance(raw, str):
        return None, None
    try:
        born = read_birth_date(_year_first(text, rules.region), rules.zone, rules.today)
    except ValueError as refusal:
        return None, f"The birth date {refusal}. The contact was kept without it."
    if born is None or born.year < OLDEST_YEAR:
        return None, f"The birth date must not be before {OLDEST_YEAR}. The contact was kept without it."
    return born, None


def _year_first(text: str, region: str) -> str:
    """A date as spreadsheets write it, as YYYY-MM-DD; any other text as it is."""
    found = YEAR_FIRST(text)
    if found:
        year, month, day = found.groups()
    else:
        found = YEAR_LAST(text)
        if not found:
            return text
        first, second, year = found.groups()
        day, month = (second, first) if region == "US" else (first, second)
    return f"{year}-{month:0>2}-{day:0>2}"


def _tags(raw: object, _rules: Rules) -> Reading:
    pieces = raw if isinstance(raw, list) else TAG_SEPARATOR.split(_as_text(raw) or "")
    cleaned = [clean(text) for text in map(_as_text, pieces) if text]
    tags = list(dict.fromkeys(tag for tag, _ in cleaned if tag))
    complaint = None
    if any(removed for _, removed in cleaned):
        complaint = "Control characters were removed."
    if len(tags) > TAGS_MAX or any(len(tag) > TAG_MAX for tag in tags):
        complaint = f"Only {TAGS_MAX} tags of at most {TAG_MAX} characters are kept."
        tags = list(dict.fromkeys(tag[:TAG_MAX].rstrip() for tag in tags))[:TAGS_MAX]
    return tuple(tags) or None, complaint


def _as_text(raw: object) -> str | None:
    """The text of a scalar; None for what is neither text nor a number."""
    if isinstance(raw, str):
        return raw
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return str(int(raw)) if isinstance(raw, float) and raw.is_integer() else str(raw)
    return None


FIELDS: tuple[tuple[str, str, Callable[[object, Rules], Reading]], ...] = (
    ("firstName", "first_name", _name),
    ("lastName", "last_name", _name),
    ("email", "email", _email),
    ("gender", "gender", _gender),
    ("birthDate", "birth_date", _birth_date),
    ("smsConsent", "consent", _consent),
    ("tags", "tags", _tags),
)
