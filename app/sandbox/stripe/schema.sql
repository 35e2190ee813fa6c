-- Every object of Stripe's as its own JSON. `kept` is what the API does not show: a card's number, a session's wishes.

CREATE TABLE IF NOT EXISTS documents (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,   -- lists are newest first
    object TEXT NOT NULL,                       -- 'checkout.session', 'customer', …
    id     TEXT NOT NULL,
    body   TEXT NOT NULL,
    kept   TEXT NOT NULL DEFAULT '{}',
    UNIQUE (object, id)
);
CREATE INDEX IF NOT EXISTS ix_documents_customer ON documents (object, json_extract(body, '$.customer'));
CREATE INDEX IF NOT EXISTS ix_documents_payment_intent ON documents (object, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS ix_documents_status ON documents (object, json_extract(body, '$.status'));

-- `answered_at` is null while the request is in flight.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key         TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status      INTEGER,
    body        TEXT,
    started_at  INTEGER NOT NULL,
    answered_at INTEGER
) WITHOUT ROWID;
