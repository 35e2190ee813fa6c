"""`subscriptions.update`: other prices with proration, cancellation at the period's end, and the rest."""

from dataclasses import dataclass

from app.sandbox.stripe import invoices, subscriptions
from app.sandbox.stripe.errors import CardRefused, Missing, Refusal
from app.sandbox.stripe.invoices import Line
from app.sandbox.stripe.parameters import merged
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document

PLAIN = ("description",)
WHEN_OVER = {"metadata", "cancellation_details", "expand"}
PENDING_SECONDS = 23 * 3600


def update(world: Stripe, subscription: Document, wish: Document) -> Document:
    """The subscription afterwards. Raises Refusal, and CardRefused when payment_behavior wants it."""
    if subscription["status"] in subscriptions.OVER and set(wish) - WHEN_OVER:
        raise Refusal("A canceled subscription can only update its cancellation_details and metadata.")
    after = _cancellation(world, _plain(world, subscription, wish), wish)
    change = _change(world, subscription, wish)
    if change is None:
        world.events.changed("customer.subscription.updated", subscription, after)
        return after
    after |= {"items": subscription["items"] | {"data": change.items}}
    if change.is_new_cycle:
        after |= {"billing_cycle_anchor": change.at, "trial_end": None}
    world.store.put(after)
    return _billed(world, subscription, after, change, wish)


@dataclass(frozen=True)
class _Change:
    items: list[Document]
    lines: list[Line]
    at: int
    is_new_cycle: bool


def _plain(world: Stripe, subscription: Document, wish: Document) -> Document:
    after = dict(subscription)
    for member in PLAIN:
        if member in wish:
            after[member] = wish[member]
    after["metadata"] = merged(subscription["metadata"], wish.get("metadata"))
    if wish.get("automatic_tax") is not None:
        after["automatic_tax"] = subscription["automatic_tax"] | {"enabled": wish["automatic_tax"]["enabled"]}
    method = wish.get("default_payment_method")
    if method is not None:
        found = world.store.get("payment_method", method)
        if found is None or found["customer"] != subscription["customer"]:
            raise Missing("payment_method", method, "default_payment_method")
        after["default_payment_method"] = method
    return after


def _cancellation(world: Stripe, after: Document, wish: Document) -> Document:
    if wish.get("cancellation_details") is not None:
        after["cancellation_details"] = after["cancellation_details"] | wish["cancellation_details"]
    if "cancel_at_period_end" not in wish and "cancel_at" not in wish:
        return after
    if after["schedule"] is not None:
        raise Refusal(
            f"The subscription is managed by the subscription schedule `{after['schedule']}`, and updating "
            "any cancelation behavior directly is not allowed. Please update the schedule instead.",
            param="cancel_at_period_end",
        )
    wants_end = wish.get("cancel_at_period_end")
    moment = subscriptions.ends_at(after) if wants_end else wish.get("cancel_at")
    reason = "cancellation_requested" if moment else None
    return after | {
        "cancel_at": moment,
        "cancel_at_period_end": bool(wants_end),
        "canceled_at": (after["canceled_at"] or world.clock.now()) if moment else None,
        "cancellation_details": after["cancellation_details"] | {"reason": reason},
    }


def _change(world: Stripe, subscription: Document, wish: Document) -> _Change | None:
    is_reset = (wish.get("billing_cycle_anchor") or {}).get("type") == "now"
    if not wish.get("items") and not is_reset:
        return None
    now = wish.get("proration_date") or world.clock.now()
    before = subscription["items"]["data"]
    items = [dict(item) for item in before]
    for place, one in enumerate(wish.get("items") or []):
        items = _with(world, subscription, items, one, f"items[{place}]")
    if not items:
        raise Refusal("A subscription must have at least one active plan.", param="items")
    if items == before and not is_reset:
        return None
    is_new_cycle = is_reset or _intervals(items) != _intervals(before)
    if is_new_cycle:
        items = subscriptions.moved(subscription | {"items": {"data": items}}, now, now)
    if wish.get("proration_behavior") == "none":
        lines = [_whole(item) for item in items] if is_new_cycle else []
    else:
        lines = [_prorated(item, now, -1) for item in before if item not in items]
        added = [item for item in items if item not in before]
        lines += [_whole(item) if is_new_cycle else _prorated(item, now, 1) for item in added]
    return _Change(items, lines, now, is_new_cycle)


