"""The success page: the session that it names is looked at, and the shop follows Stripe at once.

The webhook does the same; whichever comes first does it, and repeats find it done.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from app.core.errors import Forbidden
from app.core.uow import require_unit_of_work, unit_of_work
from app.integrations.stripe.client import as_dict, stripe_client
from app.integrations.stripe.errors import StripeObjectMissing
from app.payers.service import customers
from app.subscriptions import queries
from app.subscriptions.errors import (
    IncompleteSession,
    InvalidPlanType,
    InvalidSessionId,
    InvalidSessionType,
    PaymentNotComplete,
    SessionMismatch,
    SessionNotFound,
)
from app.subscriptions.models import Source, Subscription
from app.subscriptions.plans import INTERVAL
from app.subscriptions.service.standing import subscription_of
from app.subscriptions.service.subscribing import KIND
from app.subscriptions.service.syncing import sync

SESSION_ID = re.compile(r"cs_[A-Za-z0-9_]{1,250}", re.ASCII)
PAID = frozenset({"paid", "no_payment_required"})


@dataclass(frozen=True)
class Finalized:
    """`is_new`: this call made it so. `included`: the SMS of the period that began, 0 if none did."""

    is_new: bool
    included: int


def finalize(shop_id: int, session_id: str, kind: str | None = None) -> Finalized:
    """Make the paid session's subscription the shop's. Repeats answer from our own rows.

    Raises InvalidSessionId (also for a placeholder that was not replaced), InvalidSessionType,
    SessionNotFound, SessionMismatch, PaymentNotComplete, IncompleteSession, InvalidPlanType, and
    what `stripe_client` raises.
    """
    if not SESSION_ID.fullmatch(session_id):
        raise InvalidSessionId(field="sessionId")
    if kind not in {None, KIND}:
        raise InvalidSessionType(field="type")
    with unit_of_work(shop_id):
        known = subscription_of(shop_id)
    if known and known.checkout_session_id == session_id:
        return _finalized(known, is_new=False)
    session = _session(session_id)
    _require_usable(shop_id, session)
    subscription_id = str(session["subscription"])
    if known is None or known.stripe_subscription_id != subscription_id:
        _adopt_customer(shop_id, session)
        sync(shop_id, Source.CHECKOUT)
    with unit_of_work(shop_id):
        values = {"shop_id": shop_id, "session_id": session_id, "subscription_id": subscription_id}
        require_unit_of_work().execute(queries.NOTE_CHECKOUT, values)
        after = subscription_of(shop_id)
    if after is None:
        raise IncompleteSession
    is_new = known is None or known.stripe_subscription_id != after.stripe_subscription_id
    return _finalized(after, is_new=is_new)


def verify(shop_id: int, session_id: str) -> Finalized:
    """`finalize` for the embedded client, which knows a foreign session as FORBIDDEN."""
    try:
        return finalize(shop_id, session_id)
    except SessionMismatch as foreign:
        raise Forbidden(foreign.message) from foreign


def _finalized(subscription: Subscription, *, is_new: bool) -> Finalized:
    is_started = subscription.allowance_period is not None and subscription.is_active
    return Finalized(is_new, subscription.included_sms if is_started else 0)


def _session(session_id: str) -> dict[str, Any]:
    try:
        with stripe_client() as stripe:
            return as_dict(stripe.v1.checkout.sessions.retrieve(session_id))
    except StripeObjectMissing as missing:
        raise SessionNotFound from missing


def _require_usable(shop_id: int, session: dict[str, Any]) -> None:
    told = session.get("metadata") or {}
    if (told.get("shopId") or told.get("storeId")) != str(shop_id):
        raise SessionMismatch
    if session.get("mode") != "subscription" or told.get("type") != KIND:
        raise InvalidSessionType
    if session.get("payment_status") not in PAID:
        raise PaymentNotComplete
    if not session.get("subscription"):
        raise IncompleteSession
    if told.get("planType") not in INTERVAL:
        raise InvalidPlanType


def _adopt_customer(shop_id: int, session: dict[str, Any]) -> None:
    with unit_of_work(shop_id):
        if customers.customer_of(shop_id) is None and session.get("customer"):
            customers.adopt_customer(shop_id, str(session["customer"]))
