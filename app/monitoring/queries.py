"""The state of everything in SQL, across shops. Each sub-select has an index that holds little more than what
it counts.
"""

from __future__ import annotations

from sqlalchemy import text

# A campaign is stuck when nothing has moved for ten minutes although something could: its audience waits to
# be frozen, all is answered and nobody has closed it, or messages wait whose time has come.
STUCK = """
    SELECT c.id FROM campaigns c LEFT JOIN message_runs r ON r.shop_id = c.shop_id AND r.id = c.run_id
    WHERE c.status = 'sending' AND greatest(c.updated_at, r.updated_at) < now() - interval '10 minutes'
      AND (c.frozen_at IS NULL OR r.pending + r.claimed = 0 OR EXISTS (
        SELECT FROM messages m WHERE m.run_id = r.id AND m.state = 'pending'
          AND m.send_after < now() - interval '10 minutes'))"""

GAUGES = text(f"""
    SELECT
      (SELECT coalesce(sum(pending), 0) FROM message_runs WHERE is_open AND pending > 0) AS queue_sms_waiting,
      (SELECT count(*) FROM campaigns WHERE status = 'scheduled' AND schedule_at <= now())
        + (SELECT count(*) FROM campaigns WHERE status = 'sending' AND frozen_at IS NULL)
        AS queue_campaign_waiting,
      (SELECT count(*) FROM automation_entries WHERE status = 'waiting' AND due_at <= now())
        AS queue_automation_waiting,
      (SELECT count(*) FROM ({STUCK}) stuck) AS campaigns_stuck,
      (SELECT count(*) FROM credit_holds WHERE allowance_left + wallet_left > 0)
        AS credit_reservations_active,
      (SELECT count(*) FROM credit_holds WHERE allowance_left + wallet_left > 0 AND expires_at < now())
        AS credit_reservations_expired,
      (SELECT count(*) FROM webhook_inbox WHERE outcome IN ('refused', 'dead'))
        AS webhook_events_failed""")  # noqa: S608
CAMPAIGNS = text("SELECT status, count(*) AS campaigns FROM campaigns GROUP BY status ORDER BY status")
LAST_TICK = text("SELECT extract(epoch FROM now() - max(started_at)) FROM ticks")


# What is wrong now: each gives one row of figures, or none.
SENDING_BEHIND = text("""
    SELECT count(*) AS runs, max(waited)::int AS oldest_seconds
    FROM (SELECT extract(epoch FROM now() - m.send_after) AS waited
          FROM message_runs r CROSS JOIN LATERAL (
            SELECT send_after FROM messages WHERE run_id = r.id AND state = 'pending' ORDER BY id LIMIT 1) m
          WHERE r.is_open AND r.pending > 0 AND r.updated_at < now() - interval '10 minutes') oldest
    WHERE waited > 600 HAVING count(*) > 0""")
CAMPAIGNS_STUCK = text(f"SELECT count(*) AS campaigns FROM ({STUCK}) stuck HAVING count(*) > 0")  # noqa: S608
EVENTS_BEHIND = text("""
    SELECT count(*) AS events, extract(epoch FROM now() - min(available_at))::int AS oldest_seconds
    FROM webhook_inbox WHERE processed_at IS NULL AND available_at < now() - interval '5 minutes'
    HAVING count(*) > 0""")
EVENTS_GIVEN_UP = text("""
    SELECT count(*) AS events FROM webhook_inbox
    WHERE outcome IN ('refused', 'dead') AND processed_at > now() - interval '1 hour' HAVING count(*) > 0""")
PAYMENTS_LEFT = text("""
    SELECT count(*) AS events FROM webhook_inbox
    WHERE provider = 'stripe' AND outcome IN ('unmatched', 'wrong_mode')
      AND processed_at > now() - interval '1 hour' HAVING count(*) > 0""")
UNKNOWNS_RISING = text("""
    SELECT count(*) AS messages FROM messages
    WHERE state = 'unknown' AND updated_at > now() - interval '1 hour' HAVING count(*) >= 100""")
BOOKS = text("""
    SELECT count(*) AS shops
    FROM (SELECT shop_id FROM ledger_accounts GROUP BY shop_id HAVING sum(balance) <> 0) wrong
    HAVING count(*) > 0""")
AUDIT_MISSING = text("""
    SELECT extract(epoch FROM now() - max(finished_at))::int / 3600 AS hours_since_the_last
    FROM ticks WHERE task = 'audit.nightly'
    HAVING min(started_at) < now() - interval '1 hour'
      AND coalesce(max(finished_at), '-infinity') < now() - interval '26 hours'""")
TASKS_FAILING = text("""
    SELECT count(DISTINCT task) AS tasks, count(*) AS periods FROM ticks
    WHERE finished_at IS NULL AND task NOT LIKE 'alert.%'
      AND started_at BETWEEN now() - interval '2 hours' AND now() - interval '15 minutes'
    HAVING count(*) > 0""")
# The last five hundred calls, by id: what a pause of the provider looks like from here.
CALLS_FAILING = text("""
    SELECT count(*) FILTER (WHERE outcome <> 'answered') AS failed_calls, count(*) AS calls
    FROM send_attempts
    WHERE id > (SELECT max(id) - 500 FROM send_attempts) AND finished_at > now() - interval '10 minutes'
    HAVING count(*) FILTER (WHERE outcome <> 'answered') >= 20
       AND count(*) FILTER (WHERE outcome <> 'answered') * 2 > count(*)""")
HOLDS_EXPIRED = text("""
    SELECT count(*) AS holds FROM credit_holds
    WHERE allowance_left + wallet_left > 0 AND expires_at < now() - interval '1 hour' HAVING count(*) > 0""")
IMPORTS_STUCK = text("""
    SELECT count(*) AS imports FROM contact_imports
    WHERE status IN ('waiting', 'running') AND coalesce(started_at, created_at) < now() - interval '1 hour'
    HAVING count(*) > 0""")
