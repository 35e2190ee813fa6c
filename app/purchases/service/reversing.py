"""What goes back of a payment takes its credits along: in proportion, and once.

Stripe's sums are read anew each time and are cumulative, so what is due follows from them alone, and any
repetition or order of events ends the same. Two readings can be applied in the wrong order: one applies only
while the row is as it was before Stripe was asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from app.core.activity import record
from app.core.cache import changed
from app.core.clock import now
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.integrations.stripe.client import as_dict, stripe_client
from app.integrations.stripe.errors import StripeObjectMissing
from app.payers.service.vat import round_half_up
from app.purchases.errors import PurchaseMoved
from app.purchases.models import Purchase, PurchaseStatus
from app.purchases.service import checkout, fulfilling
from app.purchases.service.finding import (
    NOT_A_PURCHASE,
    UNMATCHED,
    Found,
    is_of_a_purchase,
    purchase_of_metadata,
    purchase_of_payment,
)

# Inquiries (warning_…) have taken no money; won and prevented ones have given it back.
NOT_TAKEN = frozenset(
    {"won", "prevented", "warning_needs_response", "warning_under_review", "warning_closed"}
)
TRIES = 5


@dataclass(frozen=True)
class Returned:
    """What of a payment has gone back, by Stripe's sums. Cents."""

    refunded: int
    disputed: int


def settle(payment_intent: str | None) -> str:
    """Let the credits of a purchase follow what went back of its payment. A word for what was found.

    Raises StripeFailed, PurchaseMoved; repeating is safe.
    """
    if not payment_intent:
        return UNMATCHED
    try:
        intent = checkout.read_payment(payment_intent)
        found = purchase_of_payment(payment_intent) or purchase_of_metadata(intent)
        if found is None:
            return UNMATCHED if is_of_a_purchase(intent) else NOT_A_PURCHASE
        return _settle(found, payment_intent)
    except StripeObjectMissing:
        return UNMATCHED


def due_credits(purchase: Purchase, returned: Returned) -> int:
    """How many of the purchase's credits have gone back when so much of its price has, half up."""
    if not purchase.gross_cents or not purchase.is_credited:
        return 0
    gone = Decimal(returned.refunded + returned.disputed)
    return min(purchase.credits, round_half_up(purchase.credits * gone / purchase.gross_cents))


def _settle(found: Found, payment_intent: str) -> str:
    for _ in range(TRIES):
        version = _version(found)
        intent = checkout.read_payment(payment_intent)
        if _is_unfulfilled(found) and intent["status"] == "succeeded":
            _fulfil(found, intent)
            continue
        said = follow(found, version, _returned(intent))
        if said:
            return said
    raise PurchaseMoved


def _version(found: Found) -> int:
    with unit_of_work(found.shop_id) as session:
        return session.scalars(select(Purchase.version).where(Purchase.id == found.id)).one()


def _is_unfulfilled(found: Found) -> bool:
    open_ones = (PurchaseStatus.PENDING, PurchaseStatus.FAILED, PurchaseStatus.EXPIRED)
    with unit_of_work(found.shop_id) as session:
        status = session.scalars(select(Purchase.status).where(Purchase.id == found.id)).one()
    return status in open_ones


def _fulfil(found: Found, intent: dict[str, Any]) -> None:
    """The money has gone back before we heard that it came: it came first all the same."""
    with unit_of_work(found.shop_id) as session:
        purchase = session.get_one(Purchase, found.id)
    session_id = purchase.stripe_session_id or _session_of(intent["id"])
    if session_id:
        fulfilling.fulfil(session_id)
    else:
        fulfilling.apply_intent(found.shop_id, found.id, intent)


def _session_of(payment_intent: str) -> str | None:
    with stripe_client() as stripe:
        wish: Any = {"payment_intent": payment_intent, "limit": 1}
        found = stripe.v1.checkout.sessions.list(wish).data
    return found[0].id if found else None


def _returned(intent: dict[str, Any]) -> Returned:
    charge = intent.get("latest_charge") or {}
    wish: Any = {"payment_intent": intent["id"], "limit": 100}
    with stripe_client() as stripe:
        disputes = [as_dict(one) for one in stripe.v1.disputes.list(wish).data]
    return Returned(
        refunded=charge.get("amount_refunded") or 0,
        disputed=sum(one["amount"] for one in disputes if one["status"] not in NOT_TAKEN),
    )


def follow(found: Found, version: int, returned: Returned) -> str | None:
    """Post the difference to what was posted before, once for what has gone back so far.

    None when the row has moved since `version`, which was read before Stripe was.
    """
    with unit_of_work(found.shop_id) as session:
        purchase = session.get_one(Purchase, found.id, with_for_update=True)
        if purchase.version != version:
            return None
        due = due_credits(purchase, returned)
        delta = due - purchase.reversed_credits
        _post(purchase, delta)
        purchase.reversed_credits = due
        purchase.refunded_cents = returned.refunded
        purchase.disputed_cents = returned.disputed
        if purchase.is_credited:
            is_all = returned.refunded + returned.disputed >= purchase.gross_cents
            purchase.status = PurchaseStatus.REFUNDED if is_all else PurchaseStatus.PAID
        purchase.version += 1
        purchase.updated_at = now()
        changed(found.shop_id, "billing")
    return "reversed" if delta > 0 else "reinstated" if delta < 0 else "unchanged"


def _post(purchase: Purchase, delta: int) -> None:
    key, reason = f"stripe:purchase:{purchase.id}", f"purchase:{purchase.kind}"
    if delta > 0:
        purchase.reversals += 1
        credits.reverse(purchase.shop_id, delta, key=f"{key}:reversal:{purchase.reversals}", reason=reason)
        record(purchase.shop_id, "purchase.reversed", "purchase", purchase.id, credits=delta)
    elif delta < 0:
        purchase.reinstatements += 1
        credits.reinstate(
            purchase.shop_id, -delta, key=f"{key}:reinstatement:{purchase.reinstatements}", reason=reason
        )
        record(purchase.shop_id, "purchase.reinstated", "purchase", purchase.id, credits=-delta)
