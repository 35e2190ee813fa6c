"""Cheaper spellings: used when they save money, and nowhere they could break something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messaging.text.alphabet import first_non_gsm
from app.messaging.text.parts import Encoding, count_parts
from app.messaging.text.smart_encoding import Replacement, SmartEncoding, compress_greek, smart_encode

LONG = "a" * 100


def test_a_curly_quote_that_doubles_the_price_is_straightened() -> None:
    encoded = smart_encode(f"It’s on – {LONG}")

    assert encoded == SmartEncoding(
        text=f"It's on - {LONG}",
        applied=True,
        replaced=(Replacement("’", "'", 1), Replacement("–", "-", 1)),
        encoding=Encoding.GSM7,
        parts_before=2,
        parts_after=1,
    )


@pytest.mark.parametrize(
    "text",
    [
        "It’s short",  # one part either way
        f"It’s 😀 {LONG}",  # UCS-2 either way
        f"It's {LONG}",  # nothing to replace
        "",
    ],
)
def test_a_text_that_would_not_get_cheaper_stays_as_it_is(text: str) -> None:
    parts = count_parts(text)

    assert smart_encode(text) == SmartEncoding(text, False, (), parts.encoding, parts.parts, parts.parts)


@pytest.mark.parametrize(
    ("original", "replacement"),
    [
        *((quote, '"') for quote in "«»“”„ʺˮ‟❝❞〝〞＂"),
        *((quote, "'") for quote in "‘’ʻˈʼʽʹ‛＇´ˊ`ˋ❛❜"),
        *((dash, "-") for dash in "‐‑‒–—―−﹣•"),
        *((blank, " ") for blank in "\u00a0\u2009\u2007\u202f\u3000\t"),
        *((slash, "/") for slash in "⁄∕"),
        *((nothing, "") for nothing in "\u200b\ufeff"),
        ("…", "..."),
        ("Ａ", "A"),
        ("！", "!"),
        ("e\u0301", "é"),
        ("\u2126", "Ω"),
        ("\u037e", ";"),
    ],
)
def test_each_spelling_has_its_plain_form(original: str, replacement: str) -> None:
    encoded = smart_encode(LONG + original + "b")

    assert encoded.text == LONG + replacement + "b"
    assert encoded.replaced == (Replacement(original, replacement, 1),)


def test_the_tail_counts_but_is_not_changed() -> None:
    tail = "\n\nUnsubscribe: https://an.example/r/abcdefgh"
    text = "It’s " + "a" * 60

    assert smart_encode(text).applied is False
    assert smart_encode(text, tail=tail).text == "It's " + "a" * 60
    assert smart_encode(LONG + "’", tail="–").applied is False


def test_addresses_and_tags_keep_their_exact_spelling() -> None:
    text = f"It’s https://shop.example/caf’e {{{{ first–Name }}}} www.x.gr/ΚΑΛ {LONG}"

    encoded = smart_encode(text, greek=True)

    assert "https://shop.example/caf’e" in encoded.text
    assert "{{ first–Name }}" in encoded.text
    assert "www.x.gr/ΚΑΛ" in encoded.text


def test_a_text_that_stays_in_ucs2_loses_only_what_costs_units() -> None:
    encoded = smart_encode("«я»" + "я" * 66 + "\u200b\u200b")

    assert encoded.text == "«я»" + "я" * 66
    assert encoded.replaced == (Replacement("\u200b", "", 2),)
    assert (encoded.encoding, encoded.parts_before, encoded.parts_after) == (Encoding.UCS2, 2, 1)


@pytest.mark.parametrize(
    ("text", "compressed"),
    [
        ("Καλημέρα! Έκπτωση 20% με κωδικό ΑΝΟΙΞΗ", "KAΛHMEPA! EKΠTΩΣH 20% ME KΩΔIKO ANOIΞH"),
        ("Ευχαριστούμε για την αγορά", "EYXAPIΣTOYME ΓIA THN AΓOPA"),
        ("ΚΑΛΗΜΕΡΑ", "KAΛHMEPA"),
        ("ϊΐϋΰ ᾠδή σας", "IIYY ΩΔH ΣAΣ"),
        ("Το café SMS", "TO café SMS"),
        ("Δες {{ Όνομα }} https://x.gr/νέα τώρα", "ΔEΣ {{ Όνομα }} https://x.gr/νέα TΩPA"),
    ],
)
def test_greek_is_compressed_to_capitals_of_the_gsm_alphabet(text: str, compressed: str) -> None:
    assert compress_greek(text) == compressed


def test_greek_is_compressed_only_on_request() -> None:
    text = "Καλημέρα! Έκπτωση 20% με κωδικό ΑΝΟΙΞΗ. Ευχαριστούμε για την αγορά σας…"

    assert smart_encode(text).applied is False
    assert smart_encode(text, greek=True).text.startswith("KAΛHMEPA! EKΠTΩΣH")
    assert smart_encode(text, greek=True).parts_after == 1


def test_quotes_alone_are_preferred_to_changing_the_greek() -> None:
    assert smart_encode(f"“Ω” {LONG}", greek=True).text == f'"Ω" {LONG}'


@given(st.text("abΩώά’“…\u200b😀{} ", max_size=200), st.text("ab…", max_size=40), st.booleans())
def test_it_never_costs_more_and_changes_nothing_for_nothing(text: str, tail: str, greek: bool) -> None:
    encoded = smart_encode(text, tail=tail, greek=greek)

    assert encoded.applied == (encoded.parts_after < encoded.parts_before)
    assert encoded.applied or encoded.text == text
    assert smart_encode(encoded.text, tail=tail, greek=greek).parts_after == encoded.parts_after


@given(st.text("αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩΆΈΉΊΌΎΏΪΫ ,.!"))
def test_all_greek_fits_the_gsm_alphabet_once_compressed(text: str) -> None:
    assert first_non_gsm(compress_greek(text)) is None
