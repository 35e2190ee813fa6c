"""How many may be texted, by gender and birth date; the failed messages of a run by their index alone.

Locks: `contacts` briefly, for triggers; `messages` against writes while a small index is built. Backfills in
one statement.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0013"
down_revision = "0012"

TABLE = """
CREATE TABLE audience_counts (
  shop_id bigint NOT NULL,
  gender text,
  birth_date date,
  n integer NOT NULL,
  CONSTRAINT uq_audience_counts_shop_id_gender_birth_date UNIQUE NULLS NOT DISTINCT
    (shop_id, gender, birth_date)
) WITH (fillfactor = 50);
"""

# Whoever changes many contacts holds the shop's turn (ADR 17), and the rows are locked in the order of their
# key. A row whose last contact leaves stays, with a zero.
TRIGGERS = """
CREATE FUNCTION contacts_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO audience_counts AS c (shop_id, gender, birth_date, n)
    SELECT shop_id, gender, birth_date, count(*) FROM after_rows WHERE consent = 'opted_in'
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (shop_id, gender, birth_date) DO UPDATE SET n = c.n + excluded.n;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO audience_counts AS c (shop_id, gender, birth_date, n)
    SELECT shop_id, gender, birth_date, -count(*) FROM before_rows WHERE consent = 'opted_in'
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (shop_id, gender, birth_date) DO UPDATE SET n = c.n + excluded.n;
  ELSE
    INSERT INTO audience_counts AS c (shop_id, gender, birth_date, n)
    SELECT shop_id, gender, birth_date, sum(moved)
    FROM (SELECT shop_id, gender, birth_date, 1 AS moved FROM after_rows WHERE consent = 'opted_in'
          UNION ALL
          SELECT shop_id, gender, birth_date, -1 FROM before_rows WHERE consent = 'opted_in') AS moves
    GROUP BY 1, 2, 3 HAVING sum(moved) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (shop_id, gender, birth_date) DO UPDATE SET n = c.n + excluded.n;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER contacts_counted_added AFTER INSERT ON contacts REFERENCING NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION contacts_counted();
CREATE TRIGGER contacts_counted_changed AFTER UPDATE ON contacts
  REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION contacts_counted();
CREATE TRIGGER contacts_counted_removed AFTER DELETE ON contacts REFERENCING OLD TABLE AS before_rows
  FOR EACH STATEMENT EXECUTE FUNCTION contacts_counted();
"""

BACKFILL = """
SELECT set_config('app.all_shops', 'on', true);
INSERT INTO audience_counts (shop_id, gender, birth_date, n)
SELECT shop_id, gender, birth_date, count(*) FROM contacts WHERE consent = 'opted_in' GROUP BY 1, 2, 3;
SELECT set_config('app.all_shops', 'off', true);
"""


FAILED = """
DROP INDEX ix_messages_failed;
CREATE INDEX ix_messages_failed ON messages (run_id, id) {including}WHERE state IN ('failed', 'undelivered',
  'not_sent', 'skipped')
"""


def upgrade() -> None:
    op.execute(TABLE)
    protect("audience_counts")
    grant("audience_counts", privileges="SELECT, INSERT, UPDATE")
    op.execute(BACKFILL)
    op.execute(TRIGGERS)
    op.execute(FAILED.format(including="INCLUDE (shop_id, state) "))


def downgrade() -> None:
    op.execute(FAILED.format(including=""))
    for moment in ("added", "changed", "removed"):
        op.execute(f"DROP TRIGGER contacts_counted_{moment} ON contacts")
    op.execute("DROP FUNCTION contacts_counted")
    op.execute("DROP TABLE audience_counts")
