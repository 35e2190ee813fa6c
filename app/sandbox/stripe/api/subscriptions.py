"""`/v1/subscriptions` and `/v1/subscription_schedules`."""

from app.sandbox.stripe import changes, schedules, subscriptions
from app.sandbox.stripe.api.door import Call, door
from app.sandbox.stripe.api.listing import PAGE, listed, page_of
from app.sandbox.stripe.errors import Missing, MissingParameter, Refusal
from app.sandbox.stripe.parameters import (
    anything,
    boolean,
    instant_or,
    integer,
    many,
    members,
    metadata,
    text,
    word,
)
from app.sandbox.stripe.store import Document

PRORATION = word("create_prorations", "none", "always_invoice")
DETAILS = members(comment=text(), feedback=text())
ON = members(enabled=boolean, liability=anything)
ITEM = members(id=text(), price=text(), quantity=integer(0), deleted=boolean, metadata=metadata)
ANCHOR = members(type=word("now", "unchanged"))
PHASE = members(
    start_date=instant_or("now"),
    end_date=instant_or("now"),
    duration=members(interval=word("day", "week", "month", "year"), interval_count=integer(1)),
    items=many(members(price=text(), quantity=integer(1), metadata=metadata)),
    proration_behavior=PRORATION,
    billing_cycle_anchor=word("automatic", "phase_start"),
    metadata=metadata,
    currency=text(3),
    collection_method=word("charge_automatically"),
    automatic_tax=ON,
    default_payment_method=text(),
    description=text(500),
)


@door("GET", "/subscriptions/<number>")
def show(call: Call) -> Document:
    """One subscription, whatever its status."""
    return call.found("subscription")


@door("GET", "/subscriptions", customer=text(), price=text(), status=text(), **PAGE)
def every(call: Call) -> Document:
    """Those that are not canceled, newest first; `status=all` shows all."""
    status, price = call.wish.pop("status", None), call.wish.pop("price", None)
    if status in (None, "all", "ended"):
        found = call.world.store.find("subscription", **_narrowed(call))
    else:
        found = call.world.store.find("subscription", status=status, **_narrowed(call))
    if status in (None, "ended"):
        found = [one for one in found if (one["status"] in subscriptions.OVER) == (status == "ended")]
    if price is not None:
        found = [one for one in found if price in [item["price"]["id"] for item in one["items"]["data"]]]
    return page_of(call, found, "/subscriptions")


@door(
    "POST",
    "/subscriptions/<number>",
    automatic_tax=ON,
    billing_cycle_anchor=ANCHOR,
    cancel_at=integer(0),
    cancel_at_period_end=boolean,
    cancellation_details=DETAILS,
    default_payment_method=text(),
    description=text(500),
    items=many(ITEM),
    metadata=metadata,
    off_session=boolean,
    payment_behavior=word(
        "allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete"
    ),
    payment_settings=anything,
    proration_behavior=PRORATION,
    proration_date=integer(0),
)
def update(call: Call) -> Document:
    """Other prices, cancellation at the period's end, metadata, …"""
    return changes.update(call.world, call.found("subscription"), call.wish)


@door("DELETE", "/subscriptions/<number>", prorate=boolean, invoice_now=boolean, cancellation_details=DETAILS)
def cancel(call: Call) -> Document:
    """End it now. One that is over already is not found, as at the real one."""
    subscription = call.found("subscription")
    if subscription["status"] in subscriptions.OVER:
        raise Missing("subscription", subscription["id"])
    schedules.abandon(call.world, subscription["schedule"])
    details = subscription["cancellation_details"] | (call.wish.get("cancellation_details") or {})
    return subscriptions.end(call.world, subscription | {"cancellation_details": details})


@door(
    "POST",
    "/subscription_schedules",
    from_subscription=text(),
    metadata=metadata,
    end_behavior=word("release", "cancel"),
    phases=many(PHASE),
)
def create_schedule(call: Call) -> Document:
    """A schedule that takes over a subscription as it is."""
    wish = call.wish
    if wish.get("from_subscription") is None:
        raise MissingParameter("from_subscription")
    others = [name for name in ("metadata", "end_behavior", "phases") if wish.get(name)]
    if others:
        message = f"You cannot set `{others[0]}` if `from_subscription` is set."
        raise Refusal(message, param=others[0])
    return schedules.create(call.world, call.named("subscription", "from_subscription"))


@door("GET", "/subscription_schedules/<number>")
def schedule(call: Call) -> Document:
    """One schedule."""
    return call.found("subscription_schedule")


@door("GET", "/subscription_schedules", customer=text(), **PAGE)
def every_schedule(call: Call) -> Document:
    """Schedules, newest first."""
    return listed(call, "subscription_schedule", "/subscription_schedules")


@door(
    "POST",
    "/subscription_schedules/<number>",
    phases=many(PHASE),
    end_behavior=word("release", "cancel"),
    metadata=metadata,
    proration_behavior=PRORATION,
    default_settings=anything,
)
def update_schedule(call: Call) -> Document:
    """Other phases."""
    return schedules.update(call.world, call.found("subscription_schedule"), call.wish)


@door("POST", "/subscription_schedules/<number>/release", preserve_cancel_date=boolean)
def release(call: Call) -> Document:
    """The subscription goes on as it is."""
    return schedules.release(call.world, call.found("subscription_schedule"))


def _narrowed(call: Call) -> Document:
    customer = call.wish.get("customer")
    return {"customer": customer} if customer else {}
