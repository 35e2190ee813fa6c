"""The ledger in SQL. Sets only: a posting of one transfer and of ten thousand are the same two statements."""

from __future__ import annotations

from sqlalchemy import text

# Accounts first, so that even an empty one can be locked.
ENSURE_ACCOUNTS = text("""
    INSERT INTO ledger_accounts (shop_id, kind)
    SELECT :shop_id, kind FROM unnest(CAST(:kinds AS text[])) AS kind
    ON CONFLICT (shop_id, kind) DO NOTHING""")

# Locked in id order everywhere, so that two postings cannot wait for each other. The statement after this
# one has a snapshot that sees every key written under these locks.
LOCK_ACCOUNTS = text("""
    SELECT kind, balance FROM ledger_accounts
    WHERE shop_id = :shop_id AND kind = ANY (CAST(:kinds AS text[])) ORDER BY id FOR UPDATE""")

# fresh: the transfers whose key is new. Every account moves once by the sum of them; each transfer row
# then shows the
# balance that its accounts had after it (final balance minus what later rows of the posting still moved).
POST_TRANSFERS = text("""
    WITH asked AS (
      SELECT * FROM unnest(CAST(:keys AS text[]), CAST(:from_kinds AS text[]), CAST(:to_kinds AS text[]),
                           CAST(:amounts AS bigint[]), CAST(:message_ids AS bigint[]))
        WITH ORDINALITY AS t (key, from_kind, to_kind, amount, message_id, place)),
    fresh AS MATERIALIZED (
      SELECT a.*, f.id AS from_id, t.id AS to_id FROM asked a
      JOIN ledger_accounts f ON f.shop_id = :shop_id AND f.kind = a.from_kind
      JOIN ledger_accounts t ON t.shop_id = :shop_id AND t.kind = a.to_kind
      WHERE NOT EXISTS (SELECT 1 FROM ledger_transfers x WHERE x.shop_id = :shop_id AND x.key = a.key)),
    steps AS (
      SELECT place, from_id AS account_id, -amount AS delta FROM fresh
      UNION ALL SELECT place, to_id, amount FROM fresh),
    moved AS (
      UPDATE ledger_accounts a SET balance = a.balance + s.delta
      FROM (SELECT account_id, sum(delta)::bigint AS delta FROM steps GROUP BY account_id) s
      WHERE a.id = s.account_id RETURNING a.id, a.balance),
    after AS (
      SELECT s.place, s.account_id, m.balance - coalesce(sum(s.delta) OVER (
               PARTITION BY s.account_id ORDER BY s.place ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED
                 FOLLOWING), 0) AS balance
      FROM steps s JOIN moved m ON m.id = s.account_id)
    INSERT INTO ledger_transfers (shop_id, from_account_id, to_account_id, amount, kind, key, run_id,
      message_id, reason,
                                  from_balance_after, to_balance_after)
    SELECT :shop_id, f.from_id, f.to_id, f.amount, :kind, f.key, :run_id, f.message_id, :reason, a.balance,
      b.balance
    FROM fresh f
    JOIN after a ON a.place = f.place AND a.account_id = f.from_id
    JOIN after b ON b.place = f.place AND b.account_id = f.to_id
    ORDER BY f.place
    RETURNING amount""")

KNOWN_AMOUNTS = text("""
    SELECT key, amount FROM ledger_transfers WHERE shop_id = :shop_id AND key = ANY (CAST(:keys AS
      text[]))""")

# Allowance first. The row lock on the hold makes two settlements of one run take turns.
TAKE_FROM_HOLD = text("""
    WITH held AS (SELECT id, least(allowance_left, :amount) AS allowance FROM credit_holds
                  WHERE shop_id = :shop_id AND run_id = :run_id FOR UPDATE)
    UPDATE credit_holds h SET
      allowance_left = h.allowance_left - d.allowance, wallet_left = h.wallet_left - (:amount - d.allowance),
      allowance_spent = h.allowance_spent + CASE WHEN :spend THEN d.allowance ELSE 0 END,
      wallet_spent = h.wallet_spent + CASE WHEN :spend THEN :amount - d.allowance ELSE 0 END
    FROM held d WHERE h.id = d.id RETURNING d.allowance, :amount - d.allowance AS wallet""")

# What is given back unspent goes to the wallet's part first: the allowance was the first to be taken.
GIVE_BACK_TO_HOLD_OWNER = text("""
    WITH held AS (SELECT id, least(wallet_left, :amount) AS wallet FROM credit_holds
                  WHERE shop_id = :shop_id AND run_id = :run_id FOR UPDATE)
    UPDATE credit_holds h SET
      wallet_left = h.wallet_left - d.wallet, allowance_left = h.allowance_left - (:amount - d.wallet)
    FROM held d WHERE h.id = d.id RETURNING :amount - d.wallet AS allowance, d.wallet""")

REFUND_FROM_SPENT = text("""
    WITH held AS (SELECT id, least(wallet_spent, :amount) AS wallet FROM credit_holds
                  WHERE shop_id = :shop_id AND run_id = :run_id FOR UPDATE)
    UPDATE credit_holds h SET
      wallet_spent = h.wallet_spent - d.wallet, allowance_spent = h.allowance_spent - (:amount - d.wallet)
    FROM held d WHERE h.id = d.id RETURNING :amount - d.wallet AS allowance, d.wallet""")

# The hold's row is locked before the accounts, as in every other posting.
LOCK_HOLD = text("""
    INSERT INTO credit_holds (shop_id, run_id, expires_at) VALUES (:shop_id, :run_id, now() + interval '24
      hours')
    ON CONFLICT (shop_id, run_id) DO UPDATE SET expires_at = excluded.expires_at""")

GROW_HOLD = text("""
    UPDATE credit_holds SET allowance_left = allowance_left + :allowance, wallet_left = wallet_left + :wallet
    WHERE shop_id = :shop_id AND run_id = :run_id""")

STALE_HOLDS = text("""
    SELECT shop_id, run_id, allowance_left + wallet_left AS left_credits FROM credit_holds
    WHERE allowance_left + wallet_left > 0 AND expires_at < now() ORDER BY id LIMIT :limit""")
EXTEND_HOLD = text("""
    UPDATE credit_holds SET expires_at = now() + interval '24 hours' WHERE shop_id = :shop_id AND run_id =
      :run_id""")
BALANCES = text("""
    SELECT kind, balance FROM ledger_accounts WHERE shop_id = :shop_id
    UNION ALL
    SELECT 'held_of_wallet', coalesce(sum(wallet_left), 0)::bigint FROM credit_holds
    WHERE shop_id = :shop_id AND allowance_left + wallet_left > 0""")
