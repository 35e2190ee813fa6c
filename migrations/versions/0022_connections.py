"""Connections with Shopify: tokens, sign-ins under way, webhook subscriptions.

Locks: none, new tables only.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0022"
down_revision = "0021"

# Who has uninstalled keeps the row, so that a late event can be told from a new one; never a token.
TABLES = """
CREATE TABLE shopify_connections (
  shop_id bigint CONSTRAINT pk_shopify_connections PRIMARY KEY REFERENCES shops (id),
  status text NOT NULL CONSTRAINT ck_shopify_connections_status CHECK (status IN
    ('active', 'needs_reauth', 'uninstalled')),
  access_token bytea,
  access_expires_at timestamptz,
  refresh_token bytea,
  refresh_expires_at timestamptz,
  turn integer NOT NULL DEFAULT 0,
  leased_until timestamptz,
  scopes text[] NOT NULL DEFAULT '{}',
  scopes_at timestamptz NOT NULL,
  api_version text NOT NULL,
  installed_at timestamptz NOT NULL,
  uninstalled_at timestamptz,
  known jsonb NOT NULL DEFAULT '{}',
  known_at timestamptz,
  check_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT ck_shopify_connections_tokens CHECK
    ((status = 'active' AND access_token IS NOT NULL) OR
     (status = 'needs_reauth') OR
     (status = 'uninstalled' AND access_token IS NULL AND refresh_token IS NULL))
);
CREATE INDEX ix_shopify_connections_check_at ON shopify_connections (check_at) WHERE status = 'active';

CREATE TABLE oauth_states (
  state_sha256 bytea CONSTRAINT pk_oauth_states PRIMARY KEY,
  browser_sha256 bytea NOT NULL,
  domain text NOT NULL,
  expires_at timestamptz NOT NULL
);
CREATE INDEX ix_oauth_states_expires_at ON oauth_states (expires_at);

CREATE TABLE webhook_subscriptions (
  shop_id bigint NOT NULL REFERENCES shops (id),
  topic text NOT NULL,
  uri text NOT NULL,
  shopify_id text NOT NULL,
  checked_at timestamptz NOT NULL,
  CONSTRAINT pk_webhook_subscriptions PRIMARY KEY (shop_id, topic)
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    protect("shopify_connections")
    protect("webhook_subscriptions")
    grant("shopify_connections", "oauth_states", "webhook_subscriptions")


def downgrade() -> None:
    op.execute("DROP TABLE webhook_subscriptions, oauth_states, shopify_connections")
