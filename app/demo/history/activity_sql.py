"""What the activity log says of the past: the log takes no dates, so its rows are added here."""

from __future__ import annotations

from sqlalchemy import text

IS_FINISHED = text("SELECT EXISTS (SELECT FROM activity WHERE shop_id = :shop_id AND action = 'demo.seeded')")

# 203.0.113.0/24 and 198.51.100.0/24 are networks for documentation: nobody's.
TELL = text("""
    WITH told AS (
      SELECT created_at AS at, 'user' AS actor, 'campaign.created' AS action, 'campaign' AS object, id,
        jsonb_build_object('status', 'draft') AS details
      FROM campaigns WHERE shop_id = :shop_id AND run_id IS NOT NULL
      UNION ALL
      SELECT r.created_at, CASE c.schedule_type WHEN 'recurring' THEN 'system' ELSE 'user' END,
        'campaign.enqueued', 'campaign', c.id, jsonb_build_object('status_before', 'scheduled')
      FROM message_runs r JOIN campaigns c ON c.shop_id = r.shop_id AND c.id = r.source_id
      WHERE r.shop_id = :shop_id AND r.source = 'campaign'
      UNION ALL
      SELECT finished_at, 'user', 'campaign.cancelled', 'campaign', c.id,
        jsonb_build_object('unsent', r.skipped)
      FROM campaigns c JOIN message_runs r ON r.id = c.run_id
      WHERE c.shop_id = :shop_id AND c.status = 'cancelled'
      UNION ALL
      SELECT updated_at, 'user', 'campaign.paused', 'campaign', id, '{}'
      FROM campaigns WHERE shop_id = :shop_id AND status = 'paused'
      UNION ALL
      SELECT created_at, 'user', 'import.started', 'contact_import', id,
        jsonb_build_object('bytes', size_bytes)
      FROM contact_imports WHERE shop_id = :shop_id
      UNION ALL
      SELECT created_at - interval '1 minute', 'user', 'settings.changed', 'settings', NULL,
        jsonb_build_object('changed', jsonb_build_array('sender_name'))
      FROM contact_imports WHERE shop_id = :shop_id)
    INSERT INTO activity (shop_id, at, actor_kind, action, object_kind, object_id, network, details)
    SELECT :shop_id, at, actor, action, object, id,
      CASE actor WHEN 'user' THEN CASE id % 3 WHEN 0 THEN '198.51.100.0/24' ELSE '203.0.113.0/24' END END,
      details
    FROM told WHERE at < now() ORDER BY at""")
