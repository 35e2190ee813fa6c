"""The books of the past in SQL. Movements are gathered, then written in the order in which they happened."""

from __future__ import annotations

from sqlalchemy import text

STAGE_TABLE = text("""
    CREATE TEMPORARY TABLE moves (
      no integer GENERATED ALWAYS AS IDENTITY, at timestamptz, kind text, key text, from_kind text,
      to_kind text, amount bigint, run_id bigint, message_id bigint, reason text
    ) ON COMMIT DROP""")

MOVE = text("""
    INSERT INTO moves (at, kind, key, from_kind, to_kind, amount, reason, run_id)
    SELECT :at, :kind, :key, :from_kind, :to_kind, :amount, :reason, :run_id WHERE :amount > 0""")

ADD_HOLD = text("""
    INSERT INTO credit_holds (shop_id, run_id, wallet_left, allowance_spent, wallet_spent, created_at,
      expires_at)
    VALUES (:shop_id, :run_id, :open, :allowance, :spent - :allowance, :at, now() + interval '24 hours')""")

# The keys are those that the senders, the reports and the sweep use.
MOVE_BY_ATTEMPT = text("""
    INSERT INTO moves (at, kind, key, from_kind, to_kind, amount, reason, run_id)
    SELECT max(sent_at), 'capture', 'attempt:' || attempt_id || '\\:capture', 'held', 'spent', sum(parts),
      'sms:send:run:' || :run_id, :run_id
    FROM drafted WHERE state IN ('sent', 'delivered', 'undelivered') GROUP BY attempt_id
    UNION ALL
    SELECT max(sent_at), 'release', 'attempt:' || attempt_id || '\\:release:wallet', 'held', 'wallet',
      sum(parts), NULL, :run_id
    FROM drafted WHERE state = 'failed' GROUP BY attempt_id""")
MOVE_BY_MESSAGE = text("""
    INSERT INTO moves (at, kind, key, from_kind, to_kind, amount, run_id, message_id)
    SELECT reported_at, 'refund', 'message:' || message_id || '\\:refund', 'spent', 'wallet', parts, :run_id,
      message_id
    FROM drafted WHERE state = 'undelivered'
    UNION ALL
    SELECT reported_at, 'release', 'run:' || :run_id || '\\:silent:' || message_id || '\\:wallet', 'held',
      'wallet', parts, :run_id, NULL
    FROM drafted WHERE state = 'not_sent'""")
MOVE_BY_CANCELLING = text("""
    INSERT INTO moves (at, kind, key, from_kind, to_kind, amount, run_id)
    SELECT max(sent_at) FILTER (WHERE state <> 'skipped') + interval '1 minute', 'release',
      'run:' || :run_id || '\\:cancel:wallet', 'held', 'wallet',
      sum(parts) FILTER (WHERE state = 'skipped'), :run_id
    FROM drafted HAVING count(*) FILTER (WHERE state = 'skipped') > 0""")

ENSURE_ACCOUNTS = text("""
    INSERT INTO ledger_accounts (shop_id, kind)
    SELECT :shop_id, kind FROM unnest(ARRAY['wallet', 'allowance', 'held', 'spent', 'lapsed', 'purchased',
      'included', 'adjusted']) AS kind
    ON CONFLICT (shop_id, kind) DO NOTHING""")

# Every row shows what its two accounts had after it.
WRITE = text("""
    WITH ordered AS (SELECT m.*, row_number() OVER (ORDER BY at, no) AS place FROM moves m),
    steps AS (
      SELECT place, from_kind AS kind, -amount AS delta FROM ordered
      UNION ALL SELECT place, to_kind, amount FROM ordered),
    after AS (
      SELECT place, kind, sum(delta) OVER (PARTITION BY kind ORDER BY place)::bigint AS balance FROM steps)
    INSERT INTO ledger_transfers (shop_id, from_account_id, to_account_id, amount, kind, key, run_id,
      message_id, reason, from_balance_after, to_balance_after, event_at, created_at)
    SELECT :shop_id, f.id, t.id, o.amount, o.kind, o.key, o.run_id, o.message_id, o.reason, fa.balance,
      ta.balance, o.at, o.at
    FROM ordered o
    JOIN ledger_accounts f ON f.shop_id = :shop_id AND f.kind = o.from_kind
    JOIN ledger_accounts t ON t.shop_id = :shop_id AND t.kind = o.to_kind
    JOIN after fa ON fa.place = o.place AND fa.kind = o.from_kind
    JOIN after ta ON ta.place = o.place AND ta.kind = o.to_kind
    ORDER BY o.place""")
SETTLE = text("""
    UPDATE ledger_accounts a SET balance = m.delta
    FROM (SELECT kind, sum(delta)::bigint AS delta FROM (
            SELECT from_kind AS kind, -amount AS delta FROM moves
            UNION ALL SELECT to_kind, amount FROM moves) steps
          GROUP BY kind) m
    WHERE a.shop_id = :shop_id AND a.kind = m.kind""")
LOWEST = text("""
    SELECT coalesce(min(from_balance_after), 0) FROM ledger_transfers t
    JOIN ledger_accounts f ON f.id = t.from_account_id
    WHERE t.shop_id = :shop_id AND f.kind NOT IN ('purchased', 'included', 'adjusted')""")

START_PLAN = text("""
    INSERT INTO subscriptions (shop_id, plan, billing_interval, status, included_sms, period_start,
      period_end, created_at, updated_at)
    VALUES (:shop_id, 'starter', 'month', 'active', :included, :starts_at,
      CAST(:starts_at AS timestamptz) + interval '30 days', :opened_at, :starts_at)
    ON CONFLICT (shop_id) DO NOTHING""")
