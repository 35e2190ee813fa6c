"""A list of contacts as merchants have them: two alphabets, every way to write a number, some mistakes.

The same size and seed always give the same list.
"""

from __future__ import annotations

import csv
import random
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields, replace
from datetime import date, timedelta
from io import StringIO

from app.demo import names

SEED = 20_26
VIP = "vip"
# Last four digits to which the pretend carrier gives a meaning of its own; the others decide by a draw.
REPORTED_TWICE, REPORTED_EARLY = "0005", "0006"
MEANINGFUL = {f"{number:04d}" for number in range(1, 8)}

MOBILES_ABROAD = (
    ("+44", "7400", 6), ("+49", "151", 8), ("+33", "61", 7), ("+39", "347", 7), ("+357", "99", 6),
    ("+34", "612", 6), ("+31", "61", 7), ("+40", "722", 6),
)  # fmt: skip
GREEK_MOBILES = ("690", "693", "694", "695", "697", "698")
GREEK_LANDLINES = ("210", "2310", "2610", "2810")
NO_NUMBERS = ("", "n/a", "θα το φέρει", "6912", "+30 694", "0000000000", "+999 12345678", "12-13-14")
NO_EMAILS = ("maria@", "@example", "no e-mail", "giorgos(at)mail.example")
TO_ASCII = str.maketrans("αβγδεζηθικλμνξοπρσςτυφχψωłøı", "avgdezitiklmnxoprsstyfhpoloi")


@dataclass(frozen=True)
class Row:
    """One line of the file, as written there."""

    first_name: str = ""
    last_name: str = ""
    mobile: str = ""
    email: str = ""
    gender: str = ""
    birth_date: str = ""
    sms_consent: str = ""
    tags: str = ""


@dataclass(frozen=True)
class ContactList:
    """The rows, and how many there are of each kind (a row may be of several)."""

    rows: list[Row]
    kinds: Counter[str]

    def as_csv(self) -> bytes:
        """The file as Excel saves it in Greece: UTF-8 with a mark, semicolons between the cells."""
        text = StringIO()
        writer = csv.writer(text, delimiter=";")
        writer.writerow(field.name.replace("_", " ").capitalize() for field in fields(Row))
        writer.writerows(astuple(row) for row in self.rows)
        return text.getvalue().encode("utf-8-sig")


def make_contacts(count: int, seed: int = SEED) -> ContactList:
    """`count` rows. About one in twelve has something wrong with it, and as many have no consent."""
    source = _Source(random.Random(seed))
    kinds: Counter[str] = Counter()
    rows: list[Row] = []
    for _ in range(count):
        kind, row = source.next_row()
        kinds[kind] += 1
        rows.append(row)
    kinds["opted out"] = sum(row.sms_consent == "opted_out" for row in rows)
    kinds["no consent"] = sum(row.sms_consent == "" for row in rows)
    kinds["no first name"] = sum(row.first_name == "" for row in rows)
    kinds["Greek names"] = sum(_is_greek(row.first_name) for row in rows)
    kinds["emoji in the name"] = sum(any(one in row.first_name for one in names.EMOJI) for row in rows)
    return ContactList(rows, kinds)


