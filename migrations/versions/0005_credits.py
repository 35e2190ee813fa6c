"""The ledger: accounts, append-only transfers, holds.

Locks: none, new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import append_only, grant, protect

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE TABLE ledger_accounts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  kind text NOT NULL CONSTRAINT ck_ledger_accounts_kind CHECK (kind IN
    ('wallet', 'allowance', 'held', 'spent', 'lapsed', 'purchased', 'included', 'adjusted')),
  balance bigint NOT NULL DEFAULT 0,
  CONSTRAINT ck_ledger_accounts_balance CHECK (kind IN ('purchased', 'included', 'adjusted') OR balance >= 0),
  CONSTRAINT uq_ledger_accounts_shop_id_id UNIQUE (shop_id, id),
  CONSTRAINT uq_ledger_accounts_shop_id_kind UNIQUE (shop_id, kind)
);
CREATE TABLE ledger_transfers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL,
  from_account_id bigint NOT NULL,
  to_account_id bigint NOT NULL,
  amount bigint NOT NULL CONSTRAINT ck_ledger_transfers_amount CHECK (amount > 0),
  kind text NOT NULL CONSTRAINT ck_ledger_transfers_kind CHECK (kind IN
    ('purchase', 'grant', 'allowance', 'lapse', 'hold', 'capture', 'release', 'refund', 'adjustment')),
  key text NOT NULL,
  run_id bigint,
  message_id bigint,
  reason text CONSTRAINT ck_ledger_transfers_reason CHECK (length(reason) <= 200),
  from_balance_after bigint NOT NULL,
  to_balance_after bigint NOT NULL,
  event_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_ledger_transfers_shop_id_key UNIQUE (shop_id, key),
  CONSTRAINT ck_ledger_transfers_accounts CHECK (from_account_id <> to_account_id),
  FOREIGN KEY (shop_id, from_account_id) REFERENCES ledger_accounts (shop_id, id),
  FOREIGN KEY (shop_id, to_account_id) REFERENCES ledger_accounts (shop_id, id)
);
CREATE INDEX ix_ledger_transfers_shop_id_id ON ledger_transfers (shop_id, id DESC);
CREATE INDEX ix_ledger_transfers_run_id ON ledger_transfers (run_id) WHERE run_id IS NOT NULL;
CREATE TABLE credit_holds (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  run_id bigint NOT NULL,
  allowance_left bigint NOT NULL DEFAULT 0 CONSTRAINT ck_credit_holds_allowance_left CHECK (allowance_left
    >= 0),
  wallet_left bigint NOT NULL DEFAULT 0 CONSTRAINT ck_credit_holds_wallet_left CHECK (wallet_left >= 0),
  allowance_spent bigint NOT NULL DEFAULT 0 CONSTRAINT ck_credit_holds_allowance_spent CHECK
    (allowance_spent >= 0),
  wallet_spent bigint NOT NULL DEFAULT 0 CONSTRAINT ck_credit_holds_wallet_spent CHECK (wallet_spent >= 0),
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_credit_holds_shop_id_run_id UNIQUE (shop_id, run_id)
);
CREATE INDEX ix_credit_holds_left ON credit_holds (expires_at) WHERE allowance_left + wallet_left > 0;
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("ledger_accounts", "ledger_transfers", "credit_holds"):
        protect(table)
    append_only("ledger_transfers")
    grant("ledger_accounts", "credit_holds", privileges="SELECT, INSERT, UPDATE")
    grant("ledger_transfers", privileges="SELECT, INSERT")


def downgrade() -> None:
    op.execute("DROP TABLE credit_holds, ledger_transfers, ledger_accounts")
