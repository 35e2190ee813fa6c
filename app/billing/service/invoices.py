"""Invoices: read from Stripe when an event says so, listed from our own rows."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import structlog
from sqlalchemy import func, select

from app.billing import queries
from app.billing.errors import InvalidFilter
from app.billing.models import Invoice, InvoiceStatus
from app.core.cache import changed
from app.core.http.pagination import Page
from app.core.queue import wake
from app.core.uow import after_commit, require_unit_of_work, unit_of_work
from app.integrations.stripe.client import as_dict, is_configured, stripe_client
from app.integrations.stripe.errors import StripeFailed
from app.payers.service import customers, evidence
from app.payers.service.vat import Vat, treatment_of
from app.subscriptions.plans import sku_of_price

log = structlog.get_logger(__name__)

TRIES = 5
FOUR_PLACES = Decimal("0.0001")
MOST = 100  # a page of Stripe's lists
LISTED = frozenset(InvoiceStatus) - {InvoiceStatus.DRAFT}


def follow(shop_id: int, stripe_invoice_id: str) -> str:
    """Make our row what Stripe's invoice is now: a word for what was done.

    Idempotent, and safe in any order: a reading that was overtaken is read again. Raises what `stripe_client`
    raises. A use case that calls Stripe: never inside a unit of work.
    """
    for _ in range(TRIES):
        with unit_of_work(shop_id) as session:
            version = session.scalar(queries.KNOWN_VERSION, {"stripe_invoice_id": stripe_invoice_id})
        with stripe_client() as stripe:
            told = as_dict(stripe.v1.invoices.retrieve(stripe_invoice_id))
        with unit_of_work(shop_id):
            if store(shop_id, told, version or 0):
                return str(told["status"])
    return "overtaken"


def store(shop_id: int, told: dict[str, Any], version: int) -> bool:
    """Keep what Stripe told if the row is still of `version` (0: not there yet). A step."""
    values = _values(told)
    row = require_unit_of_work().scalar(queries.STORE, {**values, "shop_id": shop_id, "version": version})
    if row is None:
        return False
    if values["status"] == InvoiceStatus.PAID:
        _keep_evidence(shop_id, values)
    changed(shop_id, "billing")
    return True


def fetch_all(shop_id: int) -> None:
    """Take over the invoices that Stripe has of the shop and we do not. Repeating it adds nothing.

    Failing changes nothing: the next look at the empty list rings again.
    """
    with unit_of_work(shop_id):
        customer_id = customers.customer_of(shop_id)
    if customer_id is None:
        return
    try:
        with stripe_client() as stripe:
            listed = stripe.v1.invoices.list({"customer": customer_id, "limit": MOST})
            told = [as_dict(one) for one in listed.auto_paging_iter()]
    except StripeFailed as failed:
        log.warning("invoices_not_fetched", shop_id=shop_id, reason=failed.reason)
        return
    with unit_of_work(shop_id):
        for one in told:  # a few dozen at most, once in a shop's life
            store(shop_id, one, 0)


def listed(shop_id: int, page: int, page_size: int, status: str | None) -> Page[Invoice]:
    """The shop's invoices, the newest first. An empty list rings for Stripe's. Raises InvalidFilter."""
    if status is not None and status not in set(InvoiceStatus):
        raise InvalidFilter(field="status")
    chosen = queries.invoices_of(shop_id, [status] if status else sorted(LISTED))
    with unit_of_work(shop_id) as session:
        total = session.scalar(select(func.count()).select_from(chosen.order_by(None).subquery())) or 0
        found = session.scalars(chosen.limit(page_size).offset((page - 1) * page_size)).all() if total else []
        if not total and not status and is_configured() and customers.customer_of(shop_id):
            after_commit(partial(wake, "billing.fetch_invoices", shop_id))
    return Page(found, total, page, page_size)


def _values(told: dict[str, Any]) -> dict[str, Any]:
    details = (told.get("parent") or {}).get("subscription_details") or {}
    moments = told.get("status_transitions") or {}
    net, total = told["subtotal"], told["total"]
    tax = sum(one["amount"] for one in told.get("total_taxes") or [])
    return {
        "stripe_invoice_id": told["id"],
        "stripe_customer_id": told.get("customer"),
        "stripe_subscription_id": details.get("subscription"),
        "number": told.get("number"),
        "billing_reason": told.get("billing_reason"),
        "plan": _plan(told),
        "subtotal_cents": net,
        "tax_cents": tax,
        "total_cents": total,
        "paid_cents": told.get("amount_paid") or 0,
        "currency": str(told["currency"]).upper(),
        "status": told["status"],
        "pdf_url": told.get("invoice_pdf"),
        "hosted_url": told.get("hosted_invoice_url"),
        "issued_at": _moment(moments.get("finalized_at") or told["created"]),
        "paid_at": _moment(moments["paid_at"]) if moments.get("paid_at") else None,
    }


def _plan(told: dict[str, Any]) -> str | None:
    """By the price of its last line: an upgrade's first line gives back what was left of the old plan."""
    for line in reversed((told.get("lines") or {}).get("data") or []):
        price = ((line.get("pricing") or {}).get("price_details") or {}).get("price")
        sku = sku_of_price(str(price))
        if sku:
            return sku.plan
    return None


def _keep_evidence(shop_id: int, values: dict[str, Any]) -> None:
    """How the sale was taxed and what was known of who paid; once per invoice."""
    payer = evidence.facts_of(shop_id)
    tax, total = values["tax_cents"], values["total_cents"]
    treatment = treatment_of(payer)
    rate = (Decimal(tax) / (total - tax)).quantize(FOUR_PLACES) if payer.country and total > tax else None
    vat = Vat(rate, total - tax, tax, total, treatment, payer.country)
    evidence.keep_evidence(
        shop_id, vat, payer, currency=values["currency"], stripe_invoice_id=values["stripe_invoice_id"]
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
