"""Discount codes that one person alone is given.

Locks: new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0024"
down_revision = "0023"

# All codes of a pool are equally long, so a text is priced before anybody has a code.
POOLS = """
CREATE TABLE discount_pools (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  title text NOT NULL CONSTRAINT ck_discount_pools_title CHECK (title <> '' AND length(title) <= 200),
  prefix text NOT NULL,
  percent numeric(5, 2) NOT NULL CONSTRAINT ck_discount_pools_percent CHECK (percent > 0 AND percent <= 100),
  ends_at timestamptz,
  discount_id text,
  last_error text,
  try_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_discount_pools_shop_id_id UNIQUE (shop_id, id)
);

-- `live_at`: Shopify has it. `message_id`: whose it is; a code is one message's, and a message has one code.
CREATE TABLE discount_codes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  pool_id bigint NOT NULL,
  code text NOT NULL CONSTRAINT ck_discount_codes_code CHECK (code <> '' AND code = upper(code)),
  live_at timestamptz,
  run_id bigint,
  message_id bigint,
  CONSTRAINT uq_discount_codes_shop_id_code UNIQUE (shop_id, code),
  CONSTRAINT ck_discount_codes_given CHECK ((run_id IS NULL) = (message_id IS NULL)),
  CONSTRAINT ck_discount_codes_live CHECK (live_at IS NOT NULL OR message_id IS NULL),
  CONSTRAINT fk_discount_codes_pool FOREIGN KEY (shop_id, pool_id) REFERENCES discount_pools (shop_id, id)
    ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_discount_codes_message_id ON discount_codes (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX ix_discount_codes_free ON discount_codes (pool_id, id)
  WHERE live_at IS NOT NULL AND message_id IS NULL;
CREATE INDEX ix_discount_codes_run_id ON discount_codes (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX ix_discount_codes_not_live ON discount_codes (shop_id, pool_id, id) WHERE live_at IS NULL;
"""
TABLES = ("discount_pools", "discount_codes")


def upgrade() -> None:
    op.execute(POOLS)
    for table in TABLES:
        protect(table)
    grant(*TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE discount_codes, discount_pools")
