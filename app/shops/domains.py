"""Shop domains."""

from __future__ import annotations

from app.integrations.shopify.addresses import SHOP_DOMAIN as SHOP_DOMAIN


def normalise_domain(raw: str) -> str | None:
    """`raw` as a myshopify.com domain, or None when it cannot be one. A bare name gets the ending."""
    domain = raw.strip().lower()
    if "." not in domain:
        domain += ".myshopify.com"
    return domain if SHOP_DOMAIN.fullmatch(domain) else None
