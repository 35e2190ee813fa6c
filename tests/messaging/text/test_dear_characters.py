"""Which characters may cost more, where they stand, and what stands there instead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messaging.text.alphabet import septets
from app.messaging.text.dear_characters import Place, dear_characters, replacement_of, without


def test_each_character_is_named_once_with_all_its_places() -> None:
    [quote, dash, euro] = dear_characters("It’s\na — b, it’s 5 €")

    assert (quote.character, quote.places) == ("’", (Place(1, 3), Place(2, 10)))
    assert (dash.character, dash.replacement, dash.forces_unicode) == ("—", "-", True)
    assert (euro.character, euro.replacement, euro.forces_unicode) == ("€", "E", False)


@pytest.mark.parametrize("character", ["👋🏽", "👩‍👩‍👧‍👦", "🇬🇷", "❤️", "e\u0301", "ί"])
def test_what_people_take_for_one_character_is_one(character: str) -> None:
    assert [one.character for one in dear_characters(f"a {character} b")] == [character]


@pytest.mark.parametrize("text", ["{{firstName}}", "https://a.gr/καλημέρα", "plain", "a\tb", "{{ναι}}"])
def test_tags_addresses_and_what_is_never_sent_are_passed_over(text: str) -> None:
    assert dear_characters(text) == []


@pytest.mark.parametrize(
    ("character", "instead"),
    [("’", "'"), ("…", "..."), ("\u200b", ""), ("ά", "A"), ("[", "("), ("👋", "*"), ("я", "*")],
)
def test_the_replacement_reads_the_same_where_something_does(character: str, instead: str) -> None:
    assert replacement_of(character) == instead


@given(st.text(st.sampled_from("aZ €[]~^|{}Γλάé’“…—😀👍\u0301\u200d\ufe0f🇬🇷\n,."), max_size=80))
def test_without_all_of_them_a_text_is_in_the_cheap_alphabet(text: str) -> None:
    dear = [one.character for one in dear_characters(text)]

    plain = without(text, dear)

    assert septets(plain) == len(plain)
    assert without(text, []) == text
