"""Credits are bought for a shop that lets us, when few are left: one purchase under way, never above its cap.

The row comes first, under the lock of the shop's settings; then the card is charged under the row's key. An
answer that was lost is asked for again with that key, and looked for among the shop's payments.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.dialects.postgresql import insert

from app.core.activity import record
from app.core.cache import changed
from app.core.clock import now
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.credits import service as credits
from app.integrations.stripe.client import is_configured
from app.integrations.stripe.errors import CardRefused, StripeFailed, StripeRefused
from app.purchases import queries
from app.purchases.models import AlertKind, Purchase, PurchaseKind, PurchaseStatus, RechargeSettings
from app.purchases.service import alerting, checkout
from app.purchases.service.buying import KEY_LIVES, keep_customer
from app.purchases.service.finding import NOT_A_PURCHASE, UNMATCHED, is_of_a_purchase, purchase_of_metadata
from app.purchases.service.fulfilling import apply_intent
from app.purchases.service.pricing import price_cents, price_columns
from app.shops import service as shops

log = structlog.get_logger(__name__)
AT_ONCE = 200
UNANSWERED_AFTER = timedelta(seconds=60)
# Refusals of us, not of the card: no shop's recharge is to stop for them.
OURS = frozenset({"AuthenticationError", "PermissionError", "IdempotencyError"})


def settings_of(shop_id: int) -> RechargeSettings:
    """What the shop has chosen, or the defaults: switched off."""
    with unit_of_work(shop_id) as session:
        return session.get(RechargeSettings, shop_id) or _defaults(shop_id)


def choose(shop_id: int, chosen: Mapping[str, Any]) -> RechargeSettings:
    """Save some of the settings; the others stay. A refused card is tried again from now on."""
    with unit_of_work(shop_id) as session:
        fresh = insert(RechargeSettings).values(shop_id=shop_id).on_conflict_do_nothing()
        session.execute(fresh)
        settings = session.get_one(RechargeSettings, shop_id, with_for_update=True)
        for name, value in chosen.items():
            setattr(settings, name, value)
        settings.suspended_at = None
        settings.updated_at = now()
        alerting.end(shop_id, AlertKind.RECHARGE_FAILED, AlertKind.RECHARGE_CAP_REACHED)
        record(shop_id, "recharge.chosen", "recharge", enabled=settings.is_enabled, fields=sorted(chosen))
    return settings


def due_shops() -> list[int]:
    """Shops whose free credits are below their threshold and whose card may be charged. One statement."""
    if not is_configured():
        return []
    with across_shops("recharges are looked for in every shop") as session:
        return list(session.scalars(queries.DUE_FOR_RECHARGE, {"most": AT_ONCE}))


def unanswered() -> list[tuple[int, int]]:
    """Shop and purchase of recharges that Stripe has not answered."""
    if not is_configured():
        return []
    values = {"before": now() - UNANSWERED_AFTER, "most": AT_ONCE}
    with across_shops("recharges are looked after in every shop") as session:
        return [(row.shop_id, row.id) for row in session.execute(queries.UNANSWERED_RECHARGES, values)]


def recharge(shop_id: int) -> str:
    """Buy for the shop if it still needs it and its cap allows. A word for what was done."""
    with unit_of_work(shop_id):
        begun = _begin(shop_id)
    return charge(shop_id, begun.id) if begun else "not_due"


def charge(shop_id: int, purchase_id: int) -> str:
    """Charge the card for a recharge under way, or learn what came of it: once, by `purchase:{id}`."""
    with unit_of_work(shop_id) as session:
        purchase = session.get_one(Purchase, purchase_id)
        chosen = session.get(RechargeSettings, shop_id)
        purchase.updated_at = now()  # whoever asks next waits his turn
    if purchase.status != PurchaseStatus.PENDING:
        return "settled_before"
    try:
        return _learned(purchase, _answer(purchase, chosen))
    except StripeFailed as failed:
        if isinstance(failed, StripeRefused) and failed.reason not in OURS:
            return _refuse(purchase, failed)
        log.warning("recharge_unanswered", shop_id=shop_id, purchase_id=purchase_id, reason=failed.reason)
        return "unanswered"


def learn(payment_intent: str) -> str:
    """Follow what became of a recharge's payment. A word for what was found. Raises StripeFailed."""
    intent = checkout.read_payment(payment_intent)
    if not is_of_a_purchase(intent):
        return NOT_A_PURCHASE
    found = purchase_of_metadata(intent)
    if found is None:
        return UNMATCHED
    with unit_of_work(found.shop_id) as session:
        purchase = session.get_one(Purchase, found.id)
    if purchase.kind != PurchaseKind.RECHARGE:
        return "told_by_checkout"  # a refused card leaves Stripe's page open for another one
    return _learned(purchase, intent)


