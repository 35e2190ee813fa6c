"""Paying for a subscription at Stripe's Checkout: a first one, or one that takes another's place."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from app.core.clock import now
from app.core.settings import settings
from app.core.uow import unit_of_work
from app.integrations.stripe.client import stripe_client
from app.payers.service import customers
from app.shops import service as shops
from app.subscriptions.errors import AlreadySubscribed
from app.subscriptions.models import Source
from app.subscriptions.pages import ReturnPages
from app.subscriptions.plans import Sku
from app.subscriptions.service.choosing import verified_price, wanted_sku
from app.subscriptions.service.standing import subscription_of
from app.subscriptions.service.syncing import sync

KIND = "subscription"
SAME_SESSION_SECONDS = 600  # so long the same request gets the same session, whichever process died


@dataclass(frozen=True)
class Checkout:
    """Where to pay for what."""

    session_id: str
    url: str
    sku: Sku


def subscribe(
    shop_id: int, *, plan: str | None, interval: str | None, currency: str | None, pages: ReturnPages
) -> Checkout:
    """A Checkout session for a first subscription. Nothing is ours before it is paid.

    Stripe is looked at first, so that a lost event does not lead to a second subscription. Raises
    AlreadySubscribed, what `wanted_sku` and `verified_price` raise, and StripeFailed.
    """
    with unit_of_work(shop_id):
        sku = wanted_sku(plan, interval, currency or shops.find_shop(shop_id).currency)
        _refuse_a_second(shop_id)
    customers.ensure_customer(shop_id)
    sync(shop_id, Source.CHANGE)
    with unit_of_work(shop_id):
        _refuse_a_second(shop_id)
    return open_checkout(shop_id, sku, pages)


def open_checkout(shop_id: int, sku: Sku, pages: ReturnPages, *, replaces: str | None = None) -> Checkout:
    """A Checkout session for `sku`; once paid it takes the place of the subscription that it `replaces`.

    Raises PriceNotFound, PriceNotRecurring, StripeFailed. Keyed by what is asked, within ten minutes.
    """
    price_id = verified_price(sku)
    customer_id = customers.ensure_customer(shop_id)
    form = _session(shop_id, sku, price_id, customer_id, pages, replaces)
    with stripe_client() as stripe:
        made = stripe.v1.checkout.sessions.create(form, {"idempotency_key": _key(shop_id, form)})  # type: ignore[arg-type]
    return Checkout(made.id, made.url or "", sku)


def metadata_of(shop_id: int, sku: Sku) -> dict[str, str]:
    """What every Stripe object of a subscription carries, so that events find their shop."""
    return {
        "shopId": str(shop_id),
        "storeId": str(shop_id),
        "type": KIND,
        "planType": sku.plan,
        "interval": sku.interval,
        "currency": sku.currency,
    }


def _session(
    shop_id: int, sku: Sku, price_id: str, customer_id: str, pages: ReturnPages, replaces: str | None
) -> dict[str, Any]:
    told = metadata_of(shop_id, sku)
    if replaces:
        told["previousStripeSubscriptionId"] = replaces
    form: dict[str, Any] = {
        "mode": "subscription",
        "customer": customer_id,
        "client_reference_id": f"shop:{shop_id}",
        "line_items": [{"price": price_id, "quantity": 1}],
        "success_url": pages.success,
        "cancel_url": pages.cancel,
        # The address is asked there; it decides the VAT, and no profile need be complete before.
        "billing_address_collection": "required",
        "customer_update": {"address": "auto", "name": "auto"},
        "tax_id_collection": {"enabled": True},
        "metadata": told,
        "subscription_data": {"metadata": told},
    }
    if settings().stripe_tax:
        form["automatic_tax"] = {"enabled": True}
    return form


def _refuse_a_second(shop_id: int) -> None:
    subscription = subscription_of(shop_id)
    if subscription is not None and subscription.is_live:
        raise AlreadySubscribed


def _key(shop_id: int, form: dict[str, Any]) -> str:
    moment = int(now().timestamp()) // SAME_SESSION_SECONDS
    return f"subscribe:{shop_id}:{moment}:{sha256(repr(form).encode()).hexdigest()[:24]}"
