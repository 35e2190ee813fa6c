"""Seals: what proves that a shop's transfers are still those that were posted.

Locks: a new table only.
"""

from __future__ import annotations

from alembic import op
from tenancy import append_only, grant, protect

revision = "0032"
down_revision = "0031"

# A seal begins where the one before it ended, and no two begin at the same place: by these keys the seals of
# a shop are one chain without holes or overlaps, however many processes seal at once.
SEALS = """
CREATE TABLE ledger_seals (
  shop_id bigint NOT NULL REFERENCES shops (id),
  number integer NOT NULL CONSTRAINT ck_ledger_seals_number CHECK (number > 0),
  after_transfer_id bigint,
  last_transfer_id bigint NOT NULL,
  transfers integer NOT NULL CONSTRAINT ck_ledger_seals_transfers CHECK (transfers > 0),
  earliest_at timestamptz NOT NULL,
  latest_at timestamptz NOT NULL,
  balances jsonb NOT NULL,
  previous text NOT NULL,
  content text NOT NULL,
  sealed_at timestamptz NOT NULL,
  hash text NOT NULL,
  marks bytea NOT NULL,
  CONSTRAINT pk_ledger_seals PRIMARY KEY (shop_id, number),
  CONSTRAINT uq_ledger_seals_last UNIQUE (shop_id, last_transfer_id),
  CONSTRAINT uq_ledger_seals_after UNIQUE (shop_id, after_transfer_id),
  CONSTRAINT ck_ledger_seals_first CHECK ((number = 1) = (after_transfer_id IS NULL)),
  CONSTRAINT ck_ledger_seals_order CHECK (after_transfer_id < last_transfer_id),
  CONSTRAINT fk_ledger_seals_after FOREIGN KEY (shop_id, after_transfer_id)
    REFERENCES ledger_seals (shop_id, last_transfer_id)
);
"""


def upgrade() -> None:
    op.execute(SEALS)
    protect("ledger_seals")
    append_only("ledger_seals")
    grant("ledger_seals", privileges="SELECT, INSERT")


def downgrade() -> None:
    op.execute("DROP TABLE ledger_seals")