def _begin(shop_id: int) -> Purchase | None:
    """The row of a recharge, if one is due. Everything is looked at again under the settings' lock."""
    session = require_unit_of_work()
    session.execute(queries.LOCK_SETTINGS, {"shop_id": shop_id})
    chosen = session.get(RechargeSettings, shop_id, populate_existing=True)
    if chosen is None or not _is_wanted(chosen):
        return None
    shop = shops.find_shop(shop_id)
    price = price_columns(shop_id, price_cents(chosen.credits, shop.currency))
    since = _month_start(now().astimezone(shops.zone_of(shop)))
    spent = session.scalar(queries.RECHARGED, {"shop_id": shop_id, "since": since}) or 0
    cap = chosen.monthly_cap_cents
    if cap is not None and spent + price["gross_cents"] > cap:
        alerting.tell(shop_id, AlertKind.RECHARGE_CAP_REACHED, capCents=cap, rechargedCents=int(spent))
        return None
    moment = {"created_at": now(), "updated_at": now()}
    row = insert(Purchase).values(
        shop_id=shop_id,
        kind=PurchaseKind.RECHARGE,
        credits=chosen.credits,
        currency=shop.currency,
        **price,
        **moment,
    )
    begun = session.scalar(row.on_conflict_do_nothing().returning(Purchase))  # one is under way
    if begun:
        record(shop_id, "purchase.begun", "purchase", begun.id, kind="recharge", credits=begun.credits)
        changed(shop_id, "billing")
    return begun


def _is_wanted(chosen: RechargeSettings) -> bool:
    if not chosen.is_enabled or chosen.suspended_at or not chosen.stripe_payment_method_id:
        return False
    return credits.balance_of(chosen.shop_id).available < chosen.threshold


def _month_start(local: datetime) -> datetime:
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _answer(purchase: Purchase, chosen: RechargeSettings | None) -> dict[str, Any]:
    """The payment as Stripe has it: read, made, or found where making it was answered with an error."""
    if purchase.stripe_payment_intent_id:
        return checkout.read_payment(purchase.stripe_payment_intent_id)
    keep_customer(purchase)
    method = chosen.stripe_payment_method_id if chosen else None
    try:
        if method and purchase.created_at > now() - KEY_LIVES:
            return checkout.charge_card(purchase, method)
    except StripeRefused:
        raise
    except StripeFailed:
        found = checkout.find_charge(purchase)
        if found is None:
            raise
        return found
    found = checkout.find_charge(purchase)
    if found is None:
        raise StripeRefused("no_answer")
    return found


def _learned(purchase: Purchase, intent: dict[str, Any]) -> str:
    if intent["status"] == "succeeded":
        return apply_intent(purchase.shop_id, purchase.id, intent)
    if intent["status"] == "processing":
        with unit_of_work(purchase.shop_id) as session:
            row = session.get_one(Purchase, purchase.id, with_for_update=True)
            row.stripe_payment_intent_id = row.stripe_payment_intent_id or intent["id"]
        return "processing"
    error = intent.get("last_payment_error") or {}
    reason = error.get("decline_code") or error.get("code") or intent["status"]
    return _refuse(purchase, CardRefused(str(reason), intent["id"]))


def _refuse(purchase: Purchase, refused: StripeRefused) -> str:
    """The card is not charged any more until the shop saves its settings or pays by hand."""
    shop_id = purchase.shop_id
    with unit_of_work(shop_id) as session:
        session.execute(queries.LOCK_SETTINGS, {"shop_id": shop_id})
        row = session.get_one(Purchase, purchase.id, with_for_update=True)
        if row.status != PurchaseStatus.PENDING:
            return "settled_before"
        row.status, row.failure = PurchaseStatus.FAILED, refused.reason
        row.stripe_payment_intent_id = row.stripe_payment_intent_id or getattr(
            refused, "payment_intent", None
        )
        row.version += 1
        row.updated_at = now()
        chosen = session.get(RechargeSettings, shop_id, populate_existing=True)
        if chosen:
            chosen.suspended_at = now()
        alerting.tell(shop_id, AlertKind.RECHARGE_FAILED, credits=row.credits, amountCents=row.gross_cents)
        record(shop_id, "purchase.failed", "purchase", row.id, kind="recharge")
        changed(shop_id, "billing")
    return "refused"


def _defaults(shop_id: int) -> RechargeSettings:
    return RechargeSettings(
        shop_id=shop_id,
        is_enabled=False,
        threshold=100,
        credits=1_000,
        monthly_cap_cents=None,
        low_balance_threshold=None,
        stripe_payment_method_id=None,
        suspended_at=None,
    )
