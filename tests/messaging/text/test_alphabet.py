"""The GSM alphabet: what is in it, and how long texts are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messaging.text.alphabet import GSM_BASIC, GSM_EXTENSION, first_non_gsm, septets, utf16_units


def test_the_tables_have_the_size_of_the_standard() -> None:
    assert len(GSM_BASIC) == len(set(GSM_BASIC)) == 127
    assert len(GSM_EXTENSION) == len(set(GSM_EXTENSION)) == 10


@pytest.mark.parametrize("character", GSM_BASIC)
def test_a_basic_character_is_one_septet(character: str) -> None:
    assert septets(character) == 1


@pytest.mark.parametrize("character", GSM_EXTENSION)
def test_an_extension_character_is_two_septets(character: str) -> None:
    assert septets(character) == 2


@pytest.mark.parametrize("character", [*"`\tçêâîôûáíóú\u00a0“”’–—…•αβωΆΈΏ\u2126ΑΒΕ😀\x1b\0"])
def test_the_usual_traps_are_not_in_the_alphabet(character: str) -> None:
    assert septets(character) is None
    assert first_non_gsm(f"a€{character}b“") == character


def test_a_gsm_text_has_no_first_foreign_character() -> None:
    assert first_non_gsm("5€ [ok]") is None


@pytest.mark.parametrize(
    ("text", "units"), [("", 0), ("abc", 3), ("я", 1), ("😀", 2), ("👨‍👩‍👧", 8), ("\ud83d", 1)]
)
def test_utf16_units_are_what_javascript_counts(text: str, units: int) -> None:
    assert utf16_units(text) == units


@given(st.text("abc€[]é\n`я😀"))
def test_septets_are_the_sum_over_the_characters(text: str) -> None:
    each = [septets(character) for character in text]

    assert septets(text) == (None if None in each else sum(filter(None, each)))
