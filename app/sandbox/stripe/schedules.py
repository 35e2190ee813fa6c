"""Subscription schedules: another price from a day on, most often from the period's end."""

from typing import Any

from app.sandbox.stripe import subscriptions
from app.sandbox.stripe.clock import period_end
from app.sandbox.stripe.errors import Missing, MissingParameter, Refusal
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.parameters import merged
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

KIND = "subscription_schedule"
LIVE = ("not_started", "active")


def create(world: Stripe, subscription: Document, metadata: Document | None = None) -> Document:
    """A schedule of one phase: the present period as it is. Raises Refusal when there is one already."""
    if subscription["schedule"] is not None:
        attached = subscription["schedule"]
        message = f"You cannot migrate a subscription that is already attached to a schedule: {attached}."
        raise Refusal(message, param="from_subscription")
    if subscription["status"] in subscriptions.OVER:
        raise Refusal("You cannot create a schedule from a canceled subscription.", param="from_subscription")
    items = subscription["items"]["data"]
    start = min(item["current_period_start"] for item in items)
    phase_items = [_item(item["price"]["id"], item["quantity"]) for item in items]
    phase = _phase(subscription, phase_items, start, subscriptions.ends_at(subscription))
    made = {
        "id": new_id(KIND),
        "object": KIND,
        "billing_mode": {"type": "flexible"},
        "canceled_at": None,
        "completed_at": None,
        "created": world.clock.now(),
        "current_phase": {"start_date": phase["start_date"], "end_date": phase["end_date"]},
        "customer": subscription["customer"],
        "default_settings": {"collection_method": "charge_automatically", "default_payment_method": None},
        "end_behavior": "release",
        "livemode": False,
        "metadata": metadata or {},
        "phases": [phase],
        "released_at": None,
        "released_subscription": None,
        "status": "active",
        "subscription": subscription["id"],
        "test_clock": None,
    }
    world.store.put(made)
    world.events.emit("subscription_schedule.created", made)
    subscriptions.become(world, subscription, schedule=made["id"])
    return made


def update(world: Stripe, schedule: Document, wish: Document) -> Document:
    """Other phases, or another end. The present phase keeps its start. Raises Refusal."""
    _require_live(schedule, "update")
    after = schedule | {
        "end_behavior": wish.get("end_behavior") or schedule["end_behavior"],
        "metadata": merged(schedule["metadata"], wish.get("metadata")),
    }
    if wish.get("phases") is not None:
        subscription = world.store.known("subscription", schedule["subscription"])
        after["phases"] = _phases(world, schedule, subscription, wish["phases"])
        now = after["phases"][0]
        after["current_phase"] = {"start_date": now["start_date"], "end_date": now["end_date"]}
    world.events.changed("subscription_schedule.updated", schedule, after)
    return after


def release(world: Stripe, schedule: Document) -> Document:
    """The subscription goes on as it is; `subscription_schedule.released`."""
    _require_live(schedule, "release")
    after = schedule | {
        "status": "released",
        "released_at": world.clock.now(),
        "released_subscription": schedule["subscription"],
        "subscription": None,
        "current_phase": None,
    }
    world.store.put(after)
    world.events.emit("subscription_schedule.released", after)
    subscription = world.store.known("subscription", schedule["subscription"])
    if subscription["status"] not in subscriptions.OVER:
        subscriptions.become(world, subscription, schedule=None)
    return after


def abandon(world: Stripe, number: str | None) -> None:
    """Its subscription is over; `subscription_schedule.canceled`."""
    schedule = world.store.get(KIND, number)
    if schedule is not None and schedule["status"] in LIVE:
        over = {"status": "canceled", "canceled_at": world.clock.now(), "current_phase": None}
        world.events.changed("subscription_schedule.canceled", schedule, schedule | over)


def turn(world: Stripe, subscription: Document) -> Document | None:
    """At a period's end: the subscription in its next phase; None when the schedule ends it."""
    schedule = world.store.get(KIND, subscription["schedule"])
    now = world.clock.now()
    if schedule is None or schedule["current_phase"]["end_date"] > now:
        return subscription
    follows = [
        phase for phase in schedule["phases"] if phase["start_date"] >= schedule["current_phase"]["end_date"]
    ]
    if follows:
        phase = follows[0]
        current = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
        world.events.changed("subscription_schedule.updated", schedule, schedule | {"current_phase": current})
        return _in_phase(world, subscription, phase)
    if schedule["end_behavior"] == "cancel":
        over = {"status": "completed", "completed_at": now, "current_phase": None}
        world.events.changed("subscription_schedule.completed", schedule, schedule | over)
        return None
    release(world, schedule)
    return world.store.known("subscription", subscription["id"])


