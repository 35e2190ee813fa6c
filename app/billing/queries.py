"""What was billed, in SQL. The history is one UNION ALL: purchases, paid invoices, included SMS; no copy."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    Text,
    case,
    column,
    func,
    literal,
    null,
    or_,
    select,
    table,
    text,
    union_all,
)

from app.billing.models import Invoice, InvoiceStatus
from app.purchases.queries import HISTORY
from app.subscriptions.plans import INCLUDED_SMS

KNOWN_VERSION = text("SELECT version FROM invoices WHERE stripe_invoice_id = :stripe_invoice_id")

# The guard is the version: a reading older than what was written meanwhile changes nothing.
STORE = text("""
    INSERT INTO invoices AS i (shop_id, stripe_invoice_id, stripe_customer_id, stripe_subscription_id, number,
      billing_reason, plan, subtotal_cents, tax_cents, total_cents, paid_cents, currency, status, pdf_url,
      hosted_url, issued_at, paid_at, version)
    VALUES (:shop_id, :stripe_invoice_id, :stripe_customer_id, :stripe_subscription_id, :number,
      :billing_reason, :plan, :subtotal_cents, :tax_cents, :total_cents, :paid_cents, :currency, :status,
      :pdf_url, :hosted_url, :issued_at, :paid_at, 1)
    ON CONFLICT (stripe_invoice_id) DO UPDATE SET
      number = excluded.number, billing_reason = excluded.billing_reason, plan = excluded.plan,
      subtotal_cents = excluded.subtotal_cents, tax_cents = excluded.tax_cents,
      total_cents = excluded.total_cents, paid_cents = excluded.paid_cents, status = excluded.status,
      pdf_url = excluded.pdf_url, hosted_url = excluded.hosted_url, issued_at = excluded.issued_at,
      paid_at = excluded.paid_at, version = i.version + 1, updated_at = now()
    WHERE i.version = :version
    RETURNING id""")
HAS_INVOICES = text("SELECT EXISTS (SELECT FROM invoices WHERE shop_id = :shop_id)")

# The ledger's two tables, as far as they are shown: transfers and what kind of account they came from.
TRANSFERS = table(
    "ledger_transfers",
    column("id", BigInteger),
    column("shop_id", BigInteger),
    column("amount", BigInteger),
    column("kind", Text),
    column("reason", Text),
    column("created_at", DateTime(timezone=True)),
)
PURCHASE_STATUS = {
    "pending": "pending",
    "mismatched": "pending",  # an operator looks at it
    "paid": "completed",
    "failed": "failed",
    "expired": "failed",
    "refunded": "refunded",
}


def history(shop_id: int, kinds: Collection[str]) -> Any:
    """The shop's history as a subquery; `kinds`: purchase, invoice, included."""
    parts = {"purchase": _purchases, "invoice": _invoices, "included": _included}
    return union_all(*(parts[kind](shop_id) for kind in kinds)).subquery("history")


def movements(shop_id: int, kinds: Collection[str], signs: dict[str, int]) -> Any:
    """Transfers of the ledger in the history's shape; `signs` says of each kind whether it adds or takes."""
    sign = case(signs, value=TRANSFERS.c.kind, else_=1)
    return (
        _shape(
            key=literal("transfer-").concat(TRANSFERS.c.id.cast(Text)),
            row_id=TRANSFERS.c.id,
            package=TRANSFERS.c.kind,
            credits=TRANSFERS.c.amount * sign,
            reason=TRANSFERS.c.reason,
            at=TRANSFERS.c.created_at,
        )
        .where(TRANSFERS.c.shop_id == shop_id, TRANSFERS.c.kind.in_(kinds))
        .subquery("movements")
    )


def page_of(rows: Any, page: int, page_size: int, *conditions: ColumnElement[bool]) -> tuple[Any, Any]:
    """Two selects: the page, newest first, and how many there are in all."""
    chosen = select(rows).where(*conditions)
    newest = chosen.order_by(rows.c.at.desc(), rows.c.row_id.desc(), rows.c.key)
    count = select(func.count()).select_from(chosen.subquery())
    return newest.limit(page_size).offset((page - 1) * page_size), count


