"""What a statement is made of, in SQL: it only reads, across the tables of several features."""

from __future__ import annotations

from sqlalchemy import text

# One statement, so that everything is of one moment. What a shop has is in its wallet, its allowance and its
# holds; a transfer counts by what it brings in or takes out of these, whatever it is called. What the shop
# owes is an account of its own, at or below zero. Sends are summed by what sent them.
LEDGER = text("""
    WITH moved AS (
      SELECT t.id, t.created_at, t.kind, t.run_id,
        CASE WHEN b.kind IN ('wallet', 'allowance', 'held') THEN t.amount ELSE 0 END
          - CASE WHEN a.kind IN ('wallet', 'allowance', 'held') THEN t.amount ELSE 0 END AS credits,
        CASE WHEN a.kind = 'debt' THEN t.amount ELSE 0 END
          - CASE WHEN b.kind = 'debt' THEN t.amount ELSE 0 END AS debt
      FROM ledger_transfers t
      JOIN ledger_accounts a ON a.id = t.from_account_id
      JOIN ledger_accounts b ON b.id = t.to_account_id
      WHERE t.shop_id = :shop_id AND t.created_at < :ends_at)
    SELECT 'opening' AS part, NULL::bigint AS id, NULL::timestamptz AS at, NULL AS kind, NULL AS source,
      NULL::bigint AS source_id, NULL AS name, coalesce(sum(credits), 0)::bigint AS credits,
      coalesce(sum(debt), 0)::bigint AS debt
    FROM moved WHERE created_at < :starts_at
    UNION ALL
    SELECT 'movement', id, created_at, kind, NULL, NULL, NULL, credits, debt
    FROM moved WHERE created_at >= :starts_at AND run_id IS NULL AND (credits <> 0 OR debt <> 0)
    UNION ALL
    SELECT 'usage', NULL, NULL, m.kind, r.source, r.source_id, coalesce(c.name, a.name),
      sum(m.credits)::bigint, sum(m.debt)::bigint
    FROM moved m
    LEFT JOIN message_runs r ON r.shop_id = :shop_id AND r.id = m.run_id
    LEFT JOIN campaigns c ON c.shop_id = :shop_id AND r.source = 'campaign' AND c.id = r.source_id
    LEFT JOIN automations a ON a.shop_id = :shop_id AND r.source = 'automation' AND a.id = r.source_id
    WHERE m.created_at >= :starts_at AND m.run_id IS NOT NULL AND (m.credits <> 0 OR m.debt <> 0)
    GROUP BY m.kind, r.source, r.source_id, coalesce(c.name, a.name)
    ORDER BY part, at, id, source, source_id, kind""")

# Where Stripe added the VAT, the evidence has its sums; the purchase has what was asked.
MONEY = text("""
    SELECT coalesce(p.paid_at, p.created_at) AS at, p.kind AS what, p.credits,
      coalesce(e.net_cents, p.net_cents) AS net_cents, coalesce(e.tax_cents, p.tax_cents) AS tax_cents,
      coalesce(e.rate, p.vat_rate) AS rate, coalesce(e.treatment, p.vat_treatment) AS treatment,
      p.refunded_cents, p.currency
    FROM purchases p
    LEFT JOIN tax_evidence e
      ON e.shop_id = p.shop_id AND e.sale_kind = 'purchase' AND e.sale_id = p.id::text
    WHERE p.shop_id = :shop_id AND p.status IN ('paid', 'refunded')
      AND p.paid_at >= :starts_at AND p.paid_at < :ends_at
    UNION ALL
    SELECT coalesce(i.paid_at, i.issued_at), 'subscription', 0, i.total_cents - i.tax_cents, i.tax_cents,
      e.rate, e.treatment, 0, i.currency
    FROM invoices i
    LEFT JOIN tax_evidence e
      ON e.shop_id = i.shop_id AND e.sale_kind = 'invoice' AND e.sale_id = i.stripe_invoice_id
    WHERE i.shop_id = :shop_id AND i.status = 'paid'
      AND coalesce(i.paid_at, i.issued_at) >= :starts_at AND coalesce(i.paid_at, i.issued_at) < :ends_at
    ORDER BY 1, 2""")
