"""Subscribing, changing, cancelling: what the clients' billing pages call."""

from __future__ import annotations

from typing import Any

from flask import g

from app.core.http import ApiBlueprint
from app.subscriptions import schemas
from app.subscriptions.pages import return_pages
from app.subscriptions.service import changing, finalizing, portal, showing, subscribing, sweeping
from app.subscriptions.service.changing import Asked, Change
from app.subscriptions.service.choosing import Mode

blueprint = ApiBlueprint("subscriptions", __name__, description="Plans, their periods and their payment")


@blueprint.get("/subscriptions/status")
@blueprint.data(200, schemas.SubscriptionSchema, mirror=True)
def show_status() -> dict[str, Any]:
    """The shop's subscription as we know it; old news are refreshed in the background."""
    return showing.status(g.shop)


@blueprint.post("/subscriptions/subscribe")
@blueprint.arguments(schemas.SubscribeBody)
@blueprint.data(201, schemas.SubscriptionCheckoutSchema, mirror=True)
@blueprint.errors(409, 502, 503)
def subscribe(body: dict[str, Any]) -> dict[str, Any]:
    """Open Stripe's Checkout for a first subscription."""
    checkout = subscribing.subscribe(
        g.shop_id,
        plan=body["planType"],
        interval=body["interval"],
        currency=body["currency"],
        pages=return_pages(),
    )
    return {
        "checkoutUrl": checkout.url,
        "sessionId": checkout.session_id,
        "planType": checkout.sku.plan,
        "interval": checkout.sku.interval,
        "currency": checkout.sku.currency,
    }


@blueprint.post("/subscriptions/update")
@blueprint.arguments(schemas.UpdateBody)
@blueprint.data(200, schemas.SubscriptionChangedSchema)
@blueprint.errors(402, 409, 502, 503)
def update(body: dict[str, Any]) -> dict[str, Any]:
    """Change the plan in the way that the policy says; the plan that is there already is refused."""
    return _changed(changing.change_plan(g.shop_id, _asked(body), return_pages(), must_differ=True))


@blueprint.post("/subscriptions/switch")
@blueprint.arguments(schemas.SwitchBody)
@blueprint.data(200, schemas.SubscriptionChangedSchema)
@blueprint.errors(402, 409, 502, 503)
def switch(body: dict[str, Any]) -> dict[str, Any]:
    """Change plan or interval in the way that the policy says."""
    return _changed(changing.change_plan(g.shop_id, _asked(body), return_pages()))


@blueprint.post("/subscriptions/scheduled/change")
@blueprint.arguments(schemas.SwitchBody)
@blueprint.data(200, schemas.ChangeScheduledSchema)
@blueprint.errors(409, 502, 503)
def change_schedule(body: dict[str, Any]) -> dict[str, Any]:
    """Let another change be made at the end of the period than the one that is scheduled."""
    change = changing.change_schedule(g.shop_id, _asked(body))
    return {
        "scheduled": True,
        "changeMode": change.mode,
        "effectiveAt": change.effective_at,
        "subscription": showing.status_of(g.shop_id),
    }


@blueprint.post("/subscriptions/scheduled/cancel")
@blueprint.data(200, schemas.ChangeUnscheduledSchema)
@blueprint.errors(409, 502, 503)
def cancel_schedule() -> dict[str, Any]:
    """Call the scheduled change off."""
    changing.cancel_schedule(g.shop_id)
    return {"scheduled": False, "subscription": showing.status_of(g.shop_id)}


@blueprint.post("/subscriptions/cancel")
@blueprint.data(200, schemas.SubscriptionCancelledSchema, mirror=True)
@blueprint.errors(409, 502, 503)
def cancel() -> dict[str, Any]:
    """Let the subscription end with its period. Repeating it changes nothing."""
    return {"cancelledAt": changing.cancel(g.shop_id), "subscription": showing.status_of(g.shop_id)}


@blueprint.post("/subscriptions/resume")
@blueprint.data(200, schemas.SubscriptionShownSchema)
@blueprint.errors(409, 502, 503)
def resume() -> dict[str, Any]:
    """Let a subscription that was to end go on."""
    changing.resume(g.shop_id)
    return {"subscription": showing.status_of(g.shop_id)}


@blueprint.post("/subscriptions/reconcile")
@blueprint.data(200, schemas.SubscriptionReconciledSchema)
@blueprint.errors(409, 502, 503)
def reconcile() -> dict[str, Any]:
    """Ask Stripe now, and follow it."""
    synced = sweeping.reconcile(g.shop_id)
    return {
        "reconciled": synced.is_applied,
        "reason": synced.reason,
        "subscription": showing.status_of(g.shop_id),
    }


@blueprint.get("/subscriptions/portal")
@blueprint.data(200, schemas.PaymentPortalSchema, mirror=True)
@blueprint.errors(502, 503)
def open_portal() -> dict[str, Any]:
    """An address of Stripe's own pages for cards and invoices, good for a short time."""
    url = portal.portal_url(g.shop_id, return_pages())
    return {"portalUrl": url, "url": url}


@blueprint.post("/subscriptions/finalize")
@blueprint.arguments(schemas.FinalizeBody)
@blueprint.data(200, schemas.SubscriptionFinalizedSchema)
@blueprint.errors(403, 404, 409, 502, 503)
def finalize(body: dict[str, Any]) -> dict[str, Any]:
    """Make what a paid Checkout session bought the shop's, at once. May be repeated."""
    done = finalizing.finalize(g.shop_id, body["sessionId"], body["type"])
    return {
        "finalized": True,
        "alreadyActive": not done.is_new,
        "subscription": showing.status_of(g.shop_id),
        "creditsAllocated": done.included > 0,
        "credits": done.included,
    }


@blueprint.post("/subscriptions/verify-session")
@blueprint.arguments(schemas.VerifyBody)
@blueprint.data(200, schemas.SubscriptionVerifiedSchema)
@blueprint.errors(403, 404, 409, 502, 503)
def verify_session(body: dict[str, Any]) -> dict[str, Any]:
    """The same for the embedded client."""
    done = finalizing.verify(g.shop_id, body["sessionId"])
    return {
        "subscription": showing.status_of(g.shop_id),
        "alreadyProcessed": not done.is_new,
        "creditsAllocated": done.included,
        "finalized": True,
    }


def _asked(body: dict[str, Any]) -> Asked:
    return Asked(body.get("targetPlan") or body.get("planType"), body["interval"], body["currency"])


def _changed(change: Change) -> dict[str, Any]:
    return {
        "planType": change.sku.plan,
        "planCode": change.sku.plan,
        "interval": change.sku.interval,
        "currency": change.sku.currency,
        "behavior": change.mode,
        "changeMode": change.mode,
        "scheduled": change.mode is Mode.SCHEDULED,
        "effectiveAt": change.effective_at,
        "checkoutUrl": change.checkout_url,
        "alreadyUpdated": change.mode is Mode.NONE,
        "subscription": showing.status_of(g.shop_id),
    }
