"""Contacts, their consent and its evidence, the suppression list, imports.

Locks: none, new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import append_only, grant, protect

revision = "0003"
down_revision = "0002"

# The generated columns keep what a name costs in an SMS, so that pricing an audience is arithmetic
# (merge_value is the name as the renderer writes it).
TABLES = """
CREATE TABLE contacts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  phone text NOT NULL CONSTRAINT ck_contacts_phone CHECK (phone ~ '^[+][1-9][0-9]{1,14}$'),
  region text,
  email text CONSTRAINT ck_contacts_email CHECK (email <> '' AND length(email) <= 255),
  first_name text CONSTRAINT ck_contacts_first_name CHECK (first_name <> '' AND length(first_name) <= 100),
  last_name text CONSTRAINT ck_contacts_last_name CHECK (last_name <> '' AND length(last_name) <= 100),
  gender text CONSTRAINT ck_contacts_gender CHECK (gender IN ('male', 'female', 'other')),
  birth_date date,
  tags text[] NOT NULL DEFAULT '{}',
  consent text NOT NULL DEFAULT 'unknown' CONSTRAINT ck_contacts_consent CHECK (consent IN ('opted_in',
    'opted_out', 'unknown')),
  consent_at timestamptz,
  consent_source text,
  unsubscribed_at timestamptz,
  orders_count integer NOT NULL DEFAULT 0,
  first_order_at timestamptz,
  last_order_at timestamptz,
  first_name_septets smallint GENERATED ALWAYS AS (sms_septets(merge_value(first_name))) STORED,
  first_name_utf16 smallint GENERATED ALWAYS AS (sms_utf16(merge_value(first_name))) STORED,
  last_name_septets smallint GENERATED ALWAYS AS (sms_septets(merge_value(last_name))) STORED,
  last_name_utf16 smallint GENERATED ALWAYS AS (sms_utf16(merge_value(last_name))) STORED,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_contacts_shop_id_id UNIQUE (shop_id, id),
  CONSTRAINT uq_contacts_shop_id_phone UNIQUE (shop_id, phone)
);
CREATE UNIQUE INDEX uq_contacts_shop_id_email ON contacts (shop_id, email) WHERE email IS NOT NULL;
CREATE INDEX ix_contacts_shop_id_created_at ON contacts (shop_id, created_at DESC, id DESC);
CREATE INDEX ix_contacts_opted_in ON contacts (shop_id, id) WHERE consent = 'opted_in';
CREATE INDEX ix_contacts_birth_date ON contacts (shop_id, birth_date) WHERE birth_date IS NOT NULL;

CREATE TABLE consent_events (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  contact_id bigint,
  phone text NOT NULL,
  action text NOT NULL CONSTRAINT ck_consent_events_action CHECK (action IN ('grant', 'withdraw', 'reset')),
  source text NOT NULL,
  wording text,
  evidence jsonb NOT NULL DEFAULT '{}',
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_consent_events_shop_id_phone ON consent_events (shop_id, phone);

CREATE TABLE suppressions (
  shop_id bigint NOT NULL REFERENCES shops (id),
  phone text NOT NULL,
  source text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, phone)
);

CREATE TABLE contact_imports (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  filename text NOT NULL,
  file_sha256 text NOT NULL,
  status text NOT NULL DEFAULT 'waiting' CONSTRAINT ck_contact_imports_status CHECK (status IN
    ('waiting', 'running', 'completed', 'failed')),
  size_bytes bigint NOT NULL,
  done_bytes bigint NOT NULL DEFAULT 0,
  done_rows integer NOT NULL DEFAULT 0,
  created integer NOT NULL DEFAULT 0,
  updated integer NOT NULL DEFAULT 0,
  skipped integer NOT NULL DEFAULT 0,
  warnings integer NOT NULL DEFAULT 0,
  failure text,
  created_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  finished_at timestamptz,
  CONSTRAINT uq_contact_imports_shop_id_id UNIQUE (shop_id, id)
);
CREATE INDEX ix_contact_imports_unfinished ON contact_imports (id) WHERE status IN ('waiting', 'running');
CREATE TABLE contact_import_chunks (
  shop_id bigint NOT NULL,
  import_id bigint NOT NULL,
  seq integer NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (shop_id, import_id, seq),
  FOREIGN KEY (shop_id, import_id) REFERENCES contact_imports (shop_id, id)
);
CREATE TABLE contact_import_errors (
  shop_id bigint NOT NULL,
  import_id bigint NOT NULL,
  row integer NOT NULL,
  field text NOT NULL,
  value text,
  message text NOT NULL,
  PRIMARY KEY (shop_id, import_id, row, field),
  FOREIGN KEY (shop_id, import_id) REFERENCES contact_imports (shop_id, id)
);
"""
NAMES = (
    "contacts",
    "consent_events",
    "suppressions",
    "contact_imports",
    "contact_import_chunks",
    "contact_import_errors",
)


def upgrade() -> None:
    op.execute(TABLES)
    for table in NAMES:
        protect(table)
        grant(table)
    append_only("consent_events")
    grant("consent_events", privileges="SELECT, INSERT")


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(reversed(NAMES))}")
