"""Finding contacts among millions: their words under a trigram index, how many there are, and sort orders.

Locks: `contacts` against writes while five indexes are built. Backfills in two statements.

Without pg_trgm (the role may not create it, or the server lacks it) everything works, but searching reads
all words of the shop. `CREATE EXTENSION pg_trgm` and the statement in TRIGRAM_INDEX make up for it later.
"""

from __future__ import annotations

from alembic import op
from tenancy import grant, protect

revision = "0011"
down_revision = "0010"

TABLES = r"""
CREATE TABLE contact_words (
  shop_id bigint NOT NULL,
  contact_id bigint NOT NULL,
  words text NOT NULL,
  CONSTRAINT pk_contact_words PRIMARY KEY (shop_id, contact_id)
);
CREATE TABLE contact_counts (
  shop_id bigint NOT NULL,
  consent text NOT NULL,
  gender text NOT NULL,
  has_birth_date boolean NOT NULL,
  has_purchased boolean NOT NULL,
  n integer NOT NULL,
  CONSTRAINT pk_contact_counts PRIMARY KEY (shop_id, consent, gender, has_birth_date, has_purchased)
) WITH (fillfactor = 50);

CREATE FUNCTION contact_text(phone text, first_name text, last_name text, email text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT phone || E'\n' || lower(coalesce(first_name, '') || ' ' || coalesce(last_name, '')) || E'\n'
    || coalesce(email, '')
$$;
-- Each tag stands between unit separators, which no tag can contain.
CREATE FUNCTION contact_tags_text(tags text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN tags = '{}' THEN '' ELSE E'\x1f' || lower(array_to_string(tags, E'\x1f')) || E'\x1f' END
$$;
"""

# What a policy asks may use an index; what a query asks behind a policy may not, unless its operator is
# leakproof, and no text search is (ADR 19). So the search is a policy of its own: it can only take rows away.
# Unset, it takes none. Not a sub-select: then the planner would not know what is looked for.
SEARCH_POLICY = """
CREATE POLICY looked_for ON contact_words AS RESTRICTIVE FOR SELECT
USING (words LIKE coalesce(nullif(current_setting('app.contact_words', true), ''), '%'))
"""

TRIGRAM_EXTENSION = """
DO $$ BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
  RAISE WARNING 'pg_trgm cannot be created (%): searching contacts will read every row of the shop', SQLERRM;
END $$
"""
TRIGRAM_INDEX = """
DO $$ BEGIN
  IF EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') THEN
    CREATE INDEX ix_contact_words_words ON contact_words USING gin (words gin_trgm_ops)
      WITH (gin_pending_list_limit = 1024);
  END IF;
END $$
"""

