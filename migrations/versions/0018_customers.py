"""What contacts know of Shopify's customers, the first import of them, and what Shopify refused to be told.

Locks: `contacts` against writes while two partial indexes are built over columns that are all empty.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0018"
down_revision = "0017"

# shopify_updated_at is the age of the customer as we have it, shopify_consent what Shopify says of the
# consent (empty: nothing), so what Shopify must still be told is what differs: no message of ours is kept. A
# consent out of a list is not told: it was not given here, and nobody knows when.
COLUMNS = """
ALTER TABLE contacts
  ADD COLUMN shopify_customer_id bigint,
  ADD COLUMN shopify_updated_at timestamptz,
  ADD COLUMN shopify_consent text CONSTRAINT ck_contacts_shopify_consent
    CHECK (shopify_consent IN ('opted_in', 'opted_out', 'unknown')),
  ADD COLUMN shopify_consent_at timestamptz;
ALTER TABLE suppressions ADD COLUMN confirmed_at timestamptz;
CREATE UNIQUE INDEX uq_contacts_shop_id_shopify_customer_id ON contacts (shop_id, shopify_customer_id)
  WHERE shopify_customer_id IS NOT NULL;
CREATE INDEX ix_contacts_consent_to_tell ON contacts (shop_id, consent_at)
  WHERE shopify_customer_id IS NOT NULL AND consent IS DISTINCT FROM shopify_consent
    AND (shopify_consent_at IS NULL OR shopify_consent_at <= consent_at)
    AND (consent = 'opted_out' OR consent = 'opted_in' AND consent_source NOT IN ('shopify', 'import'));
"""

# One at a time per shop: whoever asks for a second one joins the first.
TABLES = """
CREATE TABLE customer_imports (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  status text NOT NULL DEFAULT 'waiting' CONSTRAINT ck_customer_imports_status CHECK (status IN
    ('waiting', 'exporting', 'running', 'completed', 'failed')),
  operation_id text,
  expected_rows bigint NOT NULL DEFAULT 0,
  size_bytes bigint NOT NULL DEFAULT 0,
  done_bytes bigint NOT NULL DEFAULT 0,
  done_rows bigint NOT NULL DEFAULT 0,
  created bigint NOT NULL DEFAULT 0,
  updated bigint NOT NULL DEFAULT 0,
  skipped bigint NOT NULL DEFAULT 0,
  unreadable bigint NOT NULL DEFAULT 0,
  emails_taken bigint NOT NULL DEFAULT 0,
  opt_outs_kept bigint NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  next_try_at timestamptz NOT NULL DEFAULT now(),
  failure text,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  CONSTRAINT uq_customer_imports_shop_id_id UNIQUE (shop_id, id)
);
CREATE UNIQUE INDEX uq_customer_imports_unfinished ON customer_imports (shop_id)
  WHERE status IN ('waiting', 'exporting', 'running');

CREATE TABLE consent_refusals (
  shop_id bigint NOT NULL REFERENCES shops (id),
  contact_id bigint NOT NULL,
  consent text NOT NULL,
  consent_at timestamptz NOT NULL,
  code text NOT NULL,
  refused_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, contact_id),
  CONSTRAINT fk_consent_refusals_contact FOREIGN KEY (shop_id, contact_id) REFERENCES contacts (shop_id, id)
    ON DELETE CASCADE
);

CREATE TABLE consent_pushes (
  shop_id bigint PRIMARY KEY REFERENCES shops (id),
  attempts integer NOT NULL DEFAULT 0,
  next_try_at timestamptz NOT NULL
);
"""
NAMES = ("customer_imports", "consent_refusals", "consent_pushes")


def upgrade() -> None:
    op.execute(COLUMNS)
    op.execute(TABLES)
    for table in NAMES:
        protect(table)
        grant(table)


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(NAMES)}")
    op.execute("""
        DROP INDEX ix_contacts_consent_to_tell, uq_contacts_shop_id_shopify_customer_id;
        ALTER TABLE suppressions DROP COLUMN confirmed_at;
        ALTER TABLE contacts DROP COLUMN shopify_consent_at, DROP COLUMN shopify_consent,
          DROP COLUMN shopify_updated_at, DROP COLUMN shopify_customer_id""")
