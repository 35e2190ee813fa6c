"""`Stripe-Signature` (docs.stripe.com/webhooks): over moment and raw body, once for each live secret."""

import hashlib
import hmac
from collections.abc import Iterable


def signature(body: bytes, secret: str, at: int) -> str:
    """One `v1`: the key is the whole `whsec_…` text, not what it would decode to."""
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()


def header(body: bytes, secrets: Iterable[str], at: int) -> str:
    """`t=…,v1=…`; while a secret is rolled there are two `v1`, the newest first."""
    return ",".join([f"t={at}", *(f"v1={signature(body, secret, at)}" for secret in secrets)])
