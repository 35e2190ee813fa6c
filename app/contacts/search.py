"""Looking for a piece of a name, an e-mail address or a phone number, or for a tag.

`contact_words` has one line per contact under a trigram index. Behind row-level security no text operator of
a query may use an index, but a policy may: so what is looked for travels in a setting that a policy of that
table reads (ADR 19).

A piece that many contacts have is not looked up: the index would name all of them before the first could be
read, so words are read until there are enough. Whether there are many, a small sample tells: the planner may
not look at statistics behind a policy. Pieces without three letters or digits in a row have no trigram:
all words of the shop are read for them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, TextClause, func, literal, or_, text

from app.contacts.models import Contact
from app.core.uow import require_unit_of_work

PHONE_PUNCTUATION = str.maketrans("", "", " +-().")
HAS_TRIGRAM = re.compile(r"[^\W_]{3}")
SEPARATOR = "\x1f"  # stands around every tag in the words
COUNTED_MOST = 10_000

# The database makes the letters small, as it did when it wrote the words.
SEEK = text("SELECT set_config('app.contact_words', '%' || lower(:part) || '%', true)")
STOP = text("SELECT set_config('app.contact_words', '', true)")
# One array, not thousands of rows: as many objects would make the garbage collector look through all others.
FOUND = text("SELECT ARRAY(SELECT contact_id FROM contact_words WHERE shop_id = :shop_id LIMIT :most)")

# The shop's oldest and newest contacts stand for all. It decides how to search, never what is found.
SAMPLED = 1_000
SHARE = text("""
    SELECT count(*) FILTER (WHERE words LIKE '%' || lower(:part) || '%')::float8 / greatest(count(*), 1)
    FROM (
      (SELECT words FROM contact_words WHERE shop_id = :shop_id ORDER BY contact_id LIMIT 500)
      UNION ALL
      (SELECT words FROM contact_words WHERE shop_id = :shop_id ORDER BY contact_id DESC LIMIT 500)
    ) AS sampled""")
# The inner limit keeps to the primary key's order; the outer one ends the reading.
MET = text("""
    SELECT ARRAY(
      SELECT contact_id FROM (
        SELECT contact_id, words FROM contact_words WHERE shop_id = :shop_id
        ORDER BY contact_id DESC LIMIT :looked_at) AS looked_at
      WHERE words LIKE '%' || lower(:part) || '%' LIMIT :most)""")
READ = text("""
    SELECT ARRAY(SELECT contact_id FROM contact_words
                 WHERE shop_id = :shop_id AND words LIKE '%' || lower(:part) || '%' LIMIT :most)""")
COMMON = 0.07  # from this share on, reading words is faster than gathering all that have the piece


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
    """One of these is in the words of whoever matches `q`. When any has a trigram, those that have none are
    left out: phones are looked up by their digits.
    """
    parts = [part for part in dict.fromkeys([q, _digits(q)]) if part]
    return [part for part in parts if HAS_TRIGRAM.search(part)] or parts


def parts_of_tags(tags: Sequence[str]) -> list[str]:
    """The same for contacts with one of `tags`."""
    parts = [f"{SEPARATOR}{tag}{SEPARATOR}" for tag in tags]
    return parts if all(map(HAS_TRIGRAM.search, tags)) else []


def find(shop_id: int, parts: Sequence[str], *, most: int = COUNTED_MOST) -> Found:
    """The contacts whose words contain one of `parts`, at most `most`. A step."""
    ids: dict[int, None] = {}
    for part in parts:
        ids |= dict.fromkeys(_met(shop_id, part, most + 1) or _looked_up(shop_id, part, most + 1))
        if len(ids) > most:
            break
    return Found(list(ids)[:most], len(ids) <= most)


def _met(shop_id: int, part: str, most: int) -> Sequence[int]:
    """So many contacts with a common piece; none for a rarer one, or when the sample was wrong about it."""
    session, given = require_unit_of_work(), {"shop_id": shop_id, "part": _literal(part)}
    share = session.scalar(SHARE, given) or 0
    if share < COMMON:
        return []
    looked_at = int(2 * most / share) + SAMPLED
    met = _ids(MET, {**given, "looked_at": looked_at, "most": most})
    return met if len(met) == most else []


def _looked_up(shop_id: int, part: str, most: int) -> Sequence[int]:
    session = require_unit_of_work()
    if not HAS_TRIGRAM.search(part):
        return _ids(READ, {"shop_id": shop_id, "part": _literal(part), "most": most})
    session.execute(SEEK, {"part": _literal(part)})
    found = _ids(FOUND, {"shop_id": shop_id, "most": most})
    session.execute(STOP)
    return found


def _ids(statement: TextClause, given: dict[str, Any]) -> Sequence[int]:
    found: list[int] = require_unit_of_work().execute(statement, given).scalar_one()
    return found


def _literal(part: str) -> str:
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _digits(q: str) -> str:
    digits = q.translate(PHONE_PUNCTUATION)
    return digits if digits.isascii() and digits.isdigit() else ""
