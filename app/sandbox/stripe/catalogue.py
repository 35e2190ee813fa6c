"""What is on sale from the start: two plans and four packages of credits, in two currencies."""

from app.sandbox.stripe.store import Document, StripeStore

CURRENCIES = ("eur", "usd")
PLANS = (("starter", 40_00, "month"), ("pro", 240_00, "year"))
PACKAGES = ((1_000, 29_99), (5_000, 129_99), (10_000, 229_99), (25_000, 499_99))


def stock(store: StripeStore, now: int) -> None:
    """Put them there, unless they are: `price_sandbox_starter_eur`, `price_sandbox_package_1000_usd`, …"""
    with store.changing():
        for name, cents, interval in PLANS:
            _put(
                store,
                product(f"prod_sandbox_{name}", f"Astronote {name.title()}", now),
                name,
                cents,
                interval,
            )
        for credits, cents in PACKAGES:
            name = f"package_{credits}"
            _put(store, product(f"prod_sandbox_{name}", f"{credits:,} SMS credits", now), name, cents, None)


def product(number: str, name: str, now: int) -> Document:
    """Something that is sold."""
    return {
        "id": number,
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": None,
        "livemode": False,
        "metadata": {},
        "name": name,
        "tax_code": None,
        "type": "service",
        "updated": now,
    }


def price(
    number: str, product_id: str, currency: str, cents: int, now: int, interval: str | None
) -> Document:
    """What it costs, once or every month or year. VAT comes on top of it."""
    recurring = {
        "interval": interval,
        "interval_count": 1,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    }
    return {
        "id": number,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product_id,
        "recurring": recurring if interval else None,
        "tax_behavior": "exclusive",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if interval else "one_time",
        "unit_amount": cents,
        "unit_amount_decimal": str(cents),
    }


def _put(store: StripeStore, sold: Document, name: str, cents: int, interval: str | None) -> None:
    if store.get("product", sold["id"]) is None:
        store.put(sold)
    for currency in CURRENCIES:
        number = f"price_sandbox_{name}_{currency}"
        if store.get("price", number) is None:
            store.put(price(number, sold["id"], currency, cents, sold["created"], interval))
