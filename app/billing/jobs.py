"""Periodic work and doorbells of billing."""

from __future__ import annotations

from app.billing.service import invoices
from app.core.jobs import doorbell, periodic
from app.credits.proof import sealing


@periodic("billing.seal_ledgers", every_seconds=900)
def seal_ledgers() -> None:
    """Seal what shops have posted since half a day. What one round does not reach, the next one does."""
    sealing.seal_due()


@doorbell("billing.fetch_invoices")
def fetch_invoices(shop_id: int) -> None:
    """Take over the invoices of a shop that had none here."""
    invoices.fetch_all(shop_id)
