"""Firing an automation by hand. A tenant route: whatever shop the body names, it is the caller's."""

from __future__ import annotations

import hmac
from typing import Any

from flask import g, request

from app.core.http import ApiBlueprint
from app.core.settings import settings
from app.webhooks.errors import TriggerNotAllowed
from app.webhooks.schemas import FiredByHandSchema, TriggerIn
from app.webhooks.service import triggering

blueprint = ApiBlueprint("automation-trigger", __name__, description="Automations fired by hand")


@blueprint.post("/automation-webhooks/trigger")
@blueprint.arguments(TriggerIn)
@blueprint.data(200, FiredByHandSchema)
@blueprint.errors(403, 404)
def fire(body: dict[str, Any]) -> dict[str, int]:
    """Fire a trigger for one contact. In production only with the administrator's token."""
    given = request.headers.get("X-Admin-Token", "")
    is_admin = hmac.compare_digest(given.encode(), settings().admin_token.encode())
    if settings().is_production and not is_admin:
        raise TriggerNotAllowed
    count = triggering.fire(g.shop_id, body["contact_id"], body["trigger_event"], body["additional_data"])
    return {"entered": count}
