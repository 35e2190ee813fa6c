"""The list of contacts that the demo imports."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from app.core.phones import NotAPhone, parse_phone
from app.demo.people import make_contacts

WITHOUT_A_MOBILE = ("invalid numbers", "landlines")


def test_the_same_size_gives_the_same_list():
    assert make_contacts(300).as_csv() == make_contacts(300).as_csv()


def test_the_file_reads_as_the_rows():
    made = make_contacts(300)

    read = list(csv.DictReader(StringIO(made.as_csv().decode("utf-8-sig")), delimiter=";"))

    assert [line["Mobile"] for line in read] == [row.mobile for row in made.rows]
    assert [line["First name"] for line in read] == [row.first_name for row in made.rows]


def test_every_mobile_number_is_one_and_only_duplicates_repeat_one():
    made = make_contacts(2000)
    phones, refused = [], 0

    for row in made.rows:
        try:
            phones.append(parse_phone(row.mobile.strip(" ='\""), "GR").e164)
        except NotAPhone:
            refused += 1

    assert refused == sum(made.kinds[kind] for kind in WITHOUT_A_MOBILE)
    assert len(phones) - len(set(phones)) == made.kinds["duplicates"]


@pytest.mark.parametrize(
    "kind",
    [
        *WITHOUT_A_MOBILE,
        *("duplicates", "bad e-mails", "opted out", "no consent", "no first name"),
        *("Greek names", "emoji in the name"),
    ],
)
def test_the_list_has_some_of_every_kind(kind: str):
    assert make_contacts(2000).kinds[kind] >= 10
