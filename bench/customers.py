"""A shop's customers as they really are: common names and mail hosts, tags, consents, orders, birthdays."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine

from bench.indexes import without_indexes

AT_ONCE = 100_000

# Every property has dice of its own, numbered by their seeds, thrown from the customer's number: the same
# customers in every run. Names are as unevenly spread as real ones: the first of a list is the commonest.
ADD_CUSTOMERS = text("""
    INSERT INTO contacts (shop_id, phone, region, first_name, last_name, email, gender, birth_date, tags,
      consent, consent_at, consent_source, unsubscribed_at, orders_count, first_order_at, last_order_at,
      created_at, updated_at)
    SELECT :shop_id, '+3069' || lpad((n * 7919 % 100000000)::text, 8, '0'), 'GR', first_name, last_name,
      CASE WHEN has_email < 88 THEN lower(mail_first || '.' || mail_last) || n || '@' || mail_host END,
      CASE WHEN has_gender < 80 THEN CASE WHEN is_woman THEN 'female' ELSE 'male' END END,
      CASE WHEN has_birthday < 55 THEN DATE '1950-01-01' + age_days END,
      CASE WHEN tagged < 5 THEN '{vip}' WHEN tagged < 30 THEN '{newsletter}' WHEN tagged < 38
        THEN '{newsletter,loyalty}' WHEN tagged < 39 THEN '{wholesale}' ELSE '{}' END::text[],
      consent, CASE WHEN consent <> 'unknown' THEN since END,
      CASE WHEN consent <> 'unknown' THEN (ARRAY['import', 'opt_in_form', 'shopify', 'manual'])[source] END,
      CASE WHEN consent = 'opted_out' THEN since + (now() - since) * gone END,
      orders, CASE WHEN orders > 0 THEN since END,
      CASE WHEN orders > 0 THEN since + (now() - since) * gone END,
      since, since + (now() - since) * gone
    FROM (
      SELECT n, dice[1] % 100 AS has_email, dice[2] % 100 AS has_gender, dice[3] % 100 AS has_birthday,
        dice[4] % 20000 AS age_days, dice[5] % 100 AS tagged, 1 + least(dice[6] % 6, 3) AS source,
        CASE WHEN dice[7] % 100 < 78 THEN 'opted_in' WHEN dice[7] % 100 < 88 THEN 'opted_out'
          ELSE 'unknown' END AS consent,
        greatest(dice[8] % 12 - 6, 0) AS orders, (dice[9] % 1000) / 1000.0 AS gone, is_woman,
        (CASE WHEN is_woman THEN women ELSE men END)[name_no] AS first_name,
        (CASE WHEN is_woman THEN latin_women ELSE latin_men END)[name_no] AS mail_first,
        surnames[surname_no] AS last_name, latin_surnames[surname_no] AS mail_last,
        (ARRAY['gmail.com', 'yahoo.gr', 'hotmail.com', 'outlook.com', 'otenet.gr'])[
          1 + least(dice[12] % 12, 9) / 2 * (dice[12] % 12 / 6)] AS mail_host,
        -- Half came with files of a thousand rows each, all at one moment.
        now() - interval '1 day' * (1000.0 * (:size - CASE WHEN n / 1000 % 2 = 0 THEN n / 1000 * 1000
          ELSE n END) / :size) AS since
      FROM (
        SELECT *, dice[13] % 2 = 0 AS is_woman, 1 + least(dice[10] % 8, dice[11] % 8) AS name_no,
          1 + least(dice[14] % 16, dice[15] % 16) AS surname_no
        FROM (
          SELECT n, ARRAY(SELECT (hashint8extended(n, seed) & 1048575)::int FROM generate_series(1, 15) seed)
            AS dice
          FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n) AS thrown) AS named,
      (VALUES (
        ARRAY['Μαρία', 'Ελένη', 'Κατερίνα', 'Βασιλική', 'Σοφία', 'Anna', 'Ιωάννα', 'Zoe'],
        ARRAY['Maria', 'Eleni', 'Katerina', 'Vasiliki', 'Sofia', 'Anna', 'Ioanna', 'Zoe'],
        ARRAY['Γιώργος', 'Δημήτρης', 'Κώστας', 'Νίκος', 'Παναγιώτης', 'Alexander', 'Θανάσης', 'Ορφέας'],
        ARRAY['Giorgos', 'Dimitris', 'Kostas', 'Nikos', 'Panagiotis', 'Alexander', 'Thanasis', 'Orfeas'],
        ARRAY['Παπαδόπουλος', 'Βλάχος', 'Παππάς', 'Οικονόμου', 'Γεωργίου', 'Δημητρίου', 'Αθανασίου',
          'Νικολάου', 'Μακρής', 'Σαμαράς', 'Κυριακίδης', 'Φωτίου', 'Τσιόλης', 'Ζώης', 'Ξενάκης', 'Ψαρράς'],
        ARRAY['Papadopoulos', 'Vlachos', 'Pappas', 'Oikonomou', 'Georgiou', 'Dimitriou', 'Athanasiou',
          'Nikolaou', 'Makris', 'Samaras', 'Kyriakidis', 'Fotiou', 'Tsiolis', 'Zois', 'Xenakis', 'Psarras']
      )) AS names (women, latin_women, men, latin_men, surnames, latin_surnames)) AS people""")

SUPPRESS = text("""
    INSERT INTO suppressions (shop_id, phone, source, created_at)
    SELECT shop_id, phone, 'unsubscribe_link', unsubscribed_at FROM contacts
    WHERE shop_id = :shop_id AND consent = 'opted_out'
    ON CONFLICT DO NOTHING""")
EVIDENCE = text("""
    INSERT INTO consent_events (shop_id, contact_id, phone, action, source, wording, at)
    SELECT shop_id, id, phone, 'grant', consent_source, 'I agree to get offers by SMS', consent_at
    FROM contacts WHERE shop_id = :shop_id AND consent <> 'unknown'
    UNION ALL
    SELECT shop_id, id, phone, 'withdraw', 'unsubscribe_link', NULL, unsubscribed_at
    FROM contacts WHERE shop_id = :shop_id AND consent = 'opted_out'""")

# One segment that is a list, and one that is a rule.
SEGMENTS = text("""
    WITH made AS (
      INSERT INTO segments (shop_id, name, kind, rule) VALUES (:shop_id, 'Regulars', 'custom', NULL),
        (:shop_id, 'Has bought', 'custom', CAST(:rule AS jsonb))
      RETURNING id, name)
    INSERT INTO segment_members (shop_id, segment_id, contact_id)
    SELECT :shop_id, (SELECT id FROM made WHERE name = 'Regulars'), id FROM contacts
    WHERE shop_id = :shop_id AND orders_count > 4""")
HAS_BOUGHT = '{"all": [{"field": "hasPurchased", "op": "is", "value": true}]}'


def add_customers(owner: Engine, shop_id: int, size: int) -> None:
    """Give the shop `size` customers with their consents. Triggers write their words and counts."""
    with owner.connect() as connection:
        # The words of a million are indexed at once: one by one would take three times as long.
        with without_indexes(connection, "contact_words", "contacts"):
            for first in range(1, size + 1, AT_ONCE):
                last = min(first + AT_ONCE - 1, size)
                given = {"shop_id": shop_id, "first": first, "last": last, "size": size}
                connection.execute(ADD_CUSTOMERS, given)
        _add_consents(connection, shop_id)
        for table in ("contacts", "contact_words", "contact_counts", "suppressions", "segment_members"):
            connection.exec_driver_sql(f"VACUUM ANALYZE {table}")


def _add_consents(connection: Connection, shop_id: int) -> None:
    connection.execute(SUPPRESS, {"shop_id": shop_id})
    connection.execute(EVIDENCE, {"shop_id": shop_id})
    connection.execute(SEGMENTS, {"shop_id": shop_id, "rule": HAS_BOUGHT})
