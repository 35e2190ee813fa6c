"""What a campaign was said to cost at most, and what a shop's texts may cost each.

Locks: `campaigns` briefly, for the key that refers to it.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0031"
down_revision = "0030"

# `run_id`: the sending that was started with the quote. Until then it is only an offer, and is forgotten.
QUOTES = """
CREATE TABLE campaign_quotes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  campaign_id bigint NOT NULL,
  fingerprint text NOT NULL,
  recipients integer NOT NULL CONSTRAINT ck_campaign_quotes_recipients CHECK (recipients >= 0),
  credits bigint NOT NULL CONSTRAINT ck_campaign_quotes_credits CHECK (credits >= 0),
  run_id bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT fk_campaign_quotes_campaign FOREIGN KEY (shop_id, campaign_id) REFERENCES campaigns (shop_id, id)
    ON DELETE CASCADE
);
CREATE INDEX ix_campaign_quotes_campaign ON campaign_quotes (shop_id, campaign_id);
CREATE UNIQUE INDEX uq_campaign_quotes_run_id ON campaign_quotes (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX ix_campaign_quotes_unused ON campaign_quotes (expires_at) WHERE run_id IS NULL;
"""
# Country '*' is every message.
CAPS = """
CREATE TABLE price_caps (
  shop_id bigint NOT NULL REFERENCES shops (id),
  country text NOT NULL CONSTRAINT ck_price_caps_country CHECK (country = '*' OR country ~ '^[A-Z]{2}$'),
  credits smallint NOT NULL,
  CONSTRAINT pk_price_caps PRIMARY KEY (shop_id, country),
  CONSTRAINT ck_price_caps_credits CHECK (credits BETWEEN 0 AND 99),
  CONSTRAINT ck_price_caps_everybody CHECK (country <> '*' OR credits > 0)
);
"""
TABLES = ("campaign_quotes", "price_caps")


def upgrade() -> None:
    op.execute(QUOTES)
    op.execute(CAPS)
    for table in TABLES:
        protect(table)
    grant(*TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE campaign_quotes, price_caps")
