"""What one row means."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.contacts.importing.rows import Rules, read_row, together

GREECE = Rules("GR", ZoneInfo("Europe/Athens"), date(2026, 6, 1))
PHONE = "+306912345678"


def read(**fields):
    return read_row(7, {"phoneE164": PHONE, **fields}, GREECE)


def warned_fields(problems):
    return [problem.field for problem in problems]


def test_a_full_row_is_taken_as_written():
    row, problems = read(
        firstName="Μαρία",
        lastName="O'Neil",
        email=" Maria@Example.com ",
        gender="Female",
        birthDate="1990-05-15",
        smsConsent="opted_in",
        tags="VIP; Athens|VIP",
    )

    assert problems == []
    assert row == (
        7, PHONE, "GR", "Μαρία", "O'Neil", "maria@example.com", "female", date(1990, 5, 15), "opted_in",
        ("VIP", "Athens"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "written",
    [
        "6912345678",
        "691 234 5678",
        "306912345678",
        "00306912345678",
        '="+306912345678"',
        "'+306912345678",
        6912345678,
    ],
)
def test_a_phone_is_read_in_every_usual_spelling(written):
    row, problems = read_row(1, {"phoneE164": written}, GREECE)

    assert row.phone == PHONE
    assert problems == []


@pytest.mark.parametrize(
    "written", [None, "", "abc", "12", "+302101234567", "3,06912E+11", "\x00", [], {}, True]
)
def test_a_row_without_a_phone_that_can_receive_texts_is_skipped_with_one_error(written):
    row, problems = read_row(3, {"phoneE164": written, "email": "junk"}, GREECE)

    assert row is None
    assert [(problem.row, problem.field) for problem in problems] == [(3, "phoneE164")]


@pytest.mark.parametrize(
    ("field", "written"),
    [
        ("email", "junk"),
        ("email", "a@b@c.gr"),
        ("email", "a\x00@b.gr"),
        ("email", "x" * 251 + "@b.gr"),
        ("birthDate", "yesterday"),
        ("birthDate", "2001-02-30"),
        ("birthDate", "2026-06-02"),
        ("birthDate", "0001-01-01"),
        ("birthDate", {"year": 1}),
        ("firstName", ["a"]),
    ],
)
def test_a_bad_value_is_dropped_with_a_warning_that_names_the_field(field, written):
    row, problems = read(**{field: written})

    assert row == (7, PHONE, "GR", None, None, None, None, None, None, None)
    assert warned_fields(problems) == [field]
    assert problems[0].phone == PHONE


def test_words_that_are_not_ours_say_nothing_about_gender_and_consent():
    row, problems = read(gender="__not_specified__", smsConsent="yes please")

    assert (row.gender, row.consent, problems) == (None, None, [])


@pytest.mark.parametrize("written", ["opted_in", "Opted-In", " OPTED IN "])
def test_consent_is_recognised_however_it_is_spelled(written):
    assert read(smsConsent=written)[0].consent == "opted_in"


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("15/05/1990", date(1990, 5, 15)),
        ("5.3.1990", date(1990, 3, 5)),
        ("1990/05/15", date(1990, 5, 15)),
        ("1990-05-15T00:00:00.000Z", date(1990, 5, 15)),
        ("1990-05-14T21:00:00.000Z", date(1990, 5, 15)),
    ],
)
def test_dates_are_read_day_first_and_in_the_shops_zone(written, day):
    assert read(birthDate=written)[0].birth_date == day


def test_american_dates_have_the_month_first():
    america = Rules("US", ZoneInfo("America/New_York"), date(2026, 6, 1))

    row, _ = read_row(1, {"phoneE164": PHONE, "birthDate": "05/15/1990"}, america)

    assert row.birth_date == date(1990, 5, 15)


def test_a_name_is_trimmed_and_cut_and_loses_control_characters_but_no_emoji():
    cut, cut_problems = read(firstName="é" * 101)
    cleaned, problems = read(firstName=" A\x00n\nna 👩‍👩‍👧 \ud800", lastName="   ")

    assert (cut.first_name, warned_fields(cut_problems)) == ("é" * 100, ["firstName"])
    assert (cleaned.first_name, cleaned.last_name) == ("An na 👩‍👩‍👧", None)
    assert warned_fields(problems) == ["firstName"]


def test_too_many_or_too_long_tags_are_cut():
    row, problems = read(tags=[f"tag {number}" for number in range(60)] + ["x" * 51])
    long, _ = read(tags="x" * 51)

    assert len(row.tags) == 50
    assert warned_fields(problems) == ["tags"]
    assert long.tags == ("x" * 50,)


def test_of_two_rows_about_a_phone_the_later_word_counts_but_no_opt_out_is_undone():
    earlier, _ = read(firstName="Anna", email="a@b.gr", smsConsent="opted_out")
    later, _ = read(firstName="Άννα", smsConsent="opted_in")

    both = together(earlier, later)

    assert (both.first_name, both.email, both.consent) == ("Άννα", "a@b.gr", "opted_out")


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
FIELDS = ["firstName", "lastName", "email", "gender", "birthDate", "smsConsent", "tags"]


@given(st.dictionaries(st.sampled_from([*FIELDS, "phoneE164", "phone"]), anything), st.booleans())
def test_no_row_is_so_bad_that_it_raises_or_cannot_be_stored(fields, with_phone):
    row, problems = read_row(1, {**fields, "phoneE164": PHONE} if with_phone else fields, GREECE)

    texts = [*(row or ()), *(row.tags or () if row else ()), *(text for one in problems for text in one)]
    for text in texts:
        if isinstance(text, str):
            assert "\x00" not in text
            text.encode()  # raises for half a surrogate pair
    assert len({problem.field for problem in problems}) == len(problems)
    assert not row or not {"\t", "\n", "\r"} & set("".join(text for text in texts if isinstance(text, str)))
