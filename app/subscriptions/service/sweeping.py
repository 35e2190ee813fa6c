"""What is looked after without being asked: old news, lost events, subscriptions that were replaced."""

from __future__ import annotations

from datetime import timedelta

import structlog

from app.core.clock import now
from app.core.queue import wake
from app.core.uow import across_shops, unit_of_work, within_shop
from app.credits import service as credits
from app.integrations.stripe.client import is_configured, stripe_client
from app.integrations.stripe.errors import StripeFailed, StripeRefused
from app.subscriptions import queries
from app.subscriptions.errors import ReconcileFailed
from app.subscriptions.models import Source
from app.subscriptions.service.standing import subscription_of
from app.subscriptions.service.syncing import StillMoving, Synced, sync

log = structlog.get_logger(__name__)

EVERY = timedelta(days=1)
MOST = 100


def refresh(shop_id: int) -> None:
    """Follow Stripe in the background. Failing changes nothing: the next page or tomorrow asks again."""
    try:
        sync(shop_id, Source.REFRESH)
    except (StripeFailed, StillMoving) as failed:
        log.warning("subscription_not_refreshed", shop_id=shop_id, reason=type(failed).__name__)


def reconcile(shop_id: int) -> Synced:
    """Follow Stripe because the merchant asks. Raises StripeNotConfigured, ReconcileFailed."""
    with stripe_client():
        pass  # a deployment without payments says so, whatever the shop has
    try:
        return sync(shop_id, Source.RECONCILE)
    except StripeFailed as failed:
        raise ReconcileFailed from failed


def cancel_superseded(shop_id: int) -> None:
    """Cancel at Stripe what another subscription has replaced, until there is nothing left of it.

    The row remembers it, so a process may die anywhere; cancelling twice is harmless.
    """
    for _ in range(MOST):
        with unit_of_work(shop_id):
            subscription = subscription_of(shop_id)
        superseded = subscription.superseded_stripe_subscription_id if subscription else None
        if superseded is None:
            return
        try:
            _cancel_now(superseded)
            sync(shop_id, Source.CHANGE)  # forgets it, and finds a further one
        except (StripeFailed, StillMoving) as failed:
            log.warning("superseded_not_cancelled", shop_id=shop_id, reason=type(failed).__name__)
            return


def sweep() -> None:
    """Ring for replaced subscriptions that still run, and end unpaid ones that were given up."""
    with across_shops("replaced subscriptions belong to any shop") as session:
        waiting = session.scalars(queries.WITH_SUPERSEDED, {"most": MOST}).all()
        for shop_id in session.scalars(queries.END_UNPAID, {"at": now()}).all():
            with within_shop(shop_id):
                credits.start_allowance_period(shop_id, 0, period=f"ended:{now().isoformat()}")
    for shop_id in waiting:
        wake("subscriptions.cancel_superseded", shop_id)


def compare() -> None:
    """Ring for the subscriptions that nobody has compared with Stripe for a day: an event may be lost."""
    if not is_configured():
        return
    with across_shops("subscriptions to compare belong to any shop") as session:
        values = {"before": now() - EVERY, "most": MOST}
        waiting = session.scalars(queries.NOT_COMPARED_SINCE, values).all()
    for shop_id in waiting:
        wake("subscriptions.refresh", shop_id)


def _cancel_now(subscription_id: str) -> None:
    """At once and without a credit note: the new one was paid in full. Gone already is as good."""
    try:
        with stripe_client() as stripe:
            stripe.v1.subscriptions.cancel(subscription_id, {"prorate": False, "invoice_now": False})
    except StripeRefused as gone:
        log.info("superseded_was_gone", reason=gone.reason)
