"""Message templates, their versions, and their use by shops.

Locks: none, new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0008"
down_revision = "0007"

# A template without a shop is shared by all. NULLS NOT DISTINCT: its key is taken once, too.
# The foreign keys hold a shop's own rows; templates are retired, never deleted, so the shared ones need none.
TABLES = """
CREATE TABLE templates (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint REFERENCES shops (id),
  eshop_type text NOT NULL CONSTRAINT ck_templates_eshop_type CHECK (eshop_type IN ('fashion', 'beauty',
    'electronics', 'food', 'services', 'home', 'sports', 'books', 'toys', 'generic')),
  key text NOT NULL CONSTRAINT ck_templates_key CHECK (key <> '' AND length(key) <= 100),
  title text NOT NULL CONSTRAINT ck_templates_title CHECK (title <> '' AND length(title) <= 100),
  category text NOT NULL CONSTRAINT ck_templates_category CHECK (category <> '' AND length(category) <= 100),
  content text NOT NULL CONSTRAINT ck_templates_content CHECK (content <> '' AND length(content) <= 1600),
  goal text CONSTRAINT ck_templates_goal CHECK (length(goal) <= 200),
  suggested_metrics text CONSTRAINT ck_templates_suggested_metrics CHECK (length(suggested_metrics) <= 500),
  preview_image text,
  tags text[] NOT NULL DEFAULT '{}',
  is_public boolean NOT NULL DEFAULT true,
  version integer NOT NULL DEFAULT 1,
  library_version integer,
  edited_at timestamptz,
  retired_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT uq_templates_shop_id_id UNIQUE (shop_id, id),
  CONSTRAINT uq_templates_shop_id_eshop_type_key UNIQUE NULLS NOT DISTINCT (shop_id, eshop_type, key)
);

CREATE TABLE template_versions (
  template_id bigint NOT NULL,
  version integer NOT NULL,
  shop_id bigint REFERENCES shops (id),
  title text NOT NULL,
  category text NOT NULL,
  content text NOT NULL,
  goal text,
  suggested_metrics text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (template_id, version),
  FOREIGN KEY (shop_id, template_id) REFERENCES templates (shop_id, id)
);

CREATE TABLE template_usage (
  shop_id bigint NOT NULL REFERENCES shops (id),
  template_id bigint NOT NULL,
  used_count integer NOT NULL DEFAULT 1,
  last_used_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, template_id)
);
CREATE INDEX ix_template_usage_template_id ON template_usage (template_id);
"""
NAMES = ("templates", "template_versions", "template_usage")

# Beside the tenant policy, and for reading only: an UPDATE or DELETE by a shop still sees its own rows alone.
SHARED_ROWS = """
CREATE POLICY shared_rows ON templates FOR SELECT USING (
  shop_id IS NULL AND (SELECT nullif(current_setting('app.shop_id', true), '')) IS NOT NULL)
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in NAMES:
        protect(table)
    op.execute(SHARED_ROWS)
    grant("templates", "template_usage", privileges="SELECT, INSERT, UPDATE")
    grant("template_versions", privileges="SELECT, INSERT")


def downgrade() -> None:
    op.execute(f"DROP TABLE {', '.join(reversed(NAMES))}")
