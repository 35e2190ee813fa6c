"""Refusals about discounts."""

from __future__ import annotations

from app.core.errors import Conflict, NotFound


class DiscountNotFound(NotFound):
    message = "There is no such discount in this shop."


class PoolNotFound(NotFound):
    message = "There is no such pool of discount codes."


class DiscountCodesMissing(Conflict):
    """Not everybody can be given a code of his own."""

    code = "DISCOUNT_CODES_MISSING"
    message = "There are not enough unused discount codes for this audience."

    def __init__(self, *, needed: int, free: int) -> None:
        super().__init__(
            meta={"neededCodes": needed, "freeCodes": free, "missingCodes": max(needed - free, 0)}
        )
