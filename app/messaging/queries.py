"""The pipeline in SQL. Every statement moves rows guarded by their state and counts what it moved.

Lock order, everywhere: messages by id → runs by id → attempts → holds → ledger accounts by id.
"""

from __future__ import annotations

from sqlalchemy import text

# Claim: the attempt and the claims commit before the provider is called.
# - picked must be MATERIALIZED: a sub-select may be run again for each row, and then claims everything.
# - is_open: pausing and cancelling stop here.
# - suppressions: consent is asked for the last time; what is claimed after an opt-out never leaves.
#   A service text answers the person's own request, so it may ask an opted-out number to come back.
# - hours: marketing keeps to the hours of the place that the number's first digits name (`at` is now; null
#   asks nothing). What may not go now stays pending until it may, and no attempt is made for it.
CLAIM = text("""
    WITH run AS MATERIALIZED (
      SELECT source, kind, CAST(:at AS timestamptz) AS at FROM message_runs WHERE id = :run_id AND is_open),
    picked AS MATERIALIZED (
      SELECT m.id, substr(m.phone, 1, 5) AS area,
        EXISTS (SELECT 1 FROM suppressions s WHERE s.shop_id = m.shop_id AND s.phone = m.phone)
        AND NOT EXISTS (SELECT 1 FROM run WHERE source = 'service') AS opted_out
      FROM messages m
      WHERE m.run_id = :run_id AND m.shop_id = :shop_id AND m.state = 'pending' AND m.send_after <= now()
        AND EXISTS (SELECT 1 FROM run)
      ORDER BY m.id LIMIT :size FOR UPDATE OF m SKIP LOCKED),
    hours AS MATERIALIZED (
      SELECT area, coalesce(sending_opens_at(area, run.at) - run.at, interval '8 days') AS wait
      FROM run, (SELECT DISTINCT area FROM picked WHERE NOT opted_out) asked
      WHERE run.at IS NOT NULL AND run.kind = 'marketing'),
    judged AS MATERIALIZED (
      SELECT p.id, p.opted_out, CASE WHEN h.wait > interval '0' THEN now() + h.wait END AS opens_at
      FROM picked p LEFT JOIN hours h ON h.area = p.area AND NOT p.opted_out),
    attempt AS (
      INSERT INTO send_attempts (shop_id, run_id, size)
      SELECT :shop_id, :run_id, count(*) FROM judged WHERE opens_at IS NULL HAVING count(*) > 0
      RETURNING id),
    moved AS (
      UPDATE messages m SET
        state = CASE WHEN j.opens_at IS NOT NULL THEN 'pending' WHEN j.opted_out THEN 'skipped'
                     ELSE 'claimed' END,
        failure = CASE WHEN j.opted_out THEN 'opted_out' END,
        attempt_id = CASE WHEN j.opens_at IS NULL THEN (SELECT id FROM attempt) END,
        send_after = coalesce(j.opens_at, m.send_after), updated_at = now()
      FROM judged j WHERE m.id = j.id
      RETURNING m.id, m.state, m.phone, m.first_name, m.last_name, m.merge, m.parts, m.attempt_id),
    counted AS (
      UPDATE message_runs r SET pending = r.pending - t.claimed - t.skipped, claimed = r.claimed + t.claimed,
        skipped = r.skipped + t.skipped, updated_at = now()
      FROM (SELECT count(*) FILTER (WHERE state = 'claimed') AS claimed,
              count(*) FILTER (WHERE state = 'skipped') AS skipped FROM moved) t
      WHERE r.id = :run_id AND t.claimed + t.skipped > 0 RETURNING r.id)
    SELECT * FROM moved ORDER BY id""")

CLOSE_EMPTY_ATTEMPT = text("""
    UPDATE send_attempts SET state = 'settled', outcome = 'all_opted_out', finished_at = now()
    WHERE id = :attempt_id""")

