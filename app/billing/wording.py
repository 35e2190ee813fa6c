"""How a row of the history is told."""

from __future__ import annotations

from typing import Any

TITLES = {
    "credit_topup": "Credit top-up",
    "credit_recharge": "Automatic recharge",
    "subscription": "Subscription",
    "purchase": "Credits bought",
    "grant": "Credits given",
    "reinstatement": "Credits given back",
    "capture": "Texts sent",
    "reversal": "Credits taken back",
    "refund": "Texts not delivered",
    "adjustment": "Correction",
    "lapse": "Unused SMS of a period",
    "settlement": "Debt paid",
}


def shown_item(row: Any) -> dict[str, Any]:
    """A row of `queries.history` or `queries.movements` with all names that the clients use."""
    title, major = _title(row), row.amount_cents / 100
    return {
        "id": row.key,
        "type": row.type,
        "title": title,
        "subtitle": _subtitle(row),
        "description": row.reason,
        "packageName": title,
        "packageType": row.package,
        "credits": row.credits,
        "creditsAdded": row.credits,
        "creditsGranted": row.credits,
        "amount": major,
        "amountCents": row.amount_cents,
        "price": major,
        "currency": row.currency or "EUR",
        "status": row.status,
        "linkUrl": row.link,
        "stripeInvoiceId": row.stripe_invoice_id,
        "createdAt": row.at,
        "updatedAt": row.updated_at,
        "package": {"name": title, "credits": row.credits},
    }


def _title(row: Any) -> str:
    if row.type == "subscription_charge" and row.plan:
        return f"{row.plan.title()} subscription"
    if row.type == "subscription_included_credits":
        return f"SMS included in {row.plan.title()}"
    return TITLES.get(row.package) or f"{row.credits:,} SMS Credits"


def _subtitle(row: Any) -> str | None:
    if row.type == "subscription_charge":
        return "Plan charge"
    return f"{row.credits:,} SMS" if row.credits else None
