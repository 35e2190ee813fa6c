"""What happened to each run's messages in each quarter of an hour, and where a run's messages begin.

Locks: `message_runs` and `credit_holds` briefly, for the triggers and a column that rewrites nothing;
`contacts` and `ledger_transfers` against writes while two small indexes are built. The backfill reads runs
and holds, never messages.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0012"
down_revision = "0011"

# A quarter of an hour is the largest bucket that the days of every time zone are made of.
# fillfactor: every batch updates the row of its run in place; no index knows what it changes.
TABLE = """
CREATE TABLE run_quarters (
  shop_id bigint NOT NULL,
  quarter_at timestamptz NOT NULL,
  run_id bigint NOT NULL,
  source text NOT NULL,
  source_id bigint NOT NULL,
  sent integer NOT NULL DEFAULT 0,
  delivered integer NOT NULL DEFAULT 0,
  failed integer NOT NULL DEFAULT 0,
  credits bigint NOT NULL DEFAULT 0,
  CONSTRAINT pk_run_quarters PRIMARY KEY (shop_id, quarter_at, run_id),
  FOREIGN KEY (shop_id, run_id) REFERENCES message_runs (shop_id, id)
) WITH (fillfactor = 50);
"""

# The row of a run is only touched by who holds the lock on the run, so no new way to wait arises.
COUNT_MESSAGES = """
CREATE FUNCTION count_run_quarter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO run_quarters AS q
    (shop_id, quarter_at, run_id, source, source_id, sent, delivered, failed)
  VALUES (NEW.shop_id, date_bin('15 minutes', now(), 'epoch'), NEW.id, NEW.source, NEW.source_id,
    NEW.sent + NEW.delivered + NEW.undelivered - OLD.sent - OLD.delivered - OLD.undelivered,
    NEW.delivered - OLD.delivered,
    NEW.undelivered + NEW.failed + NEW.not_sent - OLD.undelivered - OLD.failed - OLD.not_sent)
  ON CONFLICT (shop_id, quarter_at, run_id) DO UPDATE SET sent = q.sent + excluded.sent,
    delivered = q.delivered + excluded.delivered, failed = q.failed + excluded.failed;
  RETURN NULL;
END $$;
CREATE TRIGGER message_runs_count_quarter AFTER UPDATE OF sent, delivered, undelivered, failed, not_sent
  ON message_runs FOR EACH ROW
  WHEN ((NEW.sent, NEW.delivered, NEW.undelivered, NEW.failed, NEW.not_sent)
    IS DISTINCT FROM (OLD.sent, OLD.delivered, OLD.undelivered, OLD.failed, OLD.not_sent))
  EXECUTE FUNCTION count_run_quarter();
"""

# What a run spends is counted after its messages were, in the same transaction: the row is there already.
COUNT_CREDITS = """
CREATE FUNCTION count_run_credits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  spent bigint := NEW.allowance_spent + NEW.wallet_spent - OLD.allowance_spent - OLD.wallet_spent;
  quarter timestamptz := date_bin('15 minutes', now(), 'epoch');
BEGIN
  UPDATE run_quarters SET credits = credits + spent
  WHERE shop_id = NEW.shop_id AND quarter_at = quarter AND run_id = NEW.run_id;
  IF NOT FOUND THEN
    INSERT INTO run_quarters AS q (shop_id, quarter_at, run_id, source, source_id, credits)
    SELECT shop_id, quarter, id, source, source_id, spent FROM message_runs
    WHERE shop_id = NEW.shop_id AND id = NEW.run_id
    ON CONFLICT (shop_id, quarter_at, run_id) DO UPDATE SET credits = q.credits + excluded.credits;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER credit_holds_count_quarter AFTER UPDATE OF allowance_spent, wallet_spent
  ON credit_holds FOR EACH ROW
  WHEN (NEW.allowance_spent + NEW.wallet_spent <> OLD.allowance_spent + OLD.wallet_spent)
  EXECUTE FUNCTION count_run_credits();
"""

# Runs from before are counted where they began.
BACKFILL = """
SELECT set_config('app.all_shops', 'on', true);
INSERT INTO run_quarters (shop_id, quarter_at, run_id, source, source_id, sent, delivered, failed, credits)
SELECT r.shop_id, date_bin('15 minutes', r.created_at, 'epoch'), r.id, r.source, r.source_id,
  r.sent + r.delivered + r.undelivered, r.delivered, r.undelivered + r.failed + r.not_sent,
  coalesce(h.allowance_spent + h.wallet_spent, 0)
FROM message_runs r LEFT JOIN credit_holds h ON h.shop_id = r.shop_id AND h.run_id = r.id
WHERE r.sent + r.delivered + r.undelivered + r.failed + r.not_sent > 0;
SELECT set_config('app.all_shops', 'off', true);
"""

# Every message of a run has a larger id than the largest one when the run was made: the sequence only grows
# and caches nothing. So a page of a run starts there, and `messages` needs no index by run for it.
# The column comes without its default first, or old runs would be told today's number.
AFTER_MESSAGE = """
ALTER TABLE message_runs ADD COLUMN after_message_id bigint;
ALTER TABLE message_runs ALTER COLUMN after_message_id
  SET DEFAULT pg_sequence_last_value('messages_id_seq'::regclass);
"""

# Both hold few rows: purchases are rare, and most contacts never leave.
INDEXES = """
CREATE INDEX ix_ledger_transfers_purchases ON ledger_transfers (shop_id, created_at) WHERE kind = 'purchase';
CREATE INDEX ix_contacts_unsubscribed_at ON contacts (shop_id, unsubscribed_at)
  WHERE unsubscribed_at IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(TABLE)
    protect("run_quarters")
    grant("run_quarters", privileges="SELECT, INSERT, UPDATE")
    grant("messages_id_seq", privileges="SELECT")
    op.execute(COUNT_MESSAGES)
    op.execute(COUNT_CREDITS)
    op.execute(BACKFILL)
    op.execute(AFTER_MESSAGE)
    op.execute(INDEXES)


def downgrade() -> None:
    op.execute("DROP INDEX ix_contacts_unsubscribed_at, ix_ledger_transfers_purchases")
    op.execute("ALTER TABLE message_runs DROP COLUMN after_message_id")
    op.execute("DROP TRIGGER credit_holds_count_quarter ON credit_holds")
    op.execute("DROP TRIGGER message_runs_count_quarter ON message_runs")
    op.execute("DROP FUNCTION count_run_credits, count_run_quarter")
    op.execute("DROP TABLE run_quarters")
