"""Purchases in SQL, and what other features may read of them."""

from __future__ import annotations

from sqlalchemy import func, select, text

from app.purchases.models import Purchase

# For app/billing's history. Rows of every status; `at` is when it was paid, else when it was begun.
HISTORY = select(
    Purchase.id,
    Purchase.shop_id,
    Purchase.kind,
    Purchase.package,
    Purchase.credits,
    Purchase.reversed_credits,
    Purchase.net_cents,
    Purchase.tax_cents,
    Purchase.gross_cents.label("amount_cents"),
    Purchase.refunded_cents,
    Purchase.currency,
    Purchase.status,
    Purchase.stripe_session_id,
    Purchase.stripe_payment_intent_id,
    func.coalesce(Purchase.paid_at, Purchase.created_at).label("at"),
    Purchase.created_at,
    Purchase.updated_at,
)

# A checkout that has a session is Stripe's to expire; one without can never be paid any more after a day.
EXPIRE = text("""
    UPDATE purchases SET status = 'expired', failure = 'no_session', version = version + 1, updated_at = :now
    WHERE status = 'pending' AND kind <> 'recharge' AND stripe_session_id IS NULL AND created_at < :before
    RETURNING id, shop_id""")
UNANSWERED_RECHARGES = text("""
    SELECT shop_id, id FROM purchases
    WHERE status = 'pending' AND kind = 'recharge' AND updated_at < :before
    ORDER BY created_at, id LIMIT :most""")
# Old enough that its events should have come.
OPEN = text("""
    SELECT shop_id, id FROM purchases WHERE status = 'pending' AND created_at < :before
      AND (stripe_session_id IS NOT NULL OR stripe_payment_intent_id IS NOT NULL)
    ORDER BY created_at, id LIMIT :most""")
KNOWN_SESSIONS = text("""
    SELECT stripe_session_id FROM purchases
    WHERE stripe_session_id = ANY (CAST(:sessions AS text[]))
      AND status NOT IN ('pending', 'expired', 'failed')""")
LISTED = text("""
    SELECT p.id, s.domain, p.kind, p.credits, p.gross_cents, p.currency, p.status, p.reversed_credits,
      p.created_at, p.stripe_session_id, p.stripe_payment_intent_id
    FROM purchases p JOIN shops s ON s.id = p.shop_id
    WHERE (CAST(:status AS text) IS NULL OR p.status = :status)
      AND (CAST(:domain AS text) IS NULL OR s.domain = :domain)
    ORDER BY p.id DESC LIMIT :most""")
LAST_RECONCILED = text("""
    SELECT max(period_start) FROM ticks WHERE task = :task AND finished_at IS NOT NULL""")

FREE_CREDITS = """
    (SELECT coalesce(sum(a.balance), 0) FROM ledger_accounts a
     WHERE a.shop_id = r.shop_id AND a.kind IN ('wallet', 'allowance'))"""
DUE_FOR_RECHARGE = text(f"""
    SELECT r.shop_id FROM recharge_settings r JOIN shops s ON s.id = r.shop_id AND s.status = 'active'
    WHERE r.is_enabled AND r.suspended_at IS NULL AND r.stripe_payment_method_id IS NOT NULL
      AND {FREE_CREDITS} < r.threshold
      AND NOT EXISTS (SELECT FROM purchases p
        WHERE p.shop_id = r.shop_id AND p.kind = 'recharge' AND p.status = 'pending')
    ORDER BY r.shop_id LIMIT :most""")  # noqa: S608 (the piece is ours)
# What of the month is bought already, or may yet be.
RECHARGED = text("""
    SELECT coalesce(sum(gross_cents), 0) FROM purchases
    WHERE shop_id = :shop_id AND kind = 'recharge' AND created_at >= :since
      AND status IN ('pending', 'paid', 'refunded', 'mismatched')""")
LOCK_SETTINGS = text("SELECT 1 FROM recharge_settings WHERE shop_id = :shop_id FOR UPDATE")

RAISE = text("""
    INSERT INTO billing_alerts (shop_id, kind, figures, since)
    VALUES (:shop_id, :kind, CAST(:figures AS jsonb), :now)
    ON CONFLICT (shop_id, kind) WHERE closed_at IS NULL DO NOTHING RETURNING id""")
CLOSE = text("""
    UPDATE billing_alerts SET closed_at = :now
    WHERE shop_id = :shop_id AND kind = ANY (CAST(:kinds AS text[])) AND closed_at IS NULL""")
# Both sweeps below are one statement for all shops.
RAISE_BALANCES = text(f"""
    WITH low AS (
      SELECT r.shop_id, 'low_balance' AS kind,
        jsonb_build_object('available', {FREE_CREDITS}, 'threshold', r.low_balance_threshold) AS figures
      FROM recharge_settings r WHERE r.low_balance_threshold IS NOT NULL
        AND {FREE_CREDITS} < r.low_balance_threshold),
    owing AS (
      SELECT shop_id, 'debt' AS kind, jsonb_build_object('credits', -balance) AS figures
      FROM ledger_accounts WHERE kind = 'debt' AND balance < 0)
    INSERT INTO billing_alerts (shop_id, kind, figures, since)
    SELECT shop_id, kind, figures, :now FROM (TABLE low UNION ALL TABLE owing) AS found
    ON CONFLICT (shop_id, kind) WHERE closed_at IS NULL DO NOTHING
    RETURNING shop_id""")  # noqa: S608 (the piece is ours)
CLOSE_BALANCES = text(f"""
    UPDATE billing_alerts b SET closed_at = :now
    WHERE b.closed_at IS NULL AND (
      (b.kind = 'low_balance' AND NOT EXISTS (
        SELECT FROM recharge_settings r WHERE r.shop_id = b.shop_id
          AND {FREE_CREDITS} < r.low_balance_threshold))
      OR (b.kind = 'recharge_cap_reached' AND NOT EXISTS (
        SELECT FROM recharge_settings r WHERE r.shop_id = b.shop_id AND r.is_enabled
          AND {FREE_CREDITS} < r.threshold))
      OR (b.kind = 'debt' AND NOT EXISTS (
        SELECT FROM ledger_accounts a WHERE a.shop_id = b.shop_id AND a.kind = 'debt' AND a.balance < 0))
      OR (b.kind = 'payment_mismatched' AND NOT EXISTS (
        SELECT FROM purchases p WHERE p.shop_id = b.shop_id AND p.status = 'mismatched'
          AND p.refunded_cents < p.gross_cents)))
    RETURNING b.shop_id""")  # noqa: S608 (the piece is ours)
