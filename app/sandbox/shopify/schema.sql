-- Moments are seconds since 1970, money is cents. `body` is JSON.

CREATE TABLE IF NOT EXISTS numbers (
    kind TEXT PRIMARY KEY,
    last INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS shops (
    domain         TEXT PRIMARY KEY,
    id             INTEGER NOT NULL,
    name           TEXT NOT NULL,
    email          TEXT NOT NULL,
    currency       TEXT NOT NULL,
    timezone       TEXT NOT NULL,
    country        TEXT NOT NULL,
    is_installed   INTEGER NOT NULL DEFAULT 0,
    scopes         TEXT NOT NULL DEFAULT '',   -- granted, with commas between
    uninstalled_at INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS customers (
    shop          TEXT NOT NULL,
    id            INTEGER NOT NULL,
    first_name    TEXT,
    last_name     TEXT,
    email         TEXT,
    phone         TEXT,
    locale        TEXT NOT NULL,
    country       TEXT NOT NULL,
    tags          TEXT NOT NULL DEFAULT '',
    sms_state     TEXT,                         -- lower case; null without a phone
    sms_level     TEXT,
    sms_at        INTEGER,
    sms_from      TEXT,
    email_state   TEXT NOT NULL DEFAULT 'not_subscribed',
    orders_count  INTEGER NOT NULL DEFAULT 0,
    spent_cents   INTEGER NOT NULL DEFAULT 0,
    last_order_id INTEGER,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (shop, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ix_customers_updated ON customers (shop, updated_at, id);
CREATE INDEX IF NOT EXISTS ix_customers_phone ON customers (shop, phone);

-- Orders, checkouts, discounts, subscriptions, bulk operations: each as its own JSON.
CREATE TABLE IF NOT EXISTS documents (
    shop       TEXT NOT NULL,
    kind       TEXT NOT NULL,
    id         INTEGER NOT NULL,
    token      TEXT,                            -- a checkout's; a subscription's topic
    updated_at INTEGER NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (shop, kind, id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ix_documents_updated ON documents (shop, kind, updated_at, id);
CREATE INDEX IF NOT EXISTS ix_documents_token ON documents (shop, kind, token);

CREATE TABLE IF NOT EXISTS discount_codes (
    shop        TEXT NOT NULL,
    code        TEXT NOT NULL COLLATE NOCASE,
    discount_id INTEGER NOT NULL,
    id          INTEGER NOT NULL,
    used        INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (shop, code)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ix_discount_codes_discount ON discount_codes (shop, discount_id, id);

-- Authorization codes, access tokens and refresh tokens.
CREATE TABLE IF NOT EXISTS tokens (
    value       TEXT PRIMARY KEY,
    kind        TEXT NOT NULL,                  -- code, access, refresh
    shop        TEXT NOT NULL,
    scopes      TEXT NOT NULL,
    is_online   INTEGER NOT NULL DEFAULT 0,
    expires_at  INTEGER,                        -- null: never
    used_at     INTEGER,                        -- of a code or a refresh token
    replacement TEXT                            -- the refresh token that came for this one
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ix_tokens_shop ON tokens (shop);
