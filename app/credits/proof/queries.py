"""Sealing and verifying in SQL."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, text

from app.credits.proof.models import Seal

MICROSECONDS = """YYYY-MM-DD"T"HH24\\:MI\\:SS.US"Z\""""


def _instant(column: str, name: str) -> str:
    return f"to_char({column} AT TIME ZONE 'UTC', '{MICROSECONDS}') AS {name}"


KINDS = text("SELECT kind FROM ledger_accounts WHERE shop_id = :shop_id")
NEWEST_TRANSFER = text("SELECT max(id) FROM ledger_transfers WHERE shop_id = :shop_id")
LOCK_ALL_ACCOUNTS = text("""
    SELECT id FROM ledger_accounts WHERE shop_id = :shop_id ORDER BY id FOR UPDATE""")

# A seal's range is known before it is read: where the planner knows nothing yet of a table that grew fast, it
# sorts what is left of the range for every portion.
END_OF_SEAL = text("""
    SELECT max(id) FROM (
      SELECT id FROM ledger_transfers WHERE shop_id = :shop_id AND id > :after AND id <= :last
      ORDER BY id LIMIT :most) t""")
# Names and order of the columns are those of a sealed line: see lines.py.
TRANSFERS = text(f"""
    SELECT t.id, t.shop_id, t.kind, f.kind AS "from", g.kind AS "to", t.amount, t.from_balance_after,
      t.to_balance_after, t.key, t.reason, t.run_id, t.message_id, {_instant("t.event_at", "event_at")},
      {_instant("t.created_at", "created_at")}
    FROM (
      SELECT * FROM ledger_transfers WHERE shop_id = :shop_id AND id > :after AND id <= :last
      ORDER BY id LIMIT :most) t
    LEFT JOIN ledger_accounts f ON f.shop_id = t.shop_id AND f.id = t.from_account_id
    LEFT JOIN ledger_accounts g ON g.shop_id = t.shop_id AND g.id = t.to_account_id
    ORDER BY t.id""")  # noqa: S608 (our own words)

SEAL_COLUMNS = f"""shop_id, number, after_transfer_id, last_transfer_id, transfers,
      {_instant("earliest_at", "earliest_at")}, {_instant("latest_at", "latest_at")}, balances, previous,
      content, {_instant("sealed_at", "sealed_at")}, hash"""
NEWEST_SEAL = text(f"""
    SELECT {SEAL_COLUMNS} FROM ledger_seals WHERE shop_id = :shop_id
    ORDER BY number DESC LIMIT 1""")  # noqa: S608
SEAL = text(f"""
    SELECT {SEAL_COLUMNS}, marks FROM ledger_seals
    WHERE shop_id = :shop_id AND number = :number""")  # noqa: S608

# Whoever comes second finds its place taken and adds nothing.
ADD_SEAL = text("""
    INSERT INTO ledger_seals (shop_id, number, after_transfer_id, last_transfer_id, transfers, earliest_at,
      latest_at, balances, previous, content, sealed_at, hash, marks)
    VALUES (:shop_id, :number, :after_transfer_id, :last_transfer_id, :transfers,
      CAST(:earliest_at AS timestamptz), CAST(:latest_at AS timestamptz), CAST(:balances AS jsonb), :previous,
      :content, CAST(:sealed_at AS timestamptz), :hash, :marks)
    ON CONFLICT DO NOTHING RETURNING number""")

# Each shop costs two probes of an index.
SHOPS_TO_SEAL = text("""
    SELECT s.id FROM shops s
    LEFT JOIN LATERAL (
      SELECT last_transfer_id, sealed_at FROM ledger_seals l WHERE l.shop_id = s.id
      ORDER BY number DESC LIMIT 1) newest ON true
    WHERE s.id > :after AND coalesce(newest.sealed_at < :before, true)
      AND EXISTS (SELECT FROM ledger_transfers t
                  WHERE t.shop_id = s.id AND t.id > coalesce(newest.last_transfer_id, 0))
    ORDER BY s.id LIMIT 1""")
NEXT_SHOP_WITH_SEALS = select(func.min(Seal.shop_id)).where(Seal.shop_id > bindparam("after"))
UNSEALED = text("""
    SELECT count(*) FROM ledger_transfers WHERE shop_id = :shop_id AND id > :after""")

# Which seals have transfers of a time. Ids and times do not quite agree in order, so a seal says both.
SEALS_OF = text("""
    SELECT min(number) AS first, max(number) AS last FROM ledger_seals
    WHERE shop_id = :shop_id AND last_transfer_id <= :until
      AND (CAST(:starts_at AS timestamptz) IS NULL OR latest_at >= :starts_at)
      AND (CAST(:ends_at AS timestamptz) IS NULL OR earliest_at < :ends_at)""")
# Where transfers of a time can be: among the sealed ones behind `lower` and up to `upper`, or not yet sealed.
REACH_OF = text("""
    SELECT coalesce(max(last_transfer_id), 0) AS sealed_until,
      coalesce(min(coalesce(after_transfer_id, 0)) FILTER (
        WHERE CAST(:starts_at AS timestamptz) IS NULL OR latest_at >= :starts_at), 0) AS lower,
      coalesce(max(last_transfer_id) FILTER (
        WHERE (CAST(:starts_at AS timestamptz) IS NULL OR latest_at >= :starts_at)
          AND (CAST(:ends_at AS timestamptz) IS NULL OR earliest_at < :ends_at)), 0) AS upper
    FROM ledger_seals WHERE shop_id = :shop_id""")

NEWEST_TRANSFERS = text("""
    SELECT t.id, t.kind, f.kind AS source, g.kind AS target, t.amount, t.from_balance_after,
      t.to_balance_after, t.key, t.reason, t.run_id, t.message_id, t.event_at, t.created_at,
      seal.number AS seal_number, seal.hash AS seal_hash
    FROM ledger_transfers t
    JOIN ledger_accounts f ON f.shop_id = t.shop_id AND f.id = t.from_account_id
    JOIN ledger_accounts g ON g.shop_id = t.shop_id AND g.id = t.to_account_id
    LEFT JOIN LATERAL (
      SELECT number, hash FROM ledger_seals l WHERE l.shop_id = t.shop_id AND l.last_transfer_id >= t.id
      ORDER BY l.last_transfer_id LIMIT 1) seal ON true
    WHERE t.shop_id = :shop_id AND t.id > :lower AND t.id <= :upper
      AND (CAST(:kind AS text) IS NULL OR t.kind = :kind)
      AND (CAST(:run_ids AS bigint[]) IS NULL OR t.run_id = ANY (CAST(:run_ids AS bigint[])))
      AND (CAST(:starts_at AS timestamptz) IS NULL OR t.created_at >= :starts_at)
      AND (CAST(:ends_at AS timestamptz) IS NULL OR t.created_at < :ends_at)
    ORDER BY t.id DESC LIMIT :most""")

IDS_BY_KEY = text("""
    SELECT key, id FROM ledger_transfers WHERE shop_id = :shop_id AND key = ANY (CAST(:keys AS text[]))""")
RUNS_OF = text("""
    SELECT DISTINCT run_id FROM ledger_transfers
    WHERE shop_id = :shop_id AND id > :after AND id <= :last AND run_id IS NOT NULL""")
