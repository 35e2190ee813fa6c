"""Which text an order is counted for, and what that adds up to. Set-based SQL.

It reads the tables of messages and codes as they are, and writes `order_attributions` only.
"""

from __future__ import annotations

from sqlalchemy import text

# The best reason for each order, written down once for each order. In the order of their weight: the last
# click before the order; a code that one person alone was given; a code that a text gave to many, for which
# whoever got that text comes first. Only texts that sell count, so no tests and no confirmations.
ATTRIBUTE = text("""
    WITH taken AS MATERIALIZED (
      SELECT o.shop_id, o.id, o.contact_id, o.placed_at, o.clicked_message_id,
        o.placed_at - make_interval(days => :days) AS since,
        ARRAY(SELECT lower(code) FROM unnest(o.discount_codes) AS code) AS code_keys
      FROM orders o
      WHERE o.shop_id = :shop_id AND o.id = ANY(CAST(:ids AS bigint[])) AND NOT o.is_test
      -- so that nobody gives the order another contact meanwhile
      FOR NO KEY UPDATE),
    touches AS (
      SELECT t.id, 1 AS weight, c.run_id, c.message_id, 'click' AS evidence, c.clicked_at AS at
      FROM taken t JOIN click_events c ON c.shop_id = t.shop_id AND c.contact_id = t.contact_id
        AND c.clicked_at > t.since AND c.clicked_at <= t.placed_at
      UNION ALL
      -- the buyer's way to the shop names the message, whoever the order is from
      SELECT t.id, 1, m.run_id, m.id, 'click', coalesce(c.clicked_at, m.sent_at)
      FROM taken t JOIN messages m ON m.shop_id = t.shop_id AND m.id = t.clicked_message_id
      LEFT JOIN LATERAL (
        SELECT max(clicked_at) AS clicked_at FROM click_events
        WHERE message_id = m.id AND clicked_at <= t.placed_at) c ON true
      WHERE coalesce(c.clicked_at, m.sent_at) > t.since AND coalesce(c.clicked_at, m.sent_at) <= t.placed_at
      UNION ALL
      SELECT t.id, 2, d.run_id, d.message_id, 'code', coalesce(m.sent_at, m.created_at)
      FROM taken t JOIN discount_codes d ON d.shop_id = t.shop_id
        AND d.code = ANY(ARRAY(SELECT upper(key) FROM unnest(t.code_keys) AS key))
      JOIN messages m ON m.shop_id = t.shop_id AND m.id = d.message_id
      WHERE coalesce(m.sent_at, m.created_at) > t.since AND coalesce(m.sent_at, m.created_at) <= t.placed_at
      UNION ALL
      SELECT t.id, 3, r.run_id, m.id, 'code', coalesce(m.at, r.given_at)
      FROM taken t JOIN run_codes r ON r.shop_id = t.shop_id AND r.code_key = ANY(t.code_keys)
      LEFT JOIN contacts c ON c.shop_id = t.shop_id AND c.id = t.contact_id
      LEFT JOIN LATERAL (
        SELECT id, coalesce(sent_at, created_at) AS at FROM messages
        WHERE phone = c.phone AND run_id = r.run_id AND shop_id = t.shop_id
          AND state NOT IN ('skipped', 'failed', 'not_sent')
          AND coalesce(sent_at, created_at) > t.since AND coalesce(sent_at, created_at) <= t.placed_at
        ORDER BY id DESC LIMIT 1) m ON true
      WHERE m.id IS NOT NULL OR (r.given_at > t.since AND r.given_at <= t.placed_at))
    INSERT INTO order_attributions AS a
      (order_id, shop_id, run_id, message_id, source, source_id, evidence, at)
    SELECT DISTINCT ON (t.id) t.id, r.shop_id, r.id, t.message_id, r.source, r.source_id, t.evidence, t.at
    FROM touches t JOIN message_runs r ON r.shop_id = :shop_id AND r.id = t.run_id
    WHERE r.source IN ('campaign', 'automation')
    ORDER BY t.id, t.weight, t.message_id IS NULL, t.at DESC, t.message_id DESC, r.id DESC
    ON CONFLICT (order_id) DO UPDATE SET run_id = excluded.run_id, message_id = excluded.message_id,
      source = excluded.source, source_id = excluded.source_id, evidence = excluded.evidence,
      at = excluded.at, decided_at = now()
    WHERE (a.run_id, a.message_id, a.evidence, a.at)
      IS DISTINCT FROM (excluded.run_id, excluded.message_id, excluded.evidence, excluded.at)
    RETURNING a.order_id""")

FORGET = text("DELETE FROM order_attributions WHERE shop_id = :shop_id AND order_id = :order_id")

SHOPS_WITH_NEW_ORDERS = text("SELECT DISTINCT shop_id FROM orders WHERE created_at > :since ORDER BY shop_id")
NEW_ORDERS = text("""
    SELECT id FROM orders WHERE shop_id = :shop_id AND created_at > :since AND id > :after
    ORDER BY id LIMIT :most""")

# What is left of an order: nothing of a cancelled one, else what was not paid back. The sums of `source`
# 'none' are those of no text, so all rows of a currency together are what the shop has sold.
REVENUE = text("""
    SELECT o.currency, coalesce(a.source, 'none') AS source, a.source_id, count(*) AS orders,
      sum(greatest(o.total_cents - o.refunded_cents, 0))::bigint AS cents
    FROM orders o LEFT JOIN order_attributions a ON a.shop_id = o.shop_id AND a.order_id = o.id
    WHERE o.shop_id = :shop_id AND o.placed_at >= :starts_at AND o.placed_at < :ends_at
      AND o.cancelled_at IS NULL AND NOT o.is_test
    GROUP BY 1, 2, 3
    ORDER BY o.currency, cents DESC, source, a.source_id""")

CONVERSIONS = text("""
    SELECT count(*) FROM order_attributions a JOIN orders o ON o.shop_id = a.shop_id AND o.id = a.order_id
    WHERE a.shop_id = :shop_id AND a.run_id = :run_id AND o.cancelled_at IS NULL""")
