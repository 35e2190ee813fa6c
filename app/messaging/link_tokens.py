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
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CHARACTERS = frozenset(ALPHABET)
SUBJECT_LENGTH, MAC_LENGTH = 7, 9
TOKEN_LENGTH = SUBJECT_LENGTH + MAC_LENGTH
OPT_OUT_LINK = 0
LINKS_MAX = 63
MESSAGE_BITS = 36
MESSAGE_ID_MAX = 2**MESSAGE_BITS - 1


@dataclass(frozen=True)
class LinkToken:
    """Which link of which message."""

    message_id: int
    link_no: int


def make_token(message_id: int, link_no: int, secret: str) -> str:
    """The token of a link. Raises ValueError past 63 links or 2^36 messages."""
    if not 0 <= link_no <= LINKS_MAX or not 0 < message_id <= MESSAGE_ID_MAX:
        raise ValueError("no token for such a link")
    number = link_no << MESSAGE_BITS | message_id
    subject = urlsafe_b64encode((number << 6).to_bytes(6, "big"))[:SUBJECT_LENGTH]
    return (subject + _mac(subject, secret)).decode()


def read_token(token: str, *secrets: str) -> LinkToken | None:
    """What a token names, or None when it was not made with one of the secrets."""
    if len(token) != TOKEN_LENGTH or not CHARACTERS.issuperset(token):
        return None
    subject, mac = token[:-MAC_LENGTH].encode(), token[-MAC_LENGTH:].encode()
    if not any(hmac.compare_digest(mac, _mac(subject, secret)) for secret in secrets):
        return None
    number = int.from_bytes(urlsafe_b64decode(subject + b"A"), "big") >> 6
    return LinkToken(message_id=number & MESSAGE_ID_MAX, link_no=number >> MESSAGE_BITS)


def _mac(subject: bytes, secret: str) -> bytes:
    digest = hmac.digest(secret.encode(), subject, "sha256")
    return urlsafe_b64encode(digest[:7])[:MAC_LENGTH]  # the first 54 bits
