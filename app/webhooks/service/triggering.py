"""Firing an automation by hand, to see what it says."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import uuid4

from app.automations.models import Trigger
from app.automations.service.entering import enter
from app.contacts import service as contacts
from app.core.clock import now
from app.core.errors import ValidationFailed
from app.core.uow import unit_of_work

VALUES_MAX, VALUE_MAX = 20, 500


def fire(shop_id: int, contact_id: int, trigger: str, values: Mapping[str, object]) -> int:
    """Put one contact of the shop into its active automations of this trigger; how many those are.

    Every call is an event of its own. All other rules hold: consent, quiet hours, credits. Raises
    ContactNotFound and ValidationFailed.
    """
    if trigger not in {*Trigger}:
        raise ValidationFailed("triggerEvent", "is no trigger")
    contact = contacts.find_contact(shop_id, contact_id)
    texts = {key: str(value)[:VALUE_MAX] for key, value in list(values.items())[:VALUES_MAX]}
    with unit_of_work(shop_id):
        return enter(
            shop_id,
            Trigger(trigger),
            contact.id,
            event_key=f"manual:{uuid4().hex}",
            occurred_at=now(),
            facts={"values": texts},
        )
