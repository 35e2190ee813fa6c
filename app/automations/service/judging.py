"""Whether a step that is due may be sent: asked when it is due, of the facts as they are then.

So nothing has to be told when somebody opts out, buys or cancels: the next step finds out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.automations.catalogue import Facts, facts_of
from app.automations.models import Trigger
from app.automations.queries import TOO_LATE
from app.contacts.standing import Standing, standing_of
from app.core.settings import settings
from app.messaging.service.statistics import texted_since
from app.orders.models import Order
from app.orders.service.asking import bought_since, completed_checkouts, orders_by_id
from app.subscriptions.errors import SubscriptionRequired
from app.subscriptions.service import standing as subscriptions

DAY = timedelta(days=1)


@dataclass
class Situation:
    """What a handful of due steps must know."""

    at: datetime
    may_send: bool
    contacts: Mapping[int, Standing]
    bought: Mapping[int, bool]
    orders: Mapping[int, Order]
    completed: set[int]
    texted: dict[str, int] = field(default_factory=dict)


def look(shop_id: int, due: Sequence[Any], at: datetime) -> Situation:
    """Read what the due entries are judged by, a fixed number of statements however many there are."""
    contacts = standing_of(shop_id, [entry.contact_id for entry in due])
    bought = bought_since(shop_id, [entry.contact_id for entry in due], [_since(entry) for entry in due])
    order_ids = [entry.facts["order_id"] for entry in due if entry.facts.get("order_id")]
    checkout_ids = [entry.facts["checkout_id"] for entry in due if entry.facts.get("checkout_id")]
    return Situation(
        at=at,
        may_send=_may_send(shop_id),
        contacts=contacts,
        bought={entry.id: found for entry, found in zip(due, bought, strict=True)},
        orders=orders_by_id(shop_id, order_ids) if order_ids else {},
        completed=completed_checkouts(shop_id, checkout_ids) if checkout_ids else set(),
        texted=texted_since(shop_id, [one.phone for one in contacts.values()], at - DAY),
    )


def objection(entry: Any, situation: Situation) -> str | None:
    """Why the entry's step must not be sent, None when it may. The first reason counts."""
    facts = facts_of(Trigger(entry.trigger))
    contact = situation.contacts.get(entry.contact_id)
    if contact is None:
        return "contact_gone"
    if contact.has_withdrawn_since(entry.entered_at) or contact.consent == "opted_out":
        return "opted_out"
    if not contact.is_opted_in:
        return "no_consent"
    return _overtaken(entry, facts, situation) or _held_back(entry, facts, contact, situation)


def ends(reason: str) -> bool:
    """Whether the contact leaves the automation for this reason; else only this step is left out."""
    return reason in {"contact_gone", "opted_out", "purchased", "recovered", "order_cancelled"}


def _overtaken(entry: Any, facts: Facts, situation: Situation) -> str | None:
    """Whether events have made the step pointless."""
    if entry.facts.get("checkout_id") in situation.completed:
        return "recovered"
    order = situation.orders.get(entry.facts.get("order_id", 0))
    if order is not None and order.is_taken_back:
        return "order_cancelled"
    if _ends_on_purchase(entry, facts) and situation.bought[entry.id]:
        return "purchased"
    return None


def _held_back(entry: Any, facts: Facts, contact: Standing, situation: Situation) -> str | None:
    if not situation.may_send:
        return "no_subscription"
    if situation.at - entry.due_at > TOO_LATE:
        return "too_late"
    cap = settings().marketing_texts_per_day
    if cap and not facts.is_transactional and situation.texted.get(contact.phone, 0) >= cap:
        return "frequency_cap"
    # Two steps of one batch for the same person count, too.
    situation.texted[contact.phone] = situation.texted.get(contact.phone, 0) + 1
    return None


def _ends_on_purchase(entry: Any, facts: Facts) -> bool:
    return bool(entry.conditions.get("exitOnPurchase", facts.ends_on_purchase))


def _since(entry: Any) -> datetime:
    since = entry.facts.get("since")
    return datetime.fromisoformat(since) if since else entry.entered_at


def _may_send(shop_id: int) -> bool:
    try:
        subscriptions.require_active_subscription(shop_id)
    except SubscriptionRequired:
        return False
    return True
