"""Stripe's own pages for cards, invoices and cancelling."""

from __future__ import annotations

from app.core.uow import unit_of_work
from app.integrations.stripe.client import stripe_client
from app.integrations.stripe.errors import StripeFailed
from app.payers.service import customers
from app.subscriptions.errors import CustomerMissing, PortalFailed
from app.subscriptions.pages import ReturnPages


def portal_url(shop_id: int, pages: ReturnPages) -> str:
    """A short-lived address of the portal, made for each click.

    Raises StripeNotConfigured, CustomerMissing when the shop never paid, PortalFailed.
    """
    with unit_of_work(shop_id):
        customer_id = customers.customer_of(shop_id)
    if customer_id is None:
        raise CustomerMissing
    try:
        with stripe_client() as stripe:
            form = {"customer": customer_id, "return_url": pages.portal}
            return stripe.v1.billing_portal.sessions.create(form).url  # type: ignore[arg-type]
    except StripeFailed as failed:
        raise PortalFailed from failed
