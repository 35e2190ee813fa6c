"""Refusals about discounts."""

from __future__ import annotations

from app.core.errors import NotFound


class DiscountNotFound(NotFound):
    message = "There is no such discount in this shop."
