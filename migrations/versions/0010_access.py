"""API keys and the audit log.

Locks: none, new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import append_only, grant, protect

revision = "0010"
down_revision = "0009"

# A rotated key has two secrets for a day. A revoked key stays as a row: the audit log points at it.
TABLES = """
CREATE TABLE api_keys (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  name text NOT NULL CONSTRAINT ck_api_keys_name CHECK (length(name) BETWEEN 1 AND 100),
  scopes text[] NOT NULL DEFAULT '{}' CONSTRAINT ck_api_keys_scopes CHECK (scopes <@ ARRAY[
    'contacts:read', 'contacts:write', 'campaigns:read', 'campaigns:write', 'templates:read',
    'templates:write', 'reports:read', 'billing:read', 'settings:read', 'activity:read']),
  secret_sha256 bytea NOT NULL,
  hint text NOT NULL,
  previous_sha256 bytea,
  previous_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz,
  CONSTRAINT uq_api_keys_shop_id_id UNIQUE (shop_id, id)
);

CREATE TABLE activity (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id bigint NOT NULL REFERENCES shops (id),
  at timestamptz NOT NULL DEFAULT now(),
  actor_kind text NOT NULL CONSTRAINT ck_activity_actor_kind CHECK (actor_kind IN
    ('user', 'api_key', 'system', 'operator')),
  actor_id bigint,
  action text NOT NULL,
  object_kind text NOT NULL,
  object_id bigint,
  request_id text,
  network text,
  details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX ix_activity_shop_id_at ON activity (shop_id, at DESC, id DESC);
CREATE INDEX ix_activity_object ON activity (shop_id, object_kind, object_id, at DESC, id DESC);
"""


def upgrade() -> None:
    op.execute(TABLES)
    protect("api_keys")
    grant("api_keys", privileges="SELECT, INSERT, UPDATE")
    protect("activity")
    grant("activity", privileges="SELECT, INSERT")
    append_only("activity")


def downgrade() -> None:
    op.execute("DROP TABLE activity, api_keys")
