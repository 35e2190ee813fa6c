"""Link tokens: sixteen characters that name one link of one message, with no row behind them.

    [link number: 1 character][message id: 6][MAC: 9 characters, 54 bits]

in the URL-safe base64 alphabet. Link 0 is the opt-out link, 1 to 63 are the URLs of the text. Because the
length
never varies, the parts of a text are known before its message has an id, and freezing a million messages
makes no
link rows. Guessing one needs 2^54 tries against a rate-limited page, and all it could do is opt somebody out.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
VALUE_OF = {character: value for value, character in enumerate(ALPHABET)}
TOKEN_LENGTH = 16
MAC_LENGTH = 9
OPT_OUT_LINK = 0
LINKS_MAX = 63
MESSAGE_ID_MAX = 64**6 - 1


@dataclass(frozen=True)
class LinkToken:
    """Which link of which message."""

    message_id: int
    link_no: int


def make_token(message_id: int, link_no: int, secret: str) -> str:
    """The token of a link. Raises ValueError past 63 links or 2^36 messages."""
    if not 0 <= link_no <= LINKS_MAX or not 0 < message_id <= MESSAGE_ID_MAX:
        raise ValueError("no token for such a link")
    subject = _digits(link_no, 1) + _digits(message_id, 6)
    return subject + _mac(subject, secret)


def read_token(token: str, *secrets: str) -> LinkToken | None:
    """What a token names, or None when it was not made with one of the secrets."""
    if len(token) != TOKEN_LENGTH or not set(token) <= VALUE_OF.keys():
        return None
    subject, mac = token[:-MAC_LENGTH], token[-MAC_LENGTH:]
    if not any(hmac.compare_digest(mac, _mac(subject, secret)) for secret in secrets):
        return None
    return LinkToken(message_id=_number(subject[1:]), link_no=_number(subject[0]))


def _mac(subject: str, secret: str) -> str:
    digest = hmac.digest(secret.encode(), subject.encode(), "sha256")
    return _digits(int.from_bytes(digest[:7], "big") >> 2, MAC_LENGTH)


def _digits(number: int, length: int) -> str:
    return "".join(ALPHABET[(number >> (6 * place)) & 63] for place in range(length - 1, -1, -1))


def _number(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number << 6 | VALUE_OF[digit]
    return number
