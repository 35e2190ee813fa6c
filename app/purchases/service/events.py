"""What Stripe's events about purchases do. Each may come twice, late and in any order.

An event only says where to look: what is applied is read from Stripe. Called outside a unit of work; each
returns a word for what was done, and raises StripeFailed to be tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.integrations.stripe.errors import StripeObjectMissing
from app.integrations.stripe.events import StripeEvent
from app.purchases.service import fulfilling, recharging, reversing
from app.purchases.service.finding import NOT_A_PURCHASE, UNMATCHED, is_of_a_purchase

Handler = Callable[[StripeEvent], str]


def session_ended(event: StripeEvent) -> str:
    """A Checkout session was paid, has expired, or its delayed payment came."""
    if not is_of_a_purchase(event.object):
        return NOT_A_PURCHASE
    return fulfilling.fulfil(event.object_id)


def session_failed(event: StripeEvent) -> str:
    """The delayed payment of a session did not come."""
    if not is_of_a_purchase(event.object):
        return NOT_A_PURCHASE
    return fulfilling.fulfil(event.object_id, has_failed=True)


def payment_ended(event: StripeEvent) -> str:
    """A payment succeeded or was refused: news for recharges, which have no session."""
    if not is_of_a_purchase(event.object):
        return NOT_A_PURCHASE
    try:
        return recharging.learn(event.object_id)
    except StripeObjectMissing:
        return UNMATCHED


def money_went_back(event: StripeEvent) -> str:
    """Something of a charge was refunded or disputed, or came back after all."""
    payment = event.object.get("payment_intent")
    return reversing.settle(payment["id"] if isinstance(payment, dict) else payment)


HANDLERS: Mapping[str, Handler] = {
    "checkout.session.completed": session_ended,
    "checkout.session.async_payment_succeeded": session_ended,
    "checkout.session.async_payment_failed": session_failed,
    "checkout.session.expired": session_ended,
    "payment_intent.succeeded": payment_ended,
    "payment_intent.payment_failed": payment_ended,
    "charge.refunded": money_went_back,
    "refund.created": money_went_back,
    "refund.updated": money_went_back,
    "refund.failed": money_went_back,
    "charge.dispute.created": money_went_back,
    "charge.dispute.updated": money_went_back,
    "charge.dispute.closed": money_went_back,
    "charge.dispute.funds_withdrawn": money_went_back,
    "charge.dispute.funds_reinstated": money_went_back,
}
