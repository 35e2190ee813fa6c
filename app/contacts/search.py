"""Looking for a piece of a name, an e-mail address or a phone number, or for a tag.

`contact_words` has one line per contact under a trigram index. Behind row-level security no text operator of
a query may use an index, but a policy may: so what is looked for travels in a setting that a policy of that
table reads (ADR 19).

A piece that many contacts have is not looked up: the index would name all of them before the first could be
read, so words are read until there are enough. Whether there are many, a small sample tells: the planner may
not look at statistics behind a policy. Pieces without three letters or digits in a row have no trigram. One
or two letters are therefore looked for where words begin, which the index knows; for others, such as two
digits, all words of the shop are read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, TextClause, any_, func, literal, or_, text

from app.contacts.models import Contact
from app.core.uow import require_unit_of_work

PHONE_PUNCTUATION = str.maketrans("", "", " +-().")
HAS_TRIGRAM = re.compile(r"[^\W_]{3}")
SHORT = re.compile(r"(?=.*[^\W\d_])[^\W_]{1,2}")  # one or two signs of a word, with a letter among them
BEFORE_WORDS = ("\n", " ", ".", "@", "-", "_", "+", "'", "\u2019")
SEPARATOR = "\x1f"  # stands around every tag in the words
BETWEEN_PATTERNS = "\x1e"
COUNTED_MOST = 10_000

# The database makes the letters small, as it did when it wrote the words. It takes a short piece for a common
# one, and would rather walk the key.
SEEK = text("""
    SELECT set_config('app.contact_words', lower(:patterns), true),
      set_config('enable_indexscan', 'off', true)""")
STOP = text("""
    SELECT set_config('app.contact_words', '', true), set_config('enable_indexscan', 'on', true)""")
# One array, not thousands of rows: as many objects would make the garbage collector look through all others.
FOUND = text("SELECT ARRAY(SELECT contact_id FROM contact_words WHERE shop_id = :shop_id LIMIT :most)")

# The shop's oldest and newest contacts stand for all. It decides how to search, never what is found. From
# here on the transaction reads no whole table: what is found is looked at by its ids, however many they are.
SAMPLED = 1_000
SHARE = text("""
    SELECT count(*) FILTER (WHERE words LIKE ANY (string_to_array(lower(:patterns), E'\\x1e')))::float8
      / greatest(count(*), 1), set_config('enable_seqscan', 'off', true)
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
      WHERE words LIKE ANY (string_to_array(lower(:patterns), E'\\x1e')) LIMIT :most)""")
READ = text("""
    SELECT ARRAY(
      SELECT contact_id FROM contact_words
      WHERE shop_id = :shop_id AND words LIKE ANY (string_to_array(lower(:patterns), E'\\x1e'))
      LIMIT :most)""")
COMMON = 0.07  # from this share on, reading words is faster than gathering all that have the piece


@dataclass(frozen=True)
class Found:
    """Contacts whose words may match; `is_all` when there are no others.

    The condition of the search still has to be asked of them: words run into one another.
    """

    ids: Sequence[int]
    is_all: bool


def condition(q: str) -> ColumnElement[bool]:
    """That a contact has `q` in its full name, e-mail or phone number, or as a tag.

    One or two letters are looked for where words begin.
    """
    words = func.contact_text(Contact.phone, Contact.first_name, Contact.last_name, Contact.email)
    found = [literal(q) == Contact.tags.any_()]
    if SHORT.fullmatch(q):
        beginnings = literal(BETWEEN_PATTERNS.join(_beginnings(q)))
        found.append(words.like(any_(func.string_to_array(func.lower(beginnings), BETWEEN_PATTERNS))))
    else:
        found.append(func.strpos(words, func.lower(q)) > 0)
    if (digits := _digits(q)) and digits != q:
        found.append(func.strpos(Contact.phone, digits) > 0)
    return or_(*found)


def patterns_of(q: str) -> list[str]:
    """Whoever matches `q` has words like one of these. When any has a trigram, those that have none are left
    out: phones are looked up by their digits.
    """
    if SHORT.fullmatch(q):
        return [*_beginnings(q), f"%{SEPARATOR}{q}{SEPARATOR}%"]
    parts = [part for part in dict.fromkeys([q, _digits(q)]) if part]
    chosen = [part for part in parts if HAS_TRIGRAM.search(part)] or parts
    return [f"%{_literal(part)}%" for part in chosen]


def patterns_of_tags(tags: Sequence[str]) -> list[str]:
    """The same for contacts with one of `tags`."""
    patterns = [f"%{SEPARATOR}{_literal(tag)}{SEPARATOR}%" for tag in tags]
    return patterns if all(map(HAS_TRIGRAM.search, tags)) else []


def find(shop_id: int, patterns: Sequence[str], *, most: int = COUNTED_MOST) -> Found:
    """The contacts whose words are like one of `patterns`, at most `most`. A step."""
    given = {"shop_id": shop_id, "patterns": BETWEEN_PATTERNS.join(patterns), "most": most + 1}
    ids = _met(given) or _looked_up(given, patterns)
    return Found(ids[:most], len(ids) <= most)


def _met(given: dict[str, Any]) -> Sequence[int]:
    """So many contacts with a common piece; none for a rarer one, or when the sample was wrong about it."""
    share = require_unit_of_work().scalar(SHARE, given) or 0
    if share < COMMON:
        return []
    met = _ids(MET, {**given, "looked_at": int(2 * given["most"] / share) + SAMPLED})
    return met if len(met) == given["most"] else []


def _looked_up(given: dict[str, Any], patterns: Sequence[str]) -> Sequence[int]:
    if not all(_is_indexed(pattern) for pattern in patterns):
        return _ids(READ, given)
    session = require_unit_of_work()
    session.execute(SEEK, given)
    found = _ids(FOUND, given)
    session.execute(STOP)
    return found


def _is_indexed(pattern: str) -> bool:
    """Whether a trigram can be taken from it: of three signs in a row, or of the beginning of a word."""
    return bool(HAS_TRIGRAM.search(pattern) or re.search(r"[\W_][^\W_]", pattern[1:]))


def _ids(statement: TextClause, given: dict[str, Any]) -> Sequence[int]:
    found: list[int] = require_unit_of_work().execute(statement, given).scalar_one()
    return found


def _beginnings(q: str) -> list[str]:
    return [f"%{_literal(sign)}{q}%" for sign in BEFORE_WORDS]


def _literal(part: str) -> str:
    return part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _digits(q: str) -> str:
    digits = q.translate(PHONE_PUNCTUATION)
    return digits if digits.isascii() and digits.isdigit() else ""