def _intervals(items: list[Document]) -> set[str]:
    return {item["price"]["recurring"]["interval"] for item in items}


def _with(
    world: Stripe, subscription: Document, items: list[Document], one: Document, param: str
) -> list[Document]:
    """The items after one wish: change an item by its id, or add one for a price."""
    price = _price(world, subscription, one["price"], f"{param}[price]") if one.get("price") else None
    if one.get("id") is None:
        if price is None:
            raise Refusal("An item needs an `id` or a `price`.", param=param)
        start, anchor = world.clock.now(), subscription["billing_cycle_anchor"]
        return [
            *items,
            subscriptions.blank_item(subscription["id"], price, one.get("quantity") or 1, start, anchor),
        ]
    mine = next((item for item in items if item["id"] == one["id"]), None)
    if mine is None:
        raise Missing("subscription_item", one["id"], f"{param}[id]")
    if one.get("deleted"):
        return [item for item in items if item is not mine]
    changed = mine | {"price": price or mine["price"], "quantity": one.get("quantity") or mine["quantity"]}
    return [changed if item is mine else item for item in items]


def _price(world: Stripe, subscription: Document, number: str, param: str) -> Document:
    price = world.store.get("price", number)
    if price is None:
        raise Missing("price", number, param)
    if price["recurring"] is None:
        raise Refusal("This field only accepts prices with `type=recurring`.", param=param)
    if price["currency"] != subscription["currency"]:
        message = f"The price is in {price['currency']}; this subscription is in {subscription['currency']}."
        raise Refusal(message, param=param)
    return price


def _billed(world: Stripe, before: Document, after: Document, change: _Change, wish: Document) -> Document:
    behavior = wish.get("proration_behavior") or "create_prorations"
    is_now = change.is_new_cycle or behavior == "always_invoice"
    if not change.lines:
        world.store.put(before)
        return subscriptions.become(world, after)
    if not is_now:
        kept = world.store.kept("subscription", after["id"])
        waiting = [*kept.get("pending_lines", []), *(vars(line) for line in change.lines)]
        world.store.put(before, kept=kept | {"pending_lines": waiting})
        return subscriptions.become(world, after)
    invoice = invoices.finalize(world, invoices.draft(world, after, change.lines, "subscription_update"))
    world.store.put(before)
    after |= {"latest_invoice": invoice["id"]}
    how = wish.get("payment_behavior") or "allow_incomplete"
    if how == "default_incomplete":
        return subscriptions.become(world, after)
    invoice, intent = subscriptions.charge(world, before, invoice)
    if intent is None or intent["status"] in ("succeeded", "processing"):
        return subscriptions.become(world, after)
    return _unpaid(world, before, after, intent, how)


def _unpaid(world: Stripe, before: Document, after: Document, intent: Document, how: str) -> Document:
    if how == "error_if_incomplete":
        failure = intent["last_payment_error"] or {
            "message": "No payment method.",
            "code": "resource_missing",
        }
        refusal = CardRefused(failure, intent)
        refusal.is_final = False  # the whole change is taken back
        raise refusal
    if how == "pending_if_incomplete":
        expires = world.clock.now() + PENDING_SECONDS
        pending = {"expires_at": expires, "subscription_items": after["items"]["data"]}
        latest = after["latest_invoice"]
        return subscriptions.become(world, before, pending_update=pending, latest_invoice=latest)
    return subscriptions.become(world, after, status="past_due")


def _whole(item: Document) -> Line:
    start, end = item["current_period_start"], item["current_period_end"]
    return Line(item, item["price"], start, end, item["price"]["unit_amount"] * item["quantity"])


def _prorated(item: Document, at: int, sign: int) -> Line:
    """What is left of the period; half a cent goes up."""
    start, end = item["current_period_start"], item["current_period_end"]
    full = item["price"]["unit_amount"] * item["quantity"]
    amount = (2 * full * max(0, end - at) + (end - start)) // (2 * (end - start))
    return Line(item, item["price"], at, end, sign * amount, is_proration=True)
