"""Looking for a piece of a name, an e-mail address or a phone number, or for a tag.

`contact_words` has one line per contact under a trigram index. Behind row-level security no text operator of
a query may use an index, but a policy may: so what is looked for travels in a setting that a policy of that
table reads (ADR 19). Pieces without three letters or digits in a row have no trigram: they are met along the
list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, literal, or_, text

from app.contacts.models import Contact
from app.core.uow import require_unit_of_work

PHONE_PUNCTUATION = str.maketrans("", "", " +-().")
HAS_TRIGRAM = re.compile(r"[^\W_]{3}")
SEPARATOR = "\x1f"  # stands around every tag in the words
COUNTED_MOST = 10_000

# The database makes the letters small, as it did when it wrote the words.
SEEK = text("SELECT set_config('app.contact_words', '%' || lower(:part) || '%', true)")
STOP = text("SELECT set_config('app.contact_words', '', true)")
FOUND = text("SELECT contact_id FROM contact_words WHERE shop_id = :shop_id LIMIT :most")


@dataclass(frozen=True)
class Found:
    """Contacts whose words may match; `is_all` when there are no others.

    The condition of the search still has to be asked of them: words run into one another.
    """

    ids: Sequence[int]
    is_all: bool


def condition(q: str) -> ColumnElement[bool]:
    """That a contact has `q` in its full name, e-mail or phone number, or as a tag."""
    words = func.contact_text(Contact.phone, Contact.first_name, Contact.last_name, Contact.email)
    found = [func.strpos(words, func.lower(q)) > 0, literal(q) == Contact.tags.any_()]
    if (digits := _digits(q)) and digits != q:
        found.append(func.strpos(Contact.phone, digits) > 0)
    return or_(*found)


def parts_of(q: str) -> list[str]:
    """One of these is in the words of whoever matches `q`; none when no index can help."""
    return [part for part in dict.fromkeys([q, _digits(q)]) if HAS_TRIGRAM.search(part)]


def parts_of_tags(tags: Sequence[str]) -> list[str]:
    """The same for contacts with one of `tags`."""
    parts = [f"{SEPARATOR}{tag}{SEPARATOR}" for tag in tags]
    return parts if all(map(HAS_TRIGRAM.search, tags)) else []


def find(shop_id: int, parts: Sequence[str], *, most: int = COUNTED_MOST) -> Found:
    """The contacts whose words contain one of `parts`, at most `most`. A step."""
    session = require_unit_of_work()
    ids: dict[int, None] = {}
    for part in parts:
        session.execute(SEEK, {"part": _literal(part)})
        ids |= dict.fromkeys(session.scalars(FOUND, {"shop_id": shop_id, "most": most + 1}))
        if len(ids) > most:
            break
    session.execute(STOP)
    return Found(list(ids)[:most], len(ids) <= most)


def _literal(part: str) -> str:
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _digits(q: str) -> str:
    digits = q.translate(PHONE_PUNCTUATION)
    return digits if digits.isascii() and digits.isdigit() else ""
