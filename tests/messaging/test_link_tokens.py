from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.messaging.link_tokens import (
    ALPHABET,
    LINKS_MAX,
    MESSAGE_ID_MAX,
    TOKEN_LENGTH,
    LinkToken,
    make_token,
    read_token,
)

SECRET = "a-secret-for-tests"
messages, links = st.integers(1, MESSAGE_ID_MAX), st.integers(0, LINKS_MAX)


@given(messages, links)
def test_a_token_names_its_message_and_link_and_is_always_sixteen_characters(
    message_id: int, link: int
) -> None:
    token = make_token(message_id, link, SECRET)

    assert len(token) == TOKEN_LENGTH
    assert set(token) <= set(ALPHABET)
    assert read_token(token, SECRET) == LinkToken(message_id, link)


@given(messages, links, st.integers(0, TOKEN_LENGTH - 1), st.sampled_from(ALPHABET))
def test_a_token_with_one_character_changed_names_nothing(
    message_id: int, link: int, place: int, other: str
) -> None:
    token = make_token(message_id, link, SECRET)
    changed = token[:place] + other + token[place + 1 :]

    assert changed == token or read_token(changed, SECRET) is None


@given(messages, links)
def test_another_secret_does_not_read_the_token(message_id: int, link: int) -> None:
    assert read_token(make_token(message_id, link, SECRET), "another secret") is None


@given(st.text(max_size=20))
def test_any_other_text_names_nothing(text: str) -> None:
    assert read_token(text, SECRET) is None
