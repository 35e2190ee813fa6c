"""Trouble on demand: what goes wrong with the next calls, downloads or webhooks, and for how many of them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.sandbox.fault_list import BadTrouble, Troubles, strikes


class Trouble(StrEnum):
    """What can go wrong. `value` is the number each one needs, if any."""

    # Admin API and token endpoint
    THROTTLE = "throttle"  # 200 with THROTTLED
    USER_ERRORS = "user_errors"  # a mutation is refused; `code` and `message` say how
    GRAPHQL_ERROR = "graphql_error"  # top-level error with `code`, HTTP 200
    HTTP_500 = "http_500"
    HTTP_429 = "http_429"
    HTTP_401 = "http_401"
    HTTP_402 = "http_402"  # a frozen shop
    LATENCY_MS = "latency_ms"  # value: milliseconds
    MALFORMED_JSON = "malformed_json"
    DROP_AFTER_ACCEPT = "drop_after_accept"  # done, but 500 instead of the answer
    TOKEN_500 = "token_500"  # noqa: S105 -- a kind of trouble, not a token
    TOKEN_DROP = "token_drop"  # noqa: S105 -- the grant is made, the answer is lost
    # bulk operations
    BULK_FAILED = "bulk_failed"  # FAILED with a partialDataUrl for half of the lines
    BULK_EXPIRED = "bulk_expired"
    BULK_STUCK = "bulk_stuck"  # stays RUNNING
    BULK_SILENT = "bulk_silent"  # finishes without its webhook
    DOWNLOAD_CUT = "download_cut"  # the body ends early; value: share that arrives
    DOWNLOAD_403 = "download_403"
    # webhooks
    DUPLICATE = "duplicate"  # value: how many times more
    REORDER = "reorder"  # the next `value` deliveries leave in another order
    DELAY = "delay"  # value: seconds
    WRONG_SIGNATURE = "wrong_signature"
    OVERSIZED = "oversized"  # value: bytes of padding
    TRUNCATED = "truncated"  # the body is cut after it was signed
    NOT_JSON = "not_json"  # signed well, but no JSON
    LOST = "lost"  # never leaves


API = {
    Trouble.THROTTLE,
    Trouble.USER_ERRORS,
    Trouble.GRAPHQL_ERROR,
    Trouble.HTTP_500,
    Trouble.HTTP_429,
    Trouble.HTTP_401,
    Trouble.HTTP_402,
    Trouble.LATENCY_MS,
    Trouble.MALFORMED_JSON,
    Trouble.DROP_AFTER_ACCEPT,
}
TOKENS = {Trouble.TOKEN_500, Trouble.TOKEN_DROP}
BULK = {Trouble.BULK_FAILED, Trouble.BULK_EXPIRED, Trouble.BULK_STUCK, Trouble.BULK_SILENT}
DOWNLOADS = {Trouble.DOWNLOAD_CUT, Trouble.DOWNLOAD_403}
WEBHOOKS = {
    Trouble.DUPLICATE,
    Trouble.REORDER,
    Trouble.DELAY,
    Trouble.WRONG_SIGNATURE,
    Trouble.OVERSIZED,
    Trouble.TRUNCATED,
    Trouble.NOT_JSON,
    Trouble.LOST,
}


@dataclass
class Fault:
    """One kind of trouble. `count` strikes are left; None means until cleared.

    `shop` and `on` narrow it: to one shop, and to one operation name or webhook topic.
    """

    id: int
    kind: Trouble
    count: int | None = 1
    shop: str | None = None
    on: str | None = None
    value: float = 1.0
    code: str = "INVALID"
    message: str = "Shopify does not want to."
    probability: float = 1.0

    @classmethod
    def read(cls, number: int, wish: dict[str, Any]) -> "Fault":
        """Make a fault from JSON. Raises BadTrouble naming what is wrong."""
        unknown = set(wish) - {"kind", "count", "shop", "on", "value", "code", "message", "probability"}
        if unknown:
            raise BadTrouble(f"unknown members: {', '.join(sorted(unknown))}")
        count = strikes(wish)
        try:
            rest = {name: float(wish[name]) for name in ("value", "probability") if name in wish}
            words = {name: str(wish[name]) for name in ("shop", "on", "code", "message") if wish.get(name)}
            return cls(id=number, kind=Trouble(str(wish.get("kind"))), count=count, **words, **rest)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise BadTrouble(str(error)) from error

    def concerns(self, kinds: set[Trouble], shop: str, on: str) -> bool:
        """Whether it can strike here."""
        return self.kind in kinds and self.shop in (None, shop) and self.on in (None, on)


class FaultList(Troubles[Fault]):
    """The faults now in force. Safe to use from several threads."""

    def __init__(self, seed: int) -> None:
        super().__init__(Fault.read, seed)

    def take(self, kinds: set[Trouble], shop: str, on: str) -> dict[Trouble, Fault]:
        """The faults that strike here; each is used up by one. Of two of a kind the older goes first."""
        return self.take_where(lambda fault: fault.concerns(kinds, shop, on))
