"""The ways in which a call to Shopify does not succeed. Their texts hold no personal data."""

from __future__ import annotations

from collections.abc import Sequence


class ShopifyError(Exception):
    """Common ground; never raised itself."""


class ShopifyRefused(ShopifyError):
    """Certainly not done, and asking again will not help.

    `code` is Shopify's word (`TAKEN`, `ACCESS_DENIED`, `invalid_grant`), or `USER_ERROR` where it gives
    none; `fields` are the inputs at fault as dotted paths. `explanation` is Shopify's sentence: it may quote
    what we sent, so it is neither logged nor shown.
    """

    def __init__(self, code: str, fields: Sequence[str] = (), *, explanation: str = "") -> None:
        super().__init__(code, *fields)
        self.code = code
        self.fields = tuple(fields)
        self.explanation = explanation


class ShopifyUnauthorized(ShopifyError):
    """Shopify does not know the access token: expired, replaced, or the app was uninstalled."""


class ShopifyUnavailable(ShopifyError):
    """No usable answer; try later. With `may_be_done` the call may have had its effect all the same."""

    def __init__(self, reason: str, *, may_be_done: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.may_be_done = may_be_done


class ShopifyThrottled(ShopifyUnavailable):
    """Certainly not done: the shop's budget is used up, and waiting for it would take too long."""

    def __init__(self, retry_after_seconds: float) -> None:
        super().__init__("throttled")
        self.retry_after_seconds = retry_after_seconds