class _Source:
    """Where rows come from. Only duplicates repeat a number, and only one that can be texted."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._phones: set[str] = set()
        self._emails: set[str] = set()
        self._ordinary: list[Row] = []

    def next_row(self) -> tuple[str, Row]:
        """A row and its kind."""
        draw = self._chance.random()
        if draw < 0.03 and self._ordinary:
            return "duplicates", self._again(self._chance.choice(self._ordinary))
        person = self._person()
        if draw < 0.05:
            return "invalid numbers", replace(person, mobile=self._chance.choice(NO_NUMBERS))
        if draw < 0.075:
            return "landlines", replace(person, mobile=self._landline())
        if draw < 0.085:
            return "bad e-mails", replace(person, email=self._chance.choice(NO_EMAILS))
        self._ordinary.append(person)
        return "ordinary", person

    def _person(self) -> Row:
        chance = self._chance
        is_woman = chance.random() < 0.58
        first, last, letters = (
            self._greek_name(is_woman) if chance.random() < 0.55 else self._latin_name(is_woman)
        )
        if chance.random() < 0.015:
            first += " " + chance.choice(names.EMOJI)
        if chance.random() < 0.04:
            first, last = "", chance.choice(["", last])
        return Row(
            first_name=first,
            last_name=last,
            mobile=self._mobile(),
            email=self._email(letters) if chance.random() < 0.7 else "",
            gender=chance.choices(["female" if is_woman else "male", ""], [4, 1])[0],
            birth_date=self._birth_date() if chance.random() < 0.5 else "",
            sms_consent=chance.choices(["opted_in", "opted_out", ""], [88, 7, 5])[0],
            tags=chance.choices([VIP, "newsletter", f"{VIP}, newsletter", ""], [10, 25, 10, 55])[0],
        )

    def _greek_name(self, is_woman: bool) -> tuple[str, str, str]:
        first = self._chance.choice(names.GREEK_WOMEN if is_woman else names.GREEK_MEN)
        last = self._chance.choice(names.GREEK_SURNAMES)[is_woman]
        return first, last, _plain(f"{first}.{last}")

    def _latin_name(self, is_woman: bool) -> tuple[str, str, str]:
        first = self._chance.choice(names.LATIN_WOMEN if is_woman else names.LATIN_MEN)
        if self._chance.random() < 0.03:
            first = self._chance.choice(names.LONG_FIRST_NAMES)
        last = self._chance.choice(names.LATIN_SURNAMES)
        return first, last, _plain(f"{first}.{last}")

    def _email(self, letters: str) -> str:
        email = f"{letters}.{self._chance.randrange(10_000)}@{self._chance.choice(['mail', 'post'])}.example"
        return email if self._is_new(email, self._emails) else self._email(letters)

    def _birth_date(self) -> str:
        born = date(1950, 1, 1) + timedelta(days=self._chance.randrange(20_000))
        return born.isoformat() if self._chance.random() < 0.5 else f"{born:%d/%m/%Y}"

    def _mobile(self) -> str:
        if self._chance.random() < 0.18:
            code, start, length = self._chance.choice(MOBILES_ABROAD)
            number = start + self._ending(length)
            return self._abroad(code, number) if self._is_new(code + number, self._phones) else self._mobile()
        number = self._chance.choice(GREEK_MOBILES) + self._ending(7)
        return self._at_home(number) if self._is_new(number, self._phones) else self._mobile()

    def _ending(self, length: int) -> str:
        """Random digits. A few end in what the carrier reports twice, or before it answers."""
        digits = "".join(self._chance.choices("0123456789", k=length))
        special = self._chance.choices([REPORTED_TWICE, REPORTED_EARLY, ""], [1, 1, 98])[0]
        if special:
            return digits[:-4] + special
        return digits if digits[-4:] not in MEANINGFUL else self._ending(length)

    def _at_home(self, number: str) -> str:
        area, rest = number[:3], number[3:]
        return self._chance.choice([
            f"+30 {area} {rest[:3]} {rest[3:]}", f"+30{number}", f"0030{number}", number, f"30{number}",
            f"{number[:4]}-{number[4:]}", f"(+30) {area} {rest}", f"{area}.{rest[:3]}.{rest[3:]}",
            f'="{number}"',
        ])  # fmt: skip

    def _abroad(self, code: str, number: str) -> str:
        spaced = f"{number[:3]} {number[3:6]} {number[6:]}"
        return self._chance.choice([f"{code} {spaced}", code + number, f"00{code[1:]} {number}"])

    def _landline(self) -> str:
        area = self._chance.choice(GREEK_LANDLINES)
        return f"{area} {''.join(self._chance.choices('23456789', k=10 - len(area)))}"

    @staticmethod
    def _again(known: Row) -> Row:
        """Somebody who is in the list already, as typed in a second time."""
        return replace(
            known, mobile=f" {known.mobile} ", last_name=known.last_name.upper(), tags="newsletter"
        )

    @staticmethod
    def _is_new(value: str, seen: set[str]) -> bool:
        is_new = value not in seen
        seen.add(value)
        return is_new


def _plain(name: str) -> str:
    """A name as it stands in an e-mail address."""
    letters = unicodedata.normalize("NFD", name.lower()).replace("ου", "ou").translate(TO_ASCII)
    return "".join(one for one in letters if one.isascii() and (one.isalnum() or one == "."))


def _is_greek(name: str) -> bool:
    return any("\u0370" <= letter <= "\u03ff" for letter in name)


def words_of(rows: Iterable[Row]) -> set[str]:
    """Every name and e-mail address of the list: what must stand in no log."""
    return {word for row in rows for word in (row.first_name, row.last_name, row.email) if len(word) > 3}
