"""Where Shopify posts. Not tenant routes: the signature of the raw body is the credential.

Every address leads to the same inbox. The topic stands in the headers; where a sender names none, the address
stands for one.
"""

from __future__ import annotations

from typing import NoReturn

from flask import request

from app.core.errors import ValidationFailed
from app.core.http import ApiBlueprint
from app.core.settings import settings
from app.integrations.shopify import signatures
from app.integrations.shopify.events import Delivery, read_delivery
from app.webhooks.errors import InvalidWebhookSignature
from app.webhooks.routes.bodies import json_object, raw_body
from app.webhooks.schemas import EventReceivedSchema
from app.webhooks.service import shopify_receiving as receiving

blueprint = ApiBlueprint("shopify-webhooks", __name__, public=True, description="Posts of Shopify")

RECEIVED = {"ok": True}
FLOW_HEADER = "X-Webhook-Token"


@blueprint.post("/webhooks/shopify")
@blueprint.response(200, EventReceivedSchema)
@blueprint.errors(400, 401, 413)
def any_topic() -> dict[str, bool]:
    """Take in an event of any topic, named by X-Shopify-Topic. Repetitions are no errors."""
    return _receive("")


@blueprint.post("/automation-webhooks/shopify/orders/create")
@blueprint.response(200, EventReceivedSchema)
@blueprint.errors(400, 401, 413)
def order_created() -> dict[str, bool]:
    """Take in an order."""
    return _receive("orders/create")


@blueprint.post("/automation-webhooks/shopify/orders/fulfilled")
@blueprint.response(200, EventReceivedSchema)
@blueprint.errors(400, 401, 413)
def order_fulfilled() -> dict[str, bool]:
    """Take in an order that has been sent."""
    return _receive("orders/fulfilled")


@blueprint.post("/automation-webhooks/shopify/customers/create")
@blueprint.response(200, EventReceivedSchema)
@blueprint.errors(400, 401, 413)
def customer_created() -> dict[str, bool]:
    """Take in a customer."""
    return _receive("customers/create")


@blueprint.post("/webhooks/app_uninstalled")
@blueprint.response(200, EventReceivedSchema)
@blueprint.errors(400, 401, 413)
def app_uninstalled() -> dict[str, bool]:
    """Take in that a shop has removed the app."""
    return _receive("app/uninstalled")


@blueprint.post("/automation-webhooks/shopify/checkout/abandoned")
@blueprint.response(200, EventReceivedSchema)
@blueprint.errors(400, 401, 413)
def checkout_abandoned() -> dict[str, bool]:
    """Take in that a checkout was left: `{"shop_domain"?, "abandonedCheckoutId" | "checkout_id"}`."""
    return _receive_abandoned(_signed_body())


@blueprint.post("/automation-webhooks/shopify/cart/abandoned")
@blueprint.response(200, EventReceivedSchema)
@blueprint.errors(400, 401, 413)
def cart_abandoned() -> dict[str, bool]:
    """Take in that a cart was left. The body is as for a checkout."""
    return _receive_abandoned(_signed_body())


@blueprint.post("/automation-webhooks/shopify/flow/abandoned-checkout")
@blueprint.response(200, EventReceivedSchema)
@blueprint.errors(400, 401, 413)
def flow_checkout_abandoned() -> dict[str, bool]:
    """Take in a left checkout from Shopify Flow, which signs nothing and sends the shared secret along."""
    secrets = signatures.secrets_of(settings().shopify_flow_secret)
    is_known = signatures.is_shared_secret(request.headers.get(FLOW_HEADER), secrets)
    return _receive_abandoned(raw_body() if is_known else _signed_body())


def _receive(topic: str) -> dict[str, bool]:
    body = _signed_body()
    receiving.receive(read_delivery(request.headers), body, json_object(body), topic=topic)
    return RECEIVED


def _receive_abandoned(body: bytes) -> dict[str, bool]:
    """Left checkouts have no delivery id: one checkout is one event, however often it is told of."""
    payload = json_object(body)
    delivery = read_delivery(request.headers)
    checkout = payload.get("abandonedCheckoutId") or payload.get("checkout_id")
    domain = delivery.shop_domain or str(payload.get("shop_domain") or "").strip().lower()
    if not isinstance(checkout, str | int) or isinstance(checkout, bool) or not domain:
        _refuse_without("checkout_id" if domain else "shop_domain")
    told = Delivery(
        receiving.ABANDONED, f"abandoned:{domain}:{checkout}"[:300], domain, None, delivery.triggered_at
    )
    receiving.receive(told, body, payload)
    return RECEIVED


def _signed_body() -> bytes:
    """The raw body. Raises InvalidWebhookSignature before anything else is looked at."""
    body = raw_body()
    secrets = signatures.secrets_of(settings().shopify_webhook_secret, settings().shopify_api_secret)
    if not signatures.is_signed_webhook(body, read_delivery(request.headers).signature, secrets):
        raise InvalidWebhookSignature
    return body


def _refuse_without(field: str) -> NoReturn:
    raise ValidationFailed(field, "is missing")