# Settle: also takes rows that the sweep has meanwhile called unknown: this caller knows better. The
# attempt closes with the rows, so an attempt is open exactly as long as somebody may still settle it.
SETTLE = text("""
    WITH answer AS (
      SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:provider_ids AS text[]),
                           CAST(:failures AS text[]), CAST(:waits AS float8[]))
        AS t (id, state, provider_id, failure, wait_seconds)),
    picked AS MATERIALIZED (
      SELECT m.id, m.state AS was FROM messages m JOIN answer a ON a.id = m.id
      WHERE m.attempt_id = :attempt_id AND m.state IN ('claimed', 'unknown') ORDER BY m.id FOR UPDATE OF m),
    moved AS (
      UPDATE messages m SET
        state = CASE WHEN a.state = 'pending' AND (m.tries >= :tries_max OR p.was = 'unknown') THEN 'failed'
                     ELSE a.state END,
        provider_message_id = a.provider_id, failure = a.failure,
        sent_at = CASE WHEN a.state = 'sent' THEN now() END,
        tries = m.tries + CASE WHEN a.state = 'pending' THEN 1 ELSE 0 END,
        send_after = CASE WHEN a.state = 'pending'
          THEN now() + make_interval(secs => greatest(a.wait_seconds, least(5 * 2 ^ m.tries, 300))) ELSE
          m.send_after END,
        updated_at = now()
      FROM picked p JOIN answer a ON a.id = p.id WHERE m.id = p.id
      RETURNING m.state, m.parts, p.was),
    tally AS (
      SELECT count(*) FILTER (WHERE was = 'claimed') AS from_claimed, count(*) FILTER (WHERE was =
        'unknown') AS from_unknown,
        count(*) FILTER (WHERE state = 'sent') AS sent, count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state = 'unknown') AS unknown, count(*) FILTER (WHERE state = 'pending') AS
          pending,
        coalesce(sum(parts) FILTER (WHERE state = 'sent'), 0)::bigint AS sent_parts,
        coalesce(sum(parts) FILTER (WHERE state = 'failed'), 0)::bigint AS failed_parts
      FROM moved),
    counted AS (
      UPDATE message_runs r SET claimed = r.claimed - t.from_claimed, unknown = r.unknown - t.from_unknown
        + t.unknown,
        sent = r.sent + t.sent, failed = r.failed + t.failed, pending = r.pending + t.pending, updated_at =
        now()
      FROM tally t WHERE r.id = :run_id RETURNING r.pending AS pending_left, r.claimed AS claimed_left),
    closed AS (
      UPDATE send_attempts SET state = 'settled', outcome = :outcome, provider_batch_id = :batch_id,
        finished_at = now() WHERE id = :attempt_id)
    SELECT t.*, c.pending_left, c.claimed_left FROM tally t, counted c""")

# Reports: a final one moves a sent message once; delivered beats failed within one batch; anything later
# is history.
APPLY_REPORTS = text("""
    WITH reported AS (
      SELECT DISTINCT ON (provider_id) provider_id, status, reason
      FROM unnest(CAST(:provider_ids AS text[]), CAST(:statuses AS text[]), CAST(:reasons AS text[]))
        AS t (provider_id, status, reason)
      ORDER BY provider_id, CASE status WHEN 'delivered' THEN 0 WHEN 'failed' THEN 1 ELSE 2 END),
    picked AS MATERIALIZED (
      SELECT m.id, m.provider_message_id, m.state AS was, r.status, r.reason
      FROM messages m JOIN reported r ON r.provider_id = m.provider_message_id ORDER BY m.id FOR UPDATE OF m),
    moved AS (
      UPDATE messages m SET state = CASE p.status WHEN 'delivered' THEN 'delivered' ELSE 'undelivered' END,
        failure = CASE p.status WHEN 'failed' THEN coalesce(p.reason, 'undelivered') END, updated_at = now()
      FROM picked p WHERE m.id = p.id AND p.was = 'sent' AND p.status IN ('delivered', 'failed')
      RETURNING m.id, m.shop_id, m.run_id, m.parts, m.state),
    runs AS MATERIALIZED (
      SELECT id FROM message_runs WHERE id IN (SELECT run_id FROM moved) ORDER BY id FOR UPDATE),
    counted AS (
      UPDATE message_runs r SET sent = r.sent - t.total, delivered = r.delivered + t.delivered,
        undelivered = r.undelivered + t.total - t.delivered, updated_at = now()
      FROM (SELECT run_id, count(*) AS total, count(*) FILTER (WHERE state = 'delivered') AS delivered
            FROM moved GROUP BY run_id) t, runs
      WHERE r.id = t.run_id AND r.id = runs.id)
    SELECT p.provider_message_id, m.id, m.shop_id, m.run_id, m.parts, m.state
    FROM picked p LEFT JOIN moved m ON m.id = p.id""")

