CREATE TABLE IF NOT EXISTS messages (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    is_reply    INTEGER NOT NULL,          -- 1: a person's reply, 0: a text that arrived on the phone
    phone       TEXT NOT NULL,
    sender      TEXT NOT NULL,             -- the shop's sender name or number, also of a reply
    text        TEXT NOT NULL,
    account     TEXT NOT NULL,
    status      TEXT NOT NULL,
    description TEXT,
    created_at  INTEGER NOT NULL,          -- ticks of 100 ns since 1970
    updated_at  INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS ix_messages_phone_seq ON messages (phone, seq);

CREATE TABLE IF NOT EXISTS conversations (
    phone    TEXT PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    read_seq INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS ix_conversations_last_seq ON conversations (last_seq);

CREATE TABLE IF NOT EXISTS webhooks (
    id       TEXT PRIMARY KEY,
    body     TEXT NOT NULL                 -- JSON as registered
);
