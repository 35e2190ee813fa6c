"""Shops, the tenants."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, DateTime, Identity, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model


class ShopStatus(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    UNINSTALLED = "uninstalled"


class EshopType(StrEnum):
    """What a shop sells."""

    FASHION = "fashion"
    BEAUTY = "beauty"
    ELECTRONICS = "electronics"
    FOOD = "food"
    SERVICES = "services"
    HOME = "home"
    SPORTS = "sports"
    BOOKS = "books"
    TOYS = "toys"
    GENERIC = "generic"


class Shop(Model):
    """One merchant's shop. `domain` is its myshopify.com name, `timezone` an IANA zone.

    With `double_opt_in` everybody who opts in on the storefront confirms it by a link in a text.
    """

    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    domain: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    country: Mapped[str] = mapped_column(Text, server_default="GR")
    currency: Mapped[str] = mapped_column(Text, server_default="EUR")
    timezone: Mapped[str] = mapped_column(Text, server_default="Europe/Athens")
    sender_name: Mapped[str | None] = mapped_column(Text)
    sender_number: Mapped[str | None] = mapped_column(Text)
    base_url: Mapped[str | None] = mapped_column(Text)
    eshop_type: Mapped[str | None] = mapped_column(Text)
    double_opt_in: Mapped[bool] = mapped_column(Boolean, server_default="false")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())

    @property
    def display_name(self) -> str:
        """The name people see: the shop's own, else the first part of its domain."""
        return self.name or self.domain.partition(".")[0]