# A message whose fate we did not know turns out to have been accepted.
RESOLVE_AS_SENT = text("""
    WITH picked AS MATERIALIZED (
      SELECT id, state AS was FROM messages WHERE id = :id AND state IN ('claimed', 'unknown') FOR UPDATE),
    moved AS (
      UPDATE messages m SET state = 'sent', provider_message_id = :provider_id, failure = NULL, sent_at =
        now(),
        updated_at = now()
      FROM picked p WHERE m.id = p.id RETURNING m.id, m.shop_id, m.run_id, m.parts, p.was),
    counted AS (
      UPDATE message_runs r SET sent = r.sent + 1, claimed = r.claimed - (m.was = 'claimed')::int,
        unknown = r.unknown - (m.was = 'unknown')::int, updated_at = now()
      FROM moved m WHERE r.id = m.run_id)
    SELECT id, shop_id, run_id, parts FROM moved""")
HAS_PROVIDER_ID = text("SELECT 1 FROM messages WHERE id = :id AND provider_message_id = :provider_id")

# Sweep 1: what a dead worker had claimed is unknown, never pending: it may have been sent.
EXPIRE_CLAIMS = text("""
    WITH picked AS MATERIALIZED (
      SELECT m.id, m.attempt_id FROM send_attempts a JOIN messages m ON m.attempt_id = a.id AND m.state =
        'claimed'
      WHERE a.state = 'open' AND a.started_at < now() - make_interval(secs => :lease_seconds)
      ORDER BY m.id LIMIT :limit FOR UPDATE OF m SKIP LOCKED),
    moved AS (
      UPDATE messages m SET state = 'unknown', failure = 'worker_died', updated_at = now()
      FROM picked p WHERE m.id = p.id RETURNING m.run_id),
    runs AS MATERIALIZED (
      SELECT id FROM message_runs WHERE id IN (SELECT run_id FROM moved) ORDER BY id FOR UPDATE),
    counted AS (
      UPDATE message_runs r SET claimed = r.claimed - t.total, unknown = r.unknown + t.total, updated_at =
        now()
      FROM (SELECT run_id, count(*) AS total FROM moved GROUP BY run_id) t, runs
      WHERE r.id = t.run_id AND r.id = runs.id)
    SELECT count(*) FROM moved""")
CLOSE_DEAD_ATTEMPTS = text("""
    UPDATE send_attempts a SET state = 'expired', finished_at = now()
    WHERE a.state = 'open' AND a.started_at < now() - make_interval(secs => :lease_seconds)
      AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.attempt_id = a.id AND m.state = 'claimed')""")

# Sweep 2: silence past the deadline. The route's validity has ended: the message was not sent.
GIVE_UP_UNKNOWN = text("""
    WITH picked AS MATERIALIZED (
      SELECT id FROM messages WHERE state = 'unknown' AND updated_at < now() - make_interval(hours => :hours)
      ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED),
    moved AS (
      UPDATE messages m SET state = 'not_sent', failure = 'no_report', updated_at = now()
      FROM picked p WHERE m.id = p.id RETURNING m.id, m.shop_id, m.run_id, m.parts),
    runs AS MATERIALIZED (
      SELECT id FROM message_runs WHERE id IN (SELECT run_id FROM moved) ORDER BY id FOR UPDATE),
    counted AS (
      UPDATE message_runs r SET unknown = r.unknown - t.total, not_sent = r.not_sent + t.total, updated_at
        = now()
      FROM (SELECT run_id, count(*) AS total FROM moved GROUP BY run_id) t, runs
      WHERE r.id = t.run_id AND r.id = runs.id)
    SELECT shop_id, run_id, min(id) AS first_id, max(id) AS last_id, sum(parts)::bigint AS parts
    FROM moved GROUP BY shop_id, run_id ORDER BY shop_id, run_id""")

WAITING_RUNS = text("""
    SELECT r.shop_id, r.id FROM message_runs r
    WHERE r.is_open AND r.pending > 0 AND EXISTS (
      SELECT 1 FROM messages m WHERE m.run_id = r.id AND m.state = 'pending' AND m.send_after <= now())
    ORDER BY r.updated_at LIMIT :limit""")
