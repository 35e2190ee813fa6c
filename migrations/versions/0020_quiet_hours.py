"""When marketing may reach a phone: what a number's first digits say, and the hours allowed there.

Locks: `message_runs` briefly, for a column with a constant default that rewrites nothing.
"""

from __future__ import annotations

import csv
from pathlib import Path

from alembic import op
from sqlalchemy import text
from tenancy import grant

revision = "0020"
down_revision = "0019"

AREAS = Path(__file__).parent.parent / "calling_areas.csv"

# No tenant: the law is the same for every shop. A newer version of the windows replaces all of the older one.
TABLES = """
ALTER TABLE message_runs ADD COLUMN kind text NOT NULL DEFAULT 'marketing'
  CONSTRAINT ck_message_runs_kind CHECK (kind IN ('marketing', 'transactional'));
UPDATE message_runs SET kind = 'transactional' WHERE source IN ('test', 'service');

CREATE TABLE calling_areas (
  prefix text CONSTRAINT pk_calling_areas PRIMARY KEY,
  country text NOT NULL,
  state text NOT NULL DEFAULT '',
  timezones text[] NOT NULL CONSTRAINT ck_calling_areas_timezones CHECK (cardinality(timezones) > 0)
);
CREATE TABLE sending_windows (
  version integer NOT NULL,
  country text NOT NULL,
  state text NOT NULL DEFAULT '',
  weekday smallint NOT NULL CONSTRAINT ck_sending_windows_weekday CHECK (weekday BETWEEN 1 AND 7),
  opens time NOT NULL,
  closes time NOT NULL,
  CONSTRAINT pk_sending_windows PRIMARY KEY (version, country, state, weekday, opens),
  CONSTRAINT ck_sending_windows_order CHECK (opens < closes)
);
"""

# The state's own rule, else the country's, else everybody's ('*'). Where a number's digits leave the time
# zone open it must be allowed in each: too late in one place is too late.
FUNCTIONS = """
CREATE FUNCTION sending_is_open(area calling_areas, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
  WITH current AS (SELECT max(version) AS version FROM sending_windows),
  rule AS (
    SELECT w.country, w.state FROM sending_windows w, current
    WHERE w.version = current.version
      AND (w.country, w.state) IN ((area.country, area.state), (area.country, ''), ('*', ''))
    ORDER BY w.country = '*', w.state = '' LIMIT 1)
  SELECT bool_and(EXISTS (
    SELECT FROM sending_windows w, current, rule
    WHERE w.version = current.version AND w.country = rule.country AND w.state = rule.state
      AND w.weekday = extract(isodow FROM at AT TIME ZONE zone)
      AND (at AT TIME ZONE zone)::time >= w.opens AND (at AT TIME ZONE zone)::time < w.closes))
  FROM unnest(area.timezones) AS zone
$$;

-- `at` itself while the area is open, else the next quarter of an hour that is; null when none is in 8 days.
-- A number that no area begins is nowhere: it is judged as everybody, in UTC.
CREATE FUNCTION sending_opens_at(phone text, at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
  area calling_areas;
  moment timestamptz := at;
BEGIN
  SELECT a.* INTO area FROM calling_areas a
  WHERE a.prefix IN (substr(phone, 2, 4), substr(phone, 2, 3), substr(phone, 2, 2), substr(phone, 2, 1))
  ORDER BY length(a.prefix) DESC LIMIT 1;
  IF NOT FOUND THEN
    area := ROW('', '', '', ARRAY['UTC'])::calling_areas;
  END IF;
  FOR quarter IN 0..768 LOOP
    IF sending_is_open(area, moment) THEN
      RETURN moment;
    END IF;
    moment := date_bin('15 minutes', at, 'epoch') + (quarter + 1) * interval '15 minutes';
  END LOOP;
  RETURN NULL;
END $$;
"""

# Sources: 47 CFR 64.1200(c)(1) and the states' own laws; where they disagree or are unknown, the hours inside
# all of them. Elsewhere 9 to 20, in France not on Sundays. Weekdays count from Monday, 1.
EVERY_DAY, NOT_SUNDAY = range(1, 8), range(1, 7)
WINDOWS: tuple[tuple[str, str, range, str, str], ...] = (
    ("*", "", EVERY_DAY, "09:00", "20:00"),
    ("FR", "", NOT_SUNDAY, "10:00", "20:00"),
    ("US", "", EVERY_DAY, "11:00", "20:00"),
    *(("US", state, EVERY_DAY, "08:00", "20:00") for state in ("FL", "OK", "WA", "MD", "NJ", "MA")),
    *(("US", state, NOT_SUNDAY, "08:00", "20:00") for state in ("MS", "LA", "AL")),
    *(("US", state, EVERY_DAY, "09:00", "20:00") for state in ("CT", "NV")),
    *(("US", state, EVERY_DAY, "09:00", "21:00") for state in ("MI", "MN", "NM")),
    ("US", "KY", EVERY_DAY, "10:00", "21:00"),
    ("US", "TX", NOT_SUNDAY, "09:00", "21:00"),
    ("US", "TX", range(7, 8), "12:00", "21:00"),
    ("US", "RI", range(1, 6), "09:00", "18:00"),
    ("US", "RI", range(6, 8), "10:00", "17:00"),
)
NEW_AREA = text("""
    INSERT INTO calling_areas VALUES (:prefix, :country, :state, string_to_array(:timezones, ' '))""")
NEW_WINDOW = text("INSERT INTO sending_windows VALUES (1, :country, :state, :weekday, :opens, :closes)")


def upgrade() -> None:
    op.execute("SELECT set_config('app.all_shops', 'on', true)")
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    with AREAS.open(encoding="utf-8") as file:
        op.get_bind().execute(NEW_AREA, list(csv.DictReader(file)))
    rows = [
        {"country": country, "state": state, "weekday": weekday, "opens": opens, "closes": closes}
        for country, state, weekdays, opens, closes in WINDOWS
        for weekday in weekdays
    ]
    op.get_bind().execute(NEW_WINDOW, rows)
    grant("calling_areas", privileges="SELECT")
    grant("sending_windows", privileges="SELECT, INSERT, DELETE")


def downgrade() -> None:
    op.execute("DROP FUNCTION sending_opens_at(text, timestamptz)")
    op.execute("DROP FUNCTION sending_is_open(calling_areas, timestamptz)")
    op.execute("DROP TABLE sending_windows, calling_areas")
    op.execute("ALTER TABLE message_runs DROP COLUMN kind")
