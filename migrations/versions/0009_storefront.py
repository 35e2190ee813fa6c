"""What the storefront and the public pages leave with us.

Locks: shops and message_runs, exclusively, for as long as a catalogue change takes; the wider check on
message_runs is validated under a lock that lets everybody read and write.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0009"
down_revision = "0008"

SETTINGS = """
ALTER TABLE shops ADD COLUMN double_opt_in boolean NOT NULL DEFAULT false;
"""

# A service text answers one person's own request; it belongs to no campaign and no automation.
RUN_SOURCES = """
ALTER TABLE message_runs DROP CONSTRAINT ck_message_runs_source;
ALTER TABLE message_runs ADD CONSTRAINT ck_message_runs_source
  CHECK (source IN ({sources})) NOT VALID;
"""
VALIDATE_SOURCES = "ALTER TABLE message_runs VALIDATE CONSTRAINT ck_message_runs_source"

# One open question per number, so nobody can be texted again and again. What was typed into the form waits
# here and becomes a contact only when the owner of the number says yes.
# An enquiry belongs to no shop: only a transaction that crosses shops sees it.
TABLES = """
CREATE TABLE opt_in_confirmations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  phone text NOT NULL CONSTRAINT ck_opt_in_confirmations_phone CHECK (phone ~ '^[+][1-9][0-9]{1,14}$'),
  region text,
  first_name text,
  last_name text,
  gender text,
  birth_date date,
  tag text NOT NULL,
  wording text,
  evidence jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  confirmed_at timestamptz
);
CREATE UNIQUE INDEX uq_opt_in_confirmations_waiting ON opt_in_confirmations (shop_id, phone)
  WHERE confirmed_at IS NULL;
CREATE INDEX ix_opt_in_confirmations_expires_at ON opt_in_confirmations (shop_id, expires_at);
CREATE TABLE enquiries (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint REFERENCES shops (id),
  name text NOT NULL CONSTRAINT ck_enquiries_name CHECK (length(name) BETWEEN 1 AND 100),
  email text NOT NULL CONSTRAINT ck_enquiries_email CHECK (length(email) BETWEEN 3 AND 255),
  message text NOT NULL CONSTRAINT ck_enquiries_message CHECK (length(message) BETWEEN 1 AND 2000),
  created_at timestamptz NOT NULL DEFAULT now()
);
"""
NAMES = ("opt_in_confirmations", "enquiries")


def upgrade() -> None:
    op.execute(SETTINGS)
    op.execute(RUN_SOURCES.format(sources="'campaign', 'automation', 'test', 'service'"))
    op.execute(VALIDATE_SOURCES)
    op.execute(TABLES)
    for table in NAMES:
        protect(table)
        grant(table)


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(reversed(NAMES))}")
    # Not validated: service runs that were made meanwhile are money's history and stay.
    op.execute(RUN_SOURCES.format(sources="'campaign', 'automation', 'test'"))
    op.execute("ALTER TABLE shops DROP COLUMN double_opt_in")
