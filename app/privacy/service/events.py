"""What Shopify asks for, out of the inbox. Steps: only the request is kept here, the work comes later."""

from __future__ import annotations

from functools import partial

from app.core.queue import wake
from app.core.uow import after_commit, require_unit_of_work
from app.integrations.shopify.events import ShopifyEvent
from app.privacy import queries
from app.privacy.models import Kind

BELL = "privacy.carry_out"


def data_requested(event: ShopifyEvent) -> str:
    """A customer wants to see what the shop keeps of them, within thirty days."""
    return _receive(event, Kind.DATA_REQUEST)


def customer_redacted(event: ShopifyEvent) -> str:
    """A customer is to be erased, within thirty days."""
    return _receive(event, Kind.CUSTOMER_REDACT)


def shop_redacted(event: ShopifyEvent) -> str:
    """A shop that uninstalled the app two days ago is to be erased."""
    return _receive(event, Kind.SHOP_REDACT)


def _receive(event: ShopifyEvent, kind: Kind) -> str:
    """Keep the request, once per inbox event."""
    values = {"shop_id": event.shop_id, "inbox_id": event.id, "kind": kind}
    if require_unit_of_work().scalar(queries.RECEIVE, values) is None:
        return "received before"
    after_commit(partial(wake, BELL, event.shop_id))
    return "received"
