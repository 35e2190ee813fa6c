"""Where Stripe posts. Not a tenant route: the signature of the raw body is the credential."""

from __future__ import annotations

from flask import request

from app.core.http import ApiBlueprint
from app.core.settings import settings
from app.integrations.stripe.errors import StripeNotConfigured
from app.integrations.stripe.signatures import is_genuine
from app.webhooks.errors import InvalidStripeSignature
from app.webhooks.routes.bodies import json_object, raw_body
from app.webhooks.schemas import EventReceivedSchema
from app.webhooks.service import stripe_receiving as receiving

blueprint = ApiBlueprint("stripe-webhooks", __name__, public=True, description="Posts of Stripe")


@blueprint.post("/webhooks/stripe")
@blueprint.response(200, EventReceivedSchema)
@blueprint.errors(400, 413, 503)
def any_event() -> dict[str, bool]:
    """Take in an event of any type. Repetitions are no errors."""
    secrets = settings().stripe_webhook_secrets
    if not secrets:
        raise StripeNotConfigured
    body = raw_body()
    if not is_genuine(body, request.headers.get("Stripe-Signature"), secrets):
        raise InvalidStripeSignature
    receiving.receive(body, json_object(body))
    return {"ok": True}
