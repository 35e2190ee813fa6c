"""What Stripe says of a customer's subscriptions, as plain values. Nothing here knows our tables.

Facts of API 2026-10-28: periods are on the subscription's items; `latest_invoice` and `schedule` are ids
unless expanded; the portal ends a subscription by `cancel_at` where the account bills flexibly, by
`cancel_at_period_end` elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.integrations.stripe.client import as_dict, stripe_client
from app.subscriptions.models import LIVE, SENDING, SubscriptionStatus
from app.subscriptions.plans import INTERVAL, PLAN_OF, Sku, sku_of_price

STATUS_OF = {"canceled": SubscriptionStatus.CANCELLED, "incomplete_expired": SubscriptionStatus.CANCELLED}
MOST = 100  # a page of Stripe's lists; nobody has had more subscriptions
UNPAID_TEXT = "The last payment did not succeed. Please check your payment method."


@dataclass(frozen=True)
class Pending:
    """The next phase of a subscription's schedule."""

    sku: Sku
    effective_at: datetime


@dataclass(frozen=True)
class Reading:
    """A subscription as Stripe shows it. `is_paid`: its latest invoice is, or nothing is asked yet."""

    id: str
    customer_id: str
    item_id: str
    status: str
    sku: Sku
    price_id: str
    period_start: datetime
    period_end: datetime
    trial_end: datetime | None
    cancel_at_period_end: bool
    replaces: str | None
    is_paid: bool
    billing_error: str | None
    schedule_id: str | None = None
    pending: Pending | None = None

    @property
    def is_live(self) -> bool:
        return self.status in LIVE

    @property
    def may_be_adopted(self) -> bool:
        """Whether it may take another one's place: only once it is paid."""
        return self.status in SENDING and self.is_paid


def subscriptions_of(customer_id: str) -> list[Reading]:
    """All subscriptions of a customer, the newest first. Raises what `stripe_client` raises.

    Those whose price is for no plan of ours are left out.
    """
    asked = {
        "customer": customer_id,
        "status": "all",
        "limit": MOST,
        "expand": ["data.latest_invoice", "data.schedule"],
    }
    with stripe_client() as stripe:
        listed = as_dict(stripe.v1.subscriptions.list(asked))  # type: ignore[arg-type]
    return [reading for one in listed["data"] if (reading := read(one))]


def subscription(subscription_id: str) -> dict[str, Any]:
    """One subscription as Stripe answers it. Raises StripeObjectMissing and what `stripe_client` raises."""
    with stripe_client() as stripe:
        found = stripe.v1.subscriptions.retrieve(subscription_id, {"expand": ["latest_invoice", "schedule"]})
        return as_dict(found)


def read(told: dict[str, Any]) -> Reading | None:
    """One subscription of Stripe, None when it is for no plan of ours."""
    items = told["items"]["data"]
    sku = _sku(told, items[0]["price"]) if items else None
    if sku is None:
        return None
    invoice = told.get("latest_invoice")
    schedule = told.get("schedule")
    error = _billing_error(told["status"], invoice)
    return Reading(
        id=told["id"],
        customer_id=_id(told["customer"]),
        item_id=items[0]["id"],
        status=STATUS_OF.get(told["status"], told["status"]),
        sku=sku,
        price_id=items[0]["price"]["id"],
        period_start=_moment(max(item["current_period_start"] for item in items)),
        period_end=_moment(min(item["current_period_end"] for item in items)),
        trial_end=_moment(told["trial_end"]) if told.get("trial_end") else None,
        cancel_at_period_end=bool(told.get("cancel_at_period_end") or told.get("cancel_at")),
        replaces=(told.get("metadata") or {}).get("previousStripeSubscriptionId"),
        is_paid=invoice is None or invoice["status"] == "paid",
        billing_error=error,
        schedule_id=schedule["id"] if schedule else None,
        pending=_pending(schedule, sku) if schedule else None,
    )


def current_of(readings: Sequence[Reading], known_id: str | None) -> Reading | None:
    """The one that counts: the newest that is paid for, else the one we know.

    `readings` are the newest first. The same for every order in which events come: it looks at all of them.
    """
    known = next((reading for reading in readings if reading.id == known_id), None)
    paid = next((reading for reading in readings if reading.may_be_adopted), None)
    if paid is None or (known and known.is_live and readings.index(known) <= readings.index(paid)):
        return known
    return paid


def superseded_by(current: Reading | None, readings: Sequence[Reading]) -> Reading | None:
    """An older one that is charged for beside the current one, if any."""
    if current is None or not current.is_live:
        return None
    older = readings[readings.index(current) + 1 :]
    return next((one for one in older if one.is_live), None)


def _sku(told: dict[str, Any], price: dict[str, Any]) -> Sku | None:
    """By the price's id; by what is written on it where the price is not configured (any more)."""
    known = sku_of_price(price["id"])
    if known:
        return known
    interval = (price.get("recurring") or {}).get("interval")
    plan = (told.get("metadata") or {}).get("planType") or PLAN_OF.get(interval or "")
    currency = str(price["currency"]).upper()
    if plan not in INTERVAL or interval not in PLAN_OF or currency not in {"EUR", "USD"}:
        return None
    return Sku(plan, interval, currency)


def _pending(schedule: dict[str, Any], now_is: Sku) -> Pending | None:
    """The phase after the current one, where it is for something else."""
    ends = (schedule.get("current_phase") or {}).get("end_date")
    later = [phase for phase in schedule["phases"] if ends and phase["start_date"] >= ends]
    if not later or schedule["status"] not in {"active", "not_started"}:
        return None
    sku = sku_of_price(_id(later[0]["items"][0]["price"]))
    if sku is None or sku == now_is:
        return None
    return Pending(sku, _moment(later[0]["start_date"]))


def _billing_error(status: str, invoice: dict[str, Any] | None) -> str | None:
    """A sentence for the merchant while a payment was tried in vain; a debit under way is none."""
    is_given_up = invoice is not None and invoice["status"] == "uncollectible"
    return UNPAID_TEXT if is_given_up or status in {"past_due", "unpaid", "incomplete"} else None


def _id(named: Any) -> str:
    return str(named["id"] if isinstance(named, dict) else named)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