HAS_LIVE_MESSAGES = text("""
    SELECT EXISTS (SELECT 1 FROM message_runs WHERE shop_id = :shop_id AND id = :run_id
                   AND pending + claimed + unknown > 0)""")

# Cancelling: what was not yet claimed never leaves.
SKIP_PENDING = text("""
    WITH moved AS (
      UPDATE messages SET state = 'skipped', failure = :failure, updated_at = now()
      WHERE run_id = :run_id AND shop_id = :shop_id AND state = 'pending' RETURNING parts),
    counted AS (
      UPDATE message_runs r SET is_open = false, pending = r.pending - t.total, skipped = r.skipped + t.total,
        updated_at = now()
      FROM (SELECT count(*) AS total FROM moved) t WHERE r.id = :run_id AND r.shop_id = :shop_id RETURNING 1)
    SELECT count(*) AS messages, coalesce(sum(parts), 0)::bigint AS parts FROM moved""")
# Runs are locked in the order that everybody locks them in.
STOP_ALL = text("""
    WITH mine AS MATERIALIZED (
      SELECT id FROM message_runs WHERE shop_id = :shop_id AND is_open ORDER BY id FOR UPDATE)
    UPDATE message_runs r SET is_open = false, updated_at = now() FROM mine WHERE r.id = mine.id""")
SET_OPEN = text("""
    UPDATE message_runs SET is_open = :is_open, updated_at = now() WHERE id = :run_id AND shop_id =
      :shop_id""")

# Re-opening: a retry of what failed before acceptance, or a cancelled campaign that is sent after all.
# Consent is asked again here and once more when the rows are claimed. An erased row names no phone any more.
REOPEN = text("""
    WITH moved AS (
      UPDATE messages m SET state = 'pending', failure = NULL, attempt_id = NULL, tries = 0, send_after =
        now(),
        updated_at = now()
      WHERE m.run_id = :run_id AND m.shop_id = :shop_id AND m.state = :state AND m.provider_message_id IS NULL
        AND (CAST(:failure AS text) IS NULL OR m.failure = :failure) AND m.phone LIKE '+%'
        AND NOT EXISTS (SELECT 1 FROM suppressions s WHERE s.shop_id = m.shop_id AND s.phone = m.phone)
      RETURNING m.parts),
    counted AS (
      UPDATE message_runs r SET is_open = true, pending = r.pending + t.total,
        failed = r.failed - CASE WHEN :state = 'failed' THEN t.total ELSE 0 END,
        skipped = r.skipped - CASE WHEN :state = 'skipped' THEN t.total ELSE 0 END, updated_at = now()
      FROM (SELECT count(*) AS total FROM moved) t WHERE r.id = :run_id AND r.shop_id = :shop_id RETURNING 1)
    SELECT count(*) AS messages, coalesce(sum(parts), 0)::bigint AS parts FROM moved""")

# The page is found in the index alone, which also tells the shop and the state: only its rows are read.
FAILED_MESSAGES = text("""
    SELECT m.id, m.phone, m.failure, m.state, m.updated_at, c.id AS contact_id, c.first_name, c.last_name,
      c.email
    FROM (
      SELECT id FROM messages
      WHERE run_id = :run_id AND shop_id = :shop_id AND state IN ('failed', 'undelivered', 'not_sent')
      ORDER BY id DESC LIMIT :limit OFFSET :offset) AS page
    JOIN messages m ON m.shop_id = :shop_id AND m.id = page.id
    LEFT JOIN contacts c ON c.shop_id = m.shop_id AND c.id = m.contact_id
    ORDER BY m.id DESC""")
TRANSACTION_ID = text("SELECT pg_current_xact_id()::text::bigint")
HAS_WORK = text("""
    SELECT EXISTS (SELECT 1 FROM message_runs WHERE shop_id = :shop_id AND id = :run_id AND is_open)
       AND EXISTS (SELECT 1 FROM messages WHERE run_id = :run_id AND state = 'pending' AND send_after <=
         now())""")
TAKE_TURN_OF_CAPS = text("SELECT pg_advisory_xact_lock(hashtextextended('price caps of ' || :shop_id, 0))")
