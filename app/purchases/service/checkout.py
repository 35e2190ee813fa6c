"""A purchase as Stripe is told of it. Everything follows from the row, so asking again asks the same."""

from __future__ import annotations

from typing import Any

from app.integrations.stripe.client import as_dict, stripe_client
from app.purchases.models import Purchase


def key_of(purchase: Purchase) -> str:
    """Under this key Stripe makes one object, however often it is asked."""
    return f"purchase:{purchase.id}"


def open_session(purchase: Purchase) -> dict[str, Any]:
    """Make the purchase's Checkout session, or get the one that was made.

    Raises StripeFailed, StripeRefused.
    """
    form: Any = _session(purchase)
    with stripe_client() as stripe:
        return as_dict(stripe.v1.checkout.sessions.create(form, {"idempotency_key": key_of(purchase)}))


def read_session(session_id: str) -> dict[str, Any]:
    """A session with its payment, as it is now."""
    with stripe_client() as stripe:
        wish: Any = {"expand": ["payment_intent"]}
        return as_dict(stripe.v1.checkout.sessions.retrieve(session_id, wish))


def charge_card(purchase: Purchase, payment_method: str) -> dict[str, Any]:
    """Pay a recharge with the card that the shop left with Stripe; nobody is there to confirm.

    Raises CardRefused, StripeRefused, StripeFailed.
    """
    form: Any = {
        "amount": purchase.gross_cents,
        "currency": purchase.currency.lower(),
        "customer": purchase.stripe_customer_id,
        "payment_method": payment_method,
        "off_session": True,
        "confirm": True,
        "description": name_of(purchase),
        "metadata": metadata_of(purchase),
    }
    with stripe_client() as stripe:
        return as_dict(stripe.v1.payment_intents.create(form, {"idempotency_key": key_of(purchase)}))


def read_payment(payment_intent: str) -> dict[str, Any]:
    """A payment with its last charge, as it is now."""
    with stripe_client() as stripe:
        wish: Any = {"expand": ["latest_charge"]}
        return as_dict(stripe.v1.payment_intents.retrieve(payment_intent, wish))


def find_charge(purchase: Purchase) -> dict[str, Any] | None:
    """The payment of a recharge whose answer was lost: Stripe repeats a lost answer's error for a day."""
    wish: Any = {
        "customer": purchase.stripe_customer_id,
        "created": {"gte": int(purchase.created_at.timestamp()) - 60},
        "limit": 100,
    }
    with stripe_client() as stripe:
        for found in stripe.v1.payment_intents.list(wish).auto_paging_iter():
            payment = as_dict(found)
            if (payment.get("metadata") or {}).get("purchaseId") == str(purchase.id):
                return payment
    return None


def metadata_of(purchase: Purchase) -> dict[str, str]:
    """How everything at Stripe names the purchase. A session's metadata is not handed on to its payment."""
    return {
        "shopId": str(purchase.shop_id),
        "storeId": str(purchase.shop_id),
        "type": purchase.type,
        "purchaseId": str(purchase.id),
        "credits": str(purchase.credits),
        "expectedAmountCents": str(purchase.gross_cents),
        "currency": purchase.currency,
    }


def name_of(purchase: Purchase) -> str:
    return f"{purchase.credits:,} SMS Credits"


def _session(purchase: Purchase) -> dict[str, Any]:
    """Exactly one party adds VAT: Stripe to the net price, or we, who then name the gross one."""
    cents = purchase.net_cents if purchase.is_taxed_by_stripe else purchase.gross_cents
    price: dict[str, Any] = {
        "currency": purchase.currency.lower(),
        "unit_amount": cents,
        "product_data": {"name": name_of(purchase)},
    }
    payment: dict[str, Any] = {"metadata": metadata_of(purchase)}
    if purchase.keeps_card:
        payment["setup_future_usage"] = "off_session"
    form: dict[str, Any] = {
        "mode": "payment",
        "customer": purchase.stripe_customer_id,
        "client_reference_id": str(purchase.id),
        "line_items": [{"quantity": 1, "price_data": price}],
        "metadata": metadata_of(purchase),
        "payment_intent_data": payment,
        "success_url": purchase.success_url,
        "cancel_url": purchase.cancel_url,
    }
    if purchase.is_taxed_by_stripe:
        price["tax_behavior"] = "exclusive"
        form["automatic_tax"] = {"enabled": True}
        form["customer_update"] = {"address": "auto", "name": "auto"}
        form["billing_address_collection"] = "required"
    return form
