"""Segments: system ones by key, custom ones by rule or by explicit members.

Locks: none, new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0004"
down_revision = "0003"

TABLES = """
CREATE TABLE segments (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  key text,
  name text NOT NULL CONSTRAINT ck_segments_name CHECK (name <> '' AND length(name) <= 100),
  kind text NOT NULL CONSTRAINT ck_segments_kind CHECK (kind IN ('system', 'custom')),
  rule jsonb,
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_segments_shop_id_id UNIQUE (shop_id, id),
  CONSTRAINT uq_segments_shop_id_name UNIQUE (shop_id, name),
  CONSTRAINT uq_segments_shop_id_key UNIQUE (shop_id, key)
);
CREATE TABLE segment_members (
  shop_id bigint NOT NULL,
  segment_id bigint NOT NULL,
  contact_id bigint NOT NULL,
  PRIMARY KEY (shop_id, segment_id, contact_id),
  FOREIGN KEY (shop_id, segment_id) REFERENCES segments (shop_id, id) ON DELETE CASCADE,
  FOREIGN KEY (shop_id, contact_id) REFERENCES contacts (shop_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_segment_members_contact ON segment_members (shop_id, contact_id);
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("segments", "segment_members"):
        protect(table)
        grant(table)


def downgrade() -> None:
    op.execute("DROP TABLE segment_members, segments")
