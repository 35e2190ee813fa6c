"""Where the carrier posts. Not tenant routes: the shared secret is the credential."""

from __future__ import annotations

import json
from typing import Any

from flask import request

from app.core.http import ApiBlueprint
from app.core.http.arguments import JSON_BODY_MAX, InvalidJson
from app.core.settings import settings
from app.webhooks import signatures
from app.webhooks.errors import InvalidWebhookSignature
from app.webhooks.schemas import ReportsReceivedSchema, TextReceivedSchema
from app.webhooks.service import receiving

blueprint = ApiBlueprint("mitto-webhooks", __name__, public=True, description="Posts of the SMS carrier")


@blueprint.post("/webhooks/mitto/dlr")
@blueprint.response(202, ReportsReceivedSchema)
@blueprint.errors(400, 401, 413)
def delivery_reports() -> dict[str, Any]:
    """Take in one delivery report or an array of them. Unknown messages and repetitions are no errors."""
    received = receiving.receive_reports(authentic_json())
    return {"ok": True, "received": received, "updated": 0, "affected_campaigns": []}


@blueprint.post("/webhooks/mitto/inbound")
@blueprint.response(200, TextReceivedSchema)
@blueprint.errors(400, 401, 413)
def inbound_text() -> dict[str, Any]:
    """Take in a text that a person sent to one of our numbers."""
    return {"ok": True, "received": receiving.receive_text(authentic_json())}


def authentic_json() -> Any:
    """The body. Raises InvalidWebhookSignature before InvalidJson, so that strangers learn nothing."""
    request.max_content_length = JSON_BODY_MAX
    secrets = signatures.secrets_of(settings().mitto_webhook_secret)
    body = request.get_data()
    if not signatures.has_token(request.headers, secrets) and not signatures.is_signed(
        request.headers, body, secrets
    ):
        raise InvalidWebhookSignature
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as broken:
        raise InvalidJson from broken