# A statement counts once, however many rows it has. Who changes many contacts holds the shop's turn
# (ADR 17), so the few rows of a shop are not fought over; they are locked in the order of their key.
TRIGGERS = """
CREATE FUNCTION contacts_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO contact_words (shop_id, contact_id, words)
  SELECT shop_id, id, contact_text(phone, first_name, last_name, email) || contact_tags_text(tags)
  FROM after_rows
  ON CONFLICT ON CONSTRAINT pk_contact_words DO UPDATE SET words = excluded.words;
  INSERT INTO contact_counts AS c (shop_id, consent, gender, has_birth_date, has_purchased, n)
  SELECT shop_id, consent, coalesce(gender, ''), birth_date IS NOT NULL, orders_count > 0, count(*)
  FROM after_rows GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT ON CONSTRAINT pk_contact_counts DO UPDATE SET n = c.n + excluded.n;
  RETURN NULL;
END $$;

CREATE FUNCTION contacts_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE contact_words AS w
  SET words = contact_text(a.phone, a.first_name, a.last_name, a.email) || contact_tags_text(a.tags)
  FROM after_rows a JOIN before_rows b ON b.id = a.id
  WHERE w.shop_id = a.shop_id AND w.contact_id = a.id
    AND (a.phone, a.first_name, a.last_name, a.email, a.tags)
      IS DISTINCT FROM (b.phone, b.first_name, b.last_name, b.email, b.tags);
  INSERT INTO contact_counts AS c (shop_id, consent, gender, has_birth_date, has_purchased, n)
  SELECT shop_id, consent, coalesce(gender, ''), birth_date IS NOT NULL, orders_count > 0, sum(moved)
  FROM (SELECT shop_id, consent, gender, birth_date, orders_count, 1 AS moved FROM after_rows
        UNION ALL
        SELECT shop_id, consent, gender, birth_date, orders_count, -1 FROM before_rows) AS moves
  GROUP BY 1, 2, 3, 4, 5 HAVING sum(moved) <> 0 ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT ON CONSTRAINT pk_contact_counts DO UPDATE SET n = c.n + excluded.n;
  RETURN NULL;
END $$;

CREATE FUNCTION contacts_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM contact_words AS w USING before_rows b WHERE w.shop_id = b.shop_id AND w.contact_id = b.id;
  INSERT INTO contact_counts AS c (shop_id, consent, gender, has_birth_date, has_purchased, n)
  SELECT shop_id, consent, coalesce(gender, ''), birth_date IS NOT NULL, orders_count > 0, -count(*)
  FROM before_rows GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
  ON CONFLICT ON CONSTRAINT pk_contact_counts DO UPDATE SET n = c.n + excluded.n;
  RETURN NULL;
END $$;

CREATE TRIGGER contacts_added AFTER INSERT ON contacts REFERENCING NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION contacts_added();
CREATE TRIGGER contacts_changed AFTER UPDATE ON contacts
  REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
  FOR EACH STATEMENT EXECUTE FUNCTION contacts_changed();
CREATE TRIGGER contacts_removed AFTER DELETE ON contacts REFERENCING OLD TABLE AS before_rows
  FOR EACH STATEMENT EXECUTE FUNCTION contacts_removed();
"""

BACKFILL = """
SELECT set_config('app.all_shops', 'on', true);
INSERT INTO contact_words (shop_id, contact_id, words)
SELECT shop_id, id, contact_text(phone, first_name, last_name, email) || contact_tags_text(tags)
FROM contacts;
INSERT INTO contact_counts (shop_id, consent, gender, has_birth_date, has_purchased, n)
SELECT shop_id, consent, coalesce(gender, ''), birth_date IS NOT NULL, orders_count > 0, count(*)
FROM contacts GROUP BY 1, 2, 3, 4, 5;
SELECT set_config('app.all_shops', 'off', true);
"""

# One per sort order, read in both directions; the rows without a value are one range of their own.
INDEXES = """
CREATE INDEX ix_contacts_shop_id_updated_at_id ON contacts (shop_id, updated_at, id);
CREATE INDEX ix_contacts_shop_id_first_name_id ON contacts (shop_id, first_name, id);
CREATE INDEX ix_contacts_shop_id_last_name_id ON contacts (shop_id, last_name, id);
CREATE INDEX ix_contacts_shop_id_birth_date_id ON contacts (shop_id, birth_date, id);
DROP INDEX ix_contacts_birth_date;
CREATE INDEX ix_contacts_last_order_at ON contacts (shop_id, last_order_at) WHERE last_order_at IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(TABLES)
    protect("contact_words")
    protect("contact_counts")
    op.get_bind().exec_driver_sql(SEARCH_POLICY.replace("%", "%%"))
    grant("contact_words")
    grant("contact_counts", privileges="SELECT, INSERT, UPDATE")
    op.execute(BACKFILL)
    op.execute(TRIGRAM_EXTENSION)
    op.execute(TRIGRAM_INDEX)
    op.execute(TRIGGERS)
    op.execute(INDEXES)


def downgrade() -> None:
    op.execute(
        "CREATE INDEX ix_contacts_birth_date ON contacts (shop_id, birth_date) WHERE birth_date IS NOT NULL"
    )
    op.execute(
        "DROP INDEX ix_contacts_last_order_at, ix_contacts_shop_id_birth_date_id,"
        " ix_contacts_shop_id_last_name_id, ix_contacts_shop_id_first_name_id,"
        " ix_contacts_shop_id_updated_at_id"
    )
    for moment in ("added", "changed", "removed"):
        op.execute(f"DROP TRIGGER contacts_{moment} ON contacts")
        op.execute(f"DROP FUNCTION contacts_{moment}")
    op.execute("DROP TABLE contact_counts, contact_words")
    op.execute("DROP FUNCTION contact_tags_text, contact_text")