def _in_phase(world: Stripe, subscription: Document, phase: Document) -> Document:
    """Items keep their ids as far as there are as many. An interval that changes begins a new cycle."""
    old = subscription["items"]["data"]
    start = subscriptions.ends_at(subscription)
    items = []
    for place, wish in enumerate(phase["items"]):
        price = world.store.known("price", wish["price"])
        fresh = subscriptions.blank_item(subscription["id"], price, wish["quantity"], start, start)
        items.append(
            fresh | {name: old[place][name] for name in ("id", "created")} if place < len(old) else fresh
        )
    intervals = [{item["price"]["recurring"]["interval"] for item in some} for some in (old, items)]
    anchor = subscription["billing_cycle_anchor"] if intervals[0] == intervals[1] else start
    metadata = subscription["metadata"] | (phase["metadata"] or {})
    changed = {"billing_cycle_anchor": anchor, "metadata": metadata}
    return subscription | changed | {"items": subscription["items"] | {"data": items}}


def _phases(
    world: Stripe, schedule: Document, subscription: Document, wishes: list[Document]
) -> list[Document]:
    begins = schedule["current_phase"]["start_date"]
    if not wishes:
        raise Refusal("You must pass at least one phase.", param="phases")
    phases: list[Document] = []
    for place, wish in enumerate(wishes):
        param = f"phases[{place}]"
        start = wish.get("start_date") or (phases[-1]["end_date"] if phases else begins)
        start = world.clock.now() if start == "now" else start
        if not phases and start != begins:
            raise Refusal(
                "You can not modify the start date of the current phase.", param=f"{param}[start_date]"
            )
        if phases and start != phases[-1]["end_date"]:
            raise Refusal("Phases must follow each other without a gap.", param=f"{param}[start_date]")
        items = [
            _checked(world, one, f"{param}[items][{number}]") for number, one in enumerate(wish["items"])
        ]
        end = _end(world, wish, items, start)
        if end <= start:
            raise Refusal("A phase must end after it starts.", param=f"{param}[end_date]")
        phases.append(_phase(subscription, items, start, end, wish))
    return phases


def _end(world: Stripe, wish: Document, items: list[Document], start: int) -> int:
    if wish.get("end_date") is not None:
        return int(wish["end_date"])
    length = wish.get("duration")
    if length is None:
        recurring: Any = world.store.known("price", items[0]["price"])["recurring"]
        length = {"interval": recurring["interval"], "interval_count": recurring["interval_count"]}
    return period_end(start, start, length["interval"], length.get("interval_count") or 1)


def _checked(world: Stripe, wish: Document, param: str) -> Document:
    if wish.get("price") is None:
        raise MissingParameter(f"{param}[price]")
    price = world.store.get("price", wish["price"])
    if price is None:
        raise Missing("price", wish["price"], f"{param}[price]")
    if price["recurring"] is None:
        raise Refusal("Only recurring prices can be in a phase.", param=f"{param}[price]")
    return _item(wish["price"], wish.get("quantity") or 1)


def _item(price: str, quantity: int) -> Document:
    return {
        "discounts": [],
        "metadata": {},
        "plan": price,
        "price": price,
        "quantity": quantity,
        "tax_rates": [],
    }


def _phase(
    subscription: Document, items: list[Document], start: int, end: int, wish: Document | None = None
) -> Document:
    told = wish or {}
    return {
        "add_invoice_items": [],
        "billing_cycle_anchor": told.get("billing_cycle_anchor"),
        "currency": subscription["currency"],
        "end_date": end,
        "items": items,
        "metadata": {name: value for name, value in (told.get("metadata") or {}).items() if value},
        "proration_behavior": told.get("proration_behavior") or "create_prorations",
        "start_date": start,
        "trial_end": None,
    }


def _require_live(schedule: Document, verb: str) -> None:
    if schedule["status"] not in LIVE:
        status = schedule["status"]
        message = f"You cannot {verb} a subscription schedule that is currently in the `{status}` status."
        raise Refusal(message)
