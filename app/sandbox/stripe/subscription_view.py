"""A subscription as people read it: plan, price, and what happens at the end of the period."""

from app.sandbox.stripe import shown
from app.sandbox.stripe.cards import CARDS
from app.sandbox.stripe.state import Stripe
from app.sandbox.stripe.store import Document
from app.sandbox.stripe.subscriptions import OVER, method_of

TONES = {"active": "good", "trialing": "good", "past_due": "bad", "unpaid": "bad", "canceled": ""}


def subscription_view(world: Stripe, subscription: Document) -> Document:
    """For the portal and for the account's page."""
    item = subscription["items"]["data"][0]
    price, is_over = item["price"], subscription["status"] in OVER
    return {
        "id": subscription["id"],
        "name": shown.product_name(world, price["product"]),
        "price": shown.money(price["unit_amount"], price["currency"]),
        "every": price["recurring"]["interval"],
        "status": subscription["status"].replace("_", " "),
        "tone": TONES.get(subscription["status"], "wait"),
        "until": _until(subscription, item, is_over),
        "may_cancel": not is_over,
        "may_resume": not is_over and subscription["cancel_at_period_end"],
        "will_fail": not is_over and _will_fail(world, subscription),
    }


def _will_fail(world: Stripe, subscription: Document) -> bool:
    method = method_of(world, subscription)
    card = CARDS.get(world.store.kept("payment_method", method["id"]).get("number", "")) if method else None
    return card is not None and bool(card.later or card.refusal)


def _until(subscription: Document, item: Document, is_over: bool) -> str:
    if is_over:
        return f"Ended on {shown.day(subscription.get('ended_at') or subscription.get('canceled_at'))}."
    day = shown.day(item["current_period_end"])
    return f"Ends on {day}." if subscription["cancel_at_period_end"] else f"Renews on {day}."
