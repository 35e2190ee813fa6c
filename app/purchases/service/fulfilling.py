"""A payment becomes credits, once: the one way for webhooks, success pages, recharges and reconciling.

The purchase's own row says what is due; what Stripe took must agree with it. Keyed by the row's state under
its lock, and by `stripe:purchase:{id}` in the ledger. Locks: recharge settings, purchase, ledger accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from app.core.activity import record
from app.core.cache import changed
from app.core.clock import now
from app.core.uow import require_unit_of_work, unit_of_work
from app.credits import service as credits
from app.integrations.stripe.errors import StripeObjectMissing
from app.payers.service.evidence import keep_evidence
from app.purchases import queries
from app.purchases.models import AlertKind, Purchase, PurchaseKind, PurchaseStatus, RechargeSettings
from app.purchases.service import alerting, checkout
from app.purchases.service.finding import NOT_A_PURCHASE, UNMATCHED, is_of_a_purchase, purchase_of_metadata
from app.purchases.service.pricing import payer_at, vat_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Payment:
    """What Stripe took. Cents; `net_cents` is before tax that Stripe added."""

    gross_cents: int
    net_cents: int
    currency: str
    payment_intent: str | None
    payment_method: str | None
    session: str | None = None


def fulfil(session_id: str, *, has_failed: bool = False) -> str:
    """Credit what a Checkout session paid, if it did and nobody has yet. A word for what was found.

    `has_failed`: Stripe told that its delayed payment did not come. Raises StripeFailed; repeating is safe.
    """
    try:
        session = checkout.read_session(session_id)
    except StripeObjectMissing:
        return UNMATCHED
    return apply_session(session, has_failed=has_failed)


def apply_session(session: dict[str, Any], *, has_failed: bool = False) -> str:
    """The same for a session that was just read from Stripe."""
    if not is_of_a_purchase(session):
        return NOT_A_PURCHASE
    found = purchase_of_metadata(session)
    if found is None:
        return UNMATCHED
    if session["payment_status"] == "unpaid":
        if session["status"] == "expired":
            return close(found.shop_id, found.id, PurchaseStatus.EXPIRED, "expired", session["id"])
        if has_failed:
            return close(found.shop_id, found.id, PurchaseStatus.FAILED, "not_paid", session["id"])
        return "waiting"
    return apply_payment(found.shop_id, found.id, _payment_of_session(session))


def apply_intent(shop_id: int, purchase_id: int, intent: dict[str, Any]) -> str:
    """Credit what a payment without a Checkout session took: a recharge."""
    paid = Payment(
        gross_cents=intent["amount_received"],
        net_cents=intent["amount_received"],
        currency=intent["currency"],
        payment_intent=intent["id"],
        payment_method=_id_of(intent.get("payment_method")),
    )
    return apply_payment(shop_id, purchase_id, paid)


def apply_payment(shop_id: int, purchase_id: int, paid: Payment) -> str:
    """Credit a payment if it is what was asked and was not credited yet."""
    with unit_of_work(shop_id) as session:
        session.execute(queries.LOCK_SETTINGS, {"shop_id": shop_id})
        purchase = session.get_one(Purchase, purchase_id, with_for_update=True)
        if _is_another_payment(purchase, paid):
            _tell_of_mismatch(purchase, "paid_twice")
            return "paid_twice"
        if purchase.is_credited:
            return "credited_before"
        _keep_ids(purchase, paid)
        if not _is_as_asked(purchase, paid):
            if purchase.status != PurchaseStatus.MISMATCHED:
                _move(purchase, PurchaseStatus.MISMATCHED, "amount")
                _tell_of_mismatch(purchase, "amount")
            return "mismatched"
        _credit(purchase, paid)
    return "credited"


def close(
    shop_id: int, purchase_id: int, status: PurchaseStatus, failure: str, session_id: str | None = None
) -> str:
    """Note that a pending purchase will not be paid. Of one that is not pending nothing changes."""
    with unit_of_work(shop_id) as session:
        purchase = session.get_one(Purchase, purchase_id, with_for_update=True)
        if purchase.status != PurchaseStatus.PENDING:
            return "settled_before"
        if session_id and purchase.stripe_session_id not in {None, session_id}:
            return "another_session"
        purchase.stripe_session_id = purchase.stripe_session_id or session_id
        _move(purchase, status, failure)
        record(shop_id, f"purchase.{status}", "purchase", purchase_id)
    return str(status)


def _payment_of_session(session: dict[str, Any]) -> Payment:
    intent = session.get("payment_intent")
    return Payment(
        gross_cents=session["amount_total"],
        net_cents=session["amount_subtotal"],
        currency=session["currency"],
        payment_intent=_id_of(intent),
        payment_method=_id_of(intent.get("payment_method")) if isinstance(intent, dict) else None,
        session=session["id"],
    )


def _id_of(thing: Any) -> str | None:
    """The id of what may have been expanded."""
    return thing["id"] if isinstance(thing, dict) else thing


def _is_another_payment(purchase: Purchase, paid: Payment) -> bool:
    """Whether it was paid by something else than this."""
    known = (purchase.stripe_session_id, purchase.stripe_payment_intent_id)
    came = (paid.session, paid.payment_intent)
    return purchase.is_credited and any(a and b and a != b for a, b in zip(known, came, strict=True))


def _keep_ids(purchase: Purchase, paid: Payment) -> None:
    """What paid counts, also where another session was noted that nobody paid."""
    purchase.stripe_session_id = paid.session or purchase.stripe_session_id
    purchase.stripe_payment_intent_id = paid.payment_intent or purchase.stripe_payment_intent_id


def _is_as_asked(purchase: Purchase, paid: Payment) -> bool:
    if paid.currency.upper() != purchase.currency:
        return False
    if purchase.is_taxed_by_stripe:
        return paid.net_cents == purchase.net_cents and paid.gross_cents >= paid.net_cents
    return paid.gross_cents == purchase.gross_cents


def _credit(purchase: Purchase, paid: Payment) -> None:
    if purchase.is_taxed_by_stripe:
        purchase.tax_cents = paid.gross_cents - purchase.net_cents
        purchase.gross_cents = paid.gross_cents
    purchase.paid_at = now()
    _move(purchase, PurchaseStatus.PAID, None)
    key = f"stripe:purchase:{purchase.id}"
    credits.purchase(purchase.shop_id, purchase.credits, key=key, reason=f"purchase:{purchase.kind}")
    keep_evidence(
        purchase.shop_id,
        vat_of(purchase),
        payer_at(purchase),
        currency=purchase.currency,
        purchase_id=purchase.id,
    )
    _let_recharge_again(purchase, paid)
    record(
        purchase.shop_id,
        "purchase.paid",
        "purchase",
        purchase.id,
        kind=str(purchase.kind),
        credits=purchase.credits,
        cents=purchase.gross_cents,
        currency=purchase.currency,
    )


def _let_recharge_again(purchase: Purchase, paid: Payment) -> None:
    """Somebody could pay: a refused card is forgotten, and the new one kept where the shop wished it."""
    alerting.end(purchase.shop_id, AlertKind.RECHARGE_FAILED, AlertKind.RECHARGE_CAP_REACHED)
    chosen = require_unit_of_work().get(RechargeSettings, purchase.shop_id)
    if chosen is None:
        return
    chosen.suspended_at = None
    if purchase.keeps_card and paid.payment_method and purchase.kind != PurchaseKind.RECHARGE:
        chosen.stripe_payment_method_id = paid.payment_method


def _move(purchase: Purchase, status: PurchaseStatus, failure: str | None) -> None:
    purchase.status = status
    purchase.failure = failure
    purchase.version += 1
    purchase.updated_at = now()
    changed(purchase.shop_id, "billing")


def _tell_of_mismatch(purchase: Purchase, why: str) -> None:
    """An operator must look, docs/runbooks/payment-mismatched.md."""
    log.error("purchase_mismatched", shop_id=purchase.shop_id, purchase_id=purchase.id, why=why)
    alerting.tell(purchase.shop_id, AlertKind.PAYMENT_MISMATCHED, purchaseId=str(purchase.id), why=why)
    record(purchase.shop_id, "purchase.mismatched", "purchase", purchase.id, why=why)
