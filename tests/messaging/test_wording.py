from __future__ import annotations

from app.messaging.link_tokens import make_token
from app.messaging.text.parts import count_parts
from app.messaging.wording import Renderer, word

BASE = "https://s.example.com"
SECRET = "a-secret-for-tests"
LONG_URL = "https://shop.example.com/collections/summer/the-very-long-name-of-a-sale"


def test_every_text_ends_with_one_opt_out_line() -> None:
    wording = word("Hello", constants={}, link_base=BASE)

    body = Renderer(wording.text, 0, SECRET).render(7, {})

    assert body == f"Hello\n\nUnsubscribe: {BASE}/r/{make_token(7, 0, SECRET)}"


def test_a_long_url_becomes_a_short_link_of_the_message_and_a_short_one_stays() -> None:
    wording = word(f"See {LONG_URL}, or https://x.gr/a.", constants={}, link_base=BASE)

    body = Renderer(wording.text, len(wording.links), SECRET).render(7, {})

    assert wording.links == (LONG_URL,)
    assert body.startswith(f"See {BASE}/r/{make_token(7, 1, SECRET)}, or https://x.gr/a.")


def test_the_same_url_twice_is_one_link() -> None:
    wording = word(f"{LONG_URL} and again {LONG_URL}", constants={}, link_base=BASE)

    assert wording.links == (LONG_URL,)
    assert wording.text.count("_link_01") == 2


def test_the_frozen_text_has_the_parts_of_the_sent_one() -> None:
    wording = word(f"A sale {LONG_URL} " + "x" * 60, constants={}, link_base=BASE)

    body = Renderer(wording.text, len(wording.links), SECRET).render(123_456, {})

    assert count_parts(wording.text) == count_parts(body)


def test_constants_are_written_in_and_line_breaks_stay() -> None:
    wording = word(
        "{{shopName}}:\n{{discountCode}}",
        constants={"shopName": "Λίμα", "discountCode": "A{B"},
        link_base=BASE,
    )

    assert wording.text.startswith("Λίμα:\nAB")


def test_quotes_are_replaced_only_when_that_saves_a_part() -> None:
    saved = word("It’s here " + "x" * 60, constants={}, link_base=BASE)
    kept = word("Ωραία’ " + "ώ" * 3, constants={}, link_base=BASE)

    assert saved.smart.applied
    assert saved.smart.parts_after < saved.smart.parts_before
    assert not kept.smart.applied


def test_a_text_that_is_too_long_loses_its_end_but_not_the_opt_out_line() -> None:
    wording = word("word " * 320, constants={}, link_base=BASE)

    assert wording.shortened_to_fit
    assert len(wording.text) <= 1600
    assert wording.text.endswith("Unsubscribe: https://s.example.com/r/_link_00________")


def test_a_value_that_looks_like_a_tag_or_a_pattern_is_written_literally() -> None:
    wording = word("Hi {{firstName}}!", constants={}, link_base=BASE)

    body = Renderer(wording.text, 0, SECRET).render(7, {"firstName": r"$& \1 {{lastName}}"})

    assert body.startswith(r"Hi $& \1 lastName!")
