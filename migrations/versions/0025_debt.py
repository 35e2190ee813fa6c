"""Bought credits can be taken back: reversals, debts and their settlement.

Locks: both tables of the ledger exclusively for moments; the rows that are there are looked at afterwards,
while others read and write.
"""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"

SOURCES = "'purchased', 'included', 'adjusted'"
ACCOUNTS = f"'wallet', 'allowance', 'held', 'spent', 'lapsed', {SOURCES}"
TRANSFERS = "'purchase', 'grant', 'allowance', 'lapse', 'hold', 'capture', 'release', 'refund', 'adjustment'"
AT_LEAST_NOTHING = f"kind IN ({SOURCES}) OR balance >= 0"
DEBTS_ARE_OWED = (
    "CASE kind WHEN 'debt' THEN balance <= 0 WHEN 'purchased' THEN true WHEN 'included' THEN true"
    " WHEN 'adjusted' THEN true ELSE balance >= 0 END"
)


def upgrade() -> None:
    _check("ledger_accounts", "kind", f"kind IN ({ACCOUNTS}, 'debt')")
    _check("ledger_accounts", "balance", DEBTS_ARE_OWED)
    _check("ledger_transfers", "kind", f"kind IN ({TRANSFERS}, 'reversal', 'reinstatement', 'settlement')")


def downgrade() -> None:
    _check("ledger_accounts", "kind", f"kind IN ({ACCOUNTS})")
    _check("ledger_accounts", "balance", AT_LEAST_NOTHING)
    _check("ledger_transfers", "kind", f"kind IN ({TRANSFERS})")


def _check(table: str, what: str, rule: str) -> None:
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{what}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{what} CHECK ({rule}) NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{what}")
