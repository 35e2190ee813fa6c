"""The ledger of a history of campaigns: what its holds, captures, releases and refunds would have written."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Connection

ENSURE_ACCOUNTS = text("""
    INSERT INTO ledger_accounts (shop_id, kind)
    SELECT :shop_id, unnest(ARRAY['wallet', 'held', 'spent', 'purchased']) ON CONFLICT DO NOTHING""")
# Bought once a month, as much as is ever needed: no balance was below zero at any moment.
MOVEMENTS = text("""
    CREATE TEMP TABLE bench_movements AS
    SELECT row_number() OVER (ORDER BY at, step, key) AS place, *
    FROM (
      SELECT now() - interval '30 days' * (7 - no) AS at, 0 AS step, 'purchase' AS kind,
        'purchased' AS source, 'wallet' AS target, 5000000::bigint AS amount,
        format('bench:purchase:%s', no) AS key, NULL::bigint AS run_id, NULL::bigint AS message_id
      FROM generate_series(1, 6) AS no
      UNION ALL
      SELECT r.created_at, 1, 'hold', 'wallet', 'held', sum(parts), format('run:%s:hold:wallet', r.id), r.id,
        NULL
      FROM bench_tally t JOIN message_runs r ON r.id = t.run_id GROUP BY r.id
      UNION ALL
      SELECT min(first_sent_at), 2, 'capture', 'held', 'spent', sum(parts),
        format('run:%s:capture:%s', run_id, sent_quarter), run_id, NULL
      FROM bench_tally WHERE sent_quarter IS NOT NULL GROUP BY run_id, sent_quarter
      UNION ALL
      SELECT max(moved_quarter) + interval '15 minutes', 3, 'release', 'held', 'wallet', sum(parts),
        format('run:%s:release:wallet', run_id), run_id, NULL
      FROM bench_tally WHERE state IN ('failed', 'skipped') GROUP BY run_id
      UNION ALL
      SELECT updated_at, 4, 'refund', 'spent', 'wallet', parts, format('message:%s:refund', id), run_id, id
      FROM messages WHERE shop_id = :shop_id AND state = 'undelivered') AS moved""")
POST = text("""
    WITH sides AS (
      SELECT place, source AS kind, -amount AS delta FROM bench_movements
      UNION ALL SELECT place, target, amount FROM bench_movements),
    running AS MATERIALIZED (
      SELECT s.place, s.kind, a.id AS account_id,
        a.balance + sum(s.delta) OVER (PARTITION BY s.kind ORDER BY s.place) AS balance
      FROM sides s JOIN ledger_accounts a ON a.shop_id = :shop_id AND a.kind = s.kind)
    INSERT INTO ledger_transfers (shop_id, from_account_id, to_account_id, amount, kind, key, run_id,
      message_id, from_balance_after, to_balance_after, event_at, created_at)
    SELECT :shop_id, f.account_id, t.account_id, m.amount, m.kind, m.key, m.run_id, m.message_id, f.balance,
      t.balance, m.at, m.at
    FROM bench_movements m
    JOIN running f ON f.place = m.place AND f.kind = m.source
    JOIN running t ON t.place = m.place AND t.kind = m.target
    ORDER BY m.place""")
BALANCE = text("""
    UPDATE ledger_accounts a SET balance = a.balance + s.delta
    FROM (
      SELECT kind, sum(delta) AS delta
      FROM (SELECT source AS kind, -amount AS delta FROM bench_movements
            UNION ALL SELECT target, amount FROM bench_movements) AS sides
      GROUP BY kind) AS s
    WHERE a.shop_id = :shop_id AND a.kind = s.kind""")
ADD_HOLDS = text("""
    INSERT INTO credit_holds (shop_id, run_id, wallet_left, wallet_spent, expires_at)
    SELECT :shop_id, run_id, coalesce(sum(parts) FILTER (WHERE state = 'pending'), 0),
      coalesce(sum(parts) FILTER (WHERE state IN ('sent', 'delivered')), 0), now() + interval '24 hours'
    FROM bench_tally GROUP BY run_id""")


def write_books(connection: Connection, shop_id: int) -> None:
    """Post what the runs of `bench_tally` moved, so that the shop's books balance."""
    given = {"shop_id": shop_id}
    for statement in (ENSURE_ACCOUNTS, MOVEMENTS, POST, BALANCE, ADD_HOLDS):
        connection.execute(statement, given)
    connection.exec_driver_sql("DROP TABLE bench_movements")