def within(rows: Any, starts_at: datetime | None, ends_at: datetime | None) -> list[ColumnElement[bool]]:
    """Conditions on the moment, both ends included."""
    conditions = []
    if starts_at:
        conditions.append(rows.c.at >= starts_at)
    if ends_at:
        conditions.append(rows.c.at <= ends_at)
    return conditions


def invoices_of(shop_id: int, statuses: Collection[str]) -> Select[Any]:
    """The shop's invoices, the newest first."""
    chosen = select(Invoice).where(Invoice.shop_id == shop_id, Invoice.status.in_(statuses))
    return chosen.order_by(Invoice.issued_at.desc(), Invoice.id.desc())


def _purchases(shop_id: int) -> Select[Any]:
    bought = HISTORY.subquery("bought")
    status = case(PURCHASE_STATUS, value=bought.c.status, else_="pending")
    return _shape(
        key=literal("purchase-").concat(bought.c.id.cast(Text)),
        row_id=bought.c.id,
        kind="credit_pack_purchase",
        package=func.coalesce(
            bought.c.package, case({"topup": "credit_topup"}, value=bought.c.kind, else_="credit_recharge")
        ),
        credits=bought.c.credits,
        amount_cents=bought.c.amount_cents,
        currency=bought.c.currency,
        status=status,
        at=bought.c.at,
        updated_at=bought.c.updated_at,
    ).where(bought.c.shop_id == shop_id)


def _invoices(shop_id: int) -> Select[Any]:
    return _shape(
        key=literal("invoice-").concat(Invoice.id.cast(Text)),
        row_id=Invoice.id,
        kind="subscription_charge",
        package=literal("subscription"),
        plan=Invoice.plan,
        amount_cents=Invoice.total_cents,
        currency=Invoice.currency,
        link=Invoice.hosted_url,
        stripe_invoice_id=Invoice.stripe_invoice_id,
        at=func.coalesce(Invoice.paid_at, Invoice.issued_at),
        updated_at=Invoice.updated_at,
    ).where(
        Invoice.shop_id == shop_id,
        Invoice.status == InvoiceStatus.PAID,
        or_(Invoice.stripe_subscription_id.is_not(None), Invoice.plan.is_not(None)),
    )


def _included(shop_id: int) -> Select[Any]:
    """The plan follows from how much it includes."""
    plan = case(
        {count: name for name, count in INCLUDED_SMS.items()}, value=TRANSFERS.c.amount, else_="starter"
    )
    return _shape(
        key=literal("included-").concat(TRANSFERS.c.id.cast(Text)),
        row_id=TRANSFERS.c.id,
        kind="subscription_included_credits",
        package=literal("subscription_included_").concat(plan),
        plan=plan,
        credits=TRANSFERS.c.amount,
        at=TRANSFERS.c.created_at,
    ).where(TRANSFERS.c.shop_id == shop_id, TRANSFERS.c.kind == "allowance")


def _shape(
    *,
    key: Any,
    row_id: Any,
    at: Any,
    kind: str = "credit_movement",
    package: Any = None,
    credits: Any = 0,
    amount_cents: Any = 0,
    status: Any = "completed",
    updated_at: Any = None,
    **texts: Any,
) -> Select[Any]:
    """The columns that all parts have, in one order. `texts` are those named below."""
    names = ("plan", "currency", "link", "stripe_invoice_id", "reason")
    return select(
        key.label("key"),
        row_id.label("row_id"),
        literal(kind).label("type"),
        package.label("package"),
        _value(credits).cast(BigInteger).label("credits"),
        _value(amount_cents).cast(BigInteger).label("amount_cents"),
        _value(status).cast(Text).label("status"),
        *(_value(texts.get(name)).cast(Text).label(name) for name in names),
        at.label("at"),
        (at if updated_at is None else updated_at).label("updated_at"),
    )


def _value(given: Any) -> Any:
    if given is None:
        return null()
    return given if isinstance(given, ColumnElement) or hasattr(given, "cast") else literal(given)
