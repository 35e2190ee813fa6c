"""Contacts to text: every third has a Greek name, which costs more parts."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.engine import Engine

# Each shop has its own numbers; a real list has no order, so neither has this one (7,919 is prime).
ADD_CONTACTS = text("""
    INSERT INTO contacts (shop_id, phone, region, first_name, last_name, email, gender, consent, consent_at,
                          consent_source)
    SELECT :shop_id, '+3069' || lpad(((n::bigint * 7919) % 100000000)::text, 8, '0'), 'GR',
           CASE n % 3 WHEN 0 THEN (ARRAY['Ελένη', 'Γιώργος', 'Αλέξανδρος'])[1 + n / 3 % 3]
                      ELSE (ARRAY['Maria', 'Nikos', 'Konstantinos'])[1 + n / 3 % 3] END,
           'Papadopoulos', 'person-' || n || '@example.com', CASE n % 2 WHEN 0 THEN 'male' ELSE 'female' END,
           'opted_in', now(), 'bench'
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n""")
AT_ONCE = 100_000


def add_contacts(owner: Engine, shop_id: int, size: int) -> None:
    """Give the shop `size` contacts who have all opted in."""
    with owner.connect() as connection:
        for first in range(1, size + 1, AT_ONCE):
            last = min(first + AT_ONCE - 1, size)
            connection.execute(ADD_CONTACTS, {"shop_id": shop_id, "first": first, "last": last})
        connection.exec_driver_sql("VACUUM ANALYZE contacts")
