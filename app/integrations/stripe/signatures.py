"""Whether a webhook is Stripe's: HMAC-SHA256 over `t.body`, at most five minutes old."""

from __future__ import annotations

from collections.abc import Sequence

import stripe

TOLERANCE_SECONDS = 300


def is_genuine(body: bytes, header: str | None, secrets: Sequence[str]) -> bool:
    """Whether `header` (Stripe-Signature) signs exactly these bytes with one of the secrets, lately.

    While a secret is rolled Stripe signs with both, for up to a day.
    """
    if not header or not header.isascii():  # the package's comparison raises TypeError for other letters
        return False
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return False
    return any(_signs(text, header, secret) for secret in secrets)


def _signs(text: str, header: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(text, header, secret, TOLERANCE_SECONDS))
    except stripe.SignatureVerificationError:
        return False
