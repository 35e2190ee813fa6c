"""The opaque word that says where a reader of a list stands, and that only the same list takes back."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from app.contacts.queries import ContactFilter
from app.contacts.walking import Key, Position
from app.core.errors import ValidationFailed

MAX_ID = 2**63 - 1
READERS: dict[str, Callable[[str], Key]] = {
    "createdAt": datetime.fromisoformat,
    "updatedAt": datetime.fromisoformat,
    "birthDate": date.fromisoformat,
    "firstName": str,
    "lastName": str,
}


@dataclass(frozen=True)
class Cursor:
    """A position, and the total as it was counted for the first page: it is not counted again."""

    position: Position
    total: int
    is_exact: bool


def write(cursor: Cursor, wanted: ContactFilter) -> str:
    """The cursor for the next request about the same list."""
    key = cursor.position.key
    told = key.isoformat() if isinstance(key, date) else key
    content = [_list_of(wanted), told, cursor.position.contact_id, cursor.total, cursor.is_exact]
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def read(given: str, wanted: ContactFilter) -> Cursor:
    """The cursor that was given out. Raises ValidationFailed when it is none, or that of another list.

    It is not signed: whoever makes one up stands somewhere else in their own list.
    """
    try:
        padded = given.encode("ascii") + b"=" * (-len(given) % 4)
        belongs_to, told, contact_id, total, is_exact = json.loads(urlsafe_b64decode(padded))
        position = Position(_key(told, wanted), _number(contact_id))
        cursor = Cursor(position, _number(total), is_exact is True)
    except (ValueError, TypeError, RecursionError):
        raise ValidationFailed("cursor", "is not a cursor that this list has given") from None
    if belongs_to != _list_of(wanted):
        raise ValidationFailed("cursor", "belongs to a list with other filters or another order")
    return cursor


def _key(told: object, wanted: ContactFilter) -> Key:
    if told is None and wanted.sort_by not in {"createdAt", "updatedAt"}:
        return None
    if not isinstance(told, str) or "\x00" in told:
        raise ValueError(told)
    told.encode()  # a lone surrogate is no text
    key = READERS[wanted.sort_by](told)
    if isinstance(key, datetime) and key.tzinfo is None:
        raise ValueError(told)
    return key


def _number(told: object) -> int:
    if not isinstance(told, int) or not 0 <= told <= MAX_ID:
        raise ValueError(told)
    return told


def _list_of(wanted: ContactFilter) -> str:
    return hashlib.sha256(repr(wanted).encode()).hexdigest()[:12]
