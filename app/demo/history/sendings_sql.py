"""One sending of the past in SQL: from the staged recipients to messages, counters and what people did."""

from __future__ import annotations

from sqlalchemy import text

STAGE_TABLE = text("""
    CREATE TEMPORARY TABLE drafted (
      place integer, contact_id bigint, phone text, first_name text, last_name text, parts smallint,
      state text, failure text, batch integer, attempt_id bigint, message_id bigint, sent_at timestamptz,
      reported_at timestamptz,
      clicked_at timestamptz, left_at timestamptz, left_by text
    ) ON COMMIT DROP""")
EMPTY_STAGE = text("TRUNCATE drafted")
LOOK_AT_STAGE = text("ANALYZE drafted")

ADD_CAMPAIGN = text("""
    INSERT INTO campaigns (shop_id, name, message, audience, schedule_type, schedule_at, recurring_days, meta,
      status, created_at, updated_at)
    VALUES (:shop_id, :name, :message, :audience, :schedule_type, :schedule_at, :recurring_days,
      CAST(:meta AS jsonb), 'draft', :created_at, :created_at)
    RETURNING id""")

# A batch of 250 every few seconds. What the carrier took is reported within a minute, some phones are off for
# hours. Seven of a thousand are refused, two never answered for, twenty-two do not arrive, four stay silent.
DECIDE = text("""
    WITH drawn AS (
      SELECT contact_id, (place - 1) / 250 AS batch, :key || phone AS key,
        pg_temp.chance(:key || phone || 'fate') AS fate, pg_temp.chance(:key || phone || 'lag') AS lag
      FROM drafted),
    timed AS (
      SELECT contact_id, batch, key, fate,
        CAST(:starts_at AS timestamptz) + (batch + 1) * interval '1 second' * :batch_seconds AS sent_at,
        interval '2 seconds' + interval '70 seconds' * power(lag, 3)
          + CASE WHEN pg_temp.chance(key || 'off') < 0.05 THEN lag * interval '4 hours' ELSE '0' END AS wait
      FROM drawn)
    UPDATE drafted d SET batch = t.batch, sent_at = t.sent_at,
      state = CASE
        WHEN place > :reached THEN :rest
        WHEN :is_refused OR fate < 0.007 THEN 'failed'
        WHEN fate < 0.009 THEN
          CASE WHEN t.sent_at > now() - interval '72 hours' THEN 'unknown' ELSE 'not_sent' END
        WHEN t.sent_at + t.wait > now() THEN 'sent'
        WHEN fate < 0.031 THEN 'undelivered'
        WHEN fate < 0.035 THEN 'sent'
        ELSE 'delivered' END,
      failure = CASE
        WHEN place > :reached THEN CASE :rest WHEN 'skipped' THEN 'cancelled' END
        WHEN :is_refused OR fate < 0.007 THEN 'rejected'
        WHEN fate < 0.009 THEN
          CASE WHEN t.sent_at > now() - interval '72 hours' THEN 'no_clear_answer' ELSE 'no_report' END
        WHEN t.sent_at + t.wait > now() THEN NULL
        WHEN fate < 0.024 THEN 'undelivered'
        WHEN fate < 0.031 THEN 'expired' END,
      reported_at = CASE WHEN fate >= 0.009 THEN t.sent_at + t.wait ELSE t.sent_at + interval '72 hours' END
    FROM timed t WHERE t.contact_id = d.contact_id""")

# Who reads a text opens it within minutes, or in the evening. Six of a thousand have had enough.
REACT = text("""
    WITH drawn AS (
      SELECT contact_id, reported_at + interval '20 seconds'
          + interval '9 hours' * power(pg_temp.chance(:key || phone || 'when'), 4) AS at,
        pg_temp.chance(:key || phone || 'click') AS click, pg_temp.chance(:key || phone || 'leave') AS leave,
        pg_temp.chance(:key || phone || 'how') AS how
      FROM drafted WHERE state = 'delivered')
    UPDATE drafted d SET
      clicked_at = CASE WHEN click < :clicks AND at < now() THEN at END,
      left_at = CASE WHEN leave < 0.006 AND at < now() - interval '2 minutes'
                     THEN at + interval '90 seconds' END,
      left_by = CASE WHEN how < 0.6 THEN 'unsubscribe_link' ELSE 'sms_reply' END
    FROM drawn WHERE drawn.contact_id = d.contact_id""")

ADD_RUN = text("""
    INSERT INTO message_runs (shop_id, source, source_id, run_no, text, links, sender, is_open, pending,
      unknown, sent, delivered, undelivered, failed, not_sent, skipped, clicked, opted_out, created_at,
      updated_at)
    SELECT :shop_id, :source, :source_id, :run_no, :text, CAST(:links AS text[]), :sender, :is_open,
      count(*) FILTER (WHERE state = 'pending'), count(*) FILTER (WHERE state = 'unknown'),
      count(*) FILTER (WHERE state = 'sent'), count(*) FILTER (WHERE state = 'delivered'),
      count(*) FILTER (WHERE state = 'undelivered'), count(*) FILTER (WHERE state = 'failed'),
      count(*) FILTER (WHERE state = 'not_sent'), count(*) FILTER (WHERE state = 'skipped'),
      count(clicked_at), count(left_at), :starts_at, coalesce(max(reported_at), :starts_at)
    FROM drafted RETURNING id""")

# What is added here is noted on the stage: nothing below has to look for it in the large tables.
ADD_ATTEMPTS = text("""
    WITH made AS (
      INSERT INTO send_attempts (shop_id, run_id, size, state, outcome, provider_batch_id, started_at,
        finished_at)
      SELECT :shop_id, :run_id, count(*), 'settled', 'answered', 'demo-' || :run_id || '-' || batch,
        sent_at - interval '1 second', sent_at
      FROM drafted WHERE state NOT IN ('pending', 'skipped') GROUP BY batch, sent_at ORDER BY batch
      RETURNING id, finished_at)
    UPDATE drafted d SET attempt_id = made.id FROM made
    WHERE made.finished_at = d.sent_at AND d.state NOT IN ('pending', 'skipped')""")

# The carrier's ids are 26 letters and digits; these are of our own making and never meet its.
ADD_MESSAGES = text("""
    WITH made AS (
      INSERT INTO messages (shop_id, run_id, contact_id, phone, first_name, last_name, parts, state,
        attempt_id, provider_message_id, failure, send_after, created_at, sent_at, updated_at)
      SELECT :shop_id, :run_id, contact_id, phone, first_name, last_name, parts, state, attempt_id,
        CASE WHEN state IN ('sent', 'delivered', 'undelivered')
             THEN upper(substr(encode(sha256(CAST(:run_id || phone AS bytea)), 'hex'), 1, 26)) END,
        failure, :starts_at, :starts_at,
        CASE WHEN state IN ('sent', 'delivered', 'undelivered') THEN sent_at END,
        CASE WHEN state IN ('delivered', 'undelivered', 'not_sent') THEN reported_at
             WHEN attempt_id IS NULL THEN :starts_at ELSE sent_at END
      FROM drafted ORDER BY place RETURNING id, phone)
    UPDATE drafted d SET message_id = made.id FROM made WHERE made.phone = d.phone""")

# What the triggers would have counted, had they been there.
ADD_QUARTERS = text("""
    WITH happened AS (
      SELECT sent_at AS at, 1 AS sent, 0 AS delivered, 0 AS failed, parts AS credits FROM drafted
      WHERE state IN ('sent', 'delivered', 'undelivered')
      UNION ALL SELECT sent_at, 0, 0, 1, 0 FROM drafted WHERE state = 'failed'
      UNION ALL SELECT reported_at, 0, 0, 1, 0 FROM drafted WHERE state = 'not_sent'
      UNION ALL SELECT reported_at, 0, 1, 0, 0 FROM drafted WHERE state = 'delivered'
      UNION ALL SELECT reported_at, 0, 0, 1, -parts FROM drafted WHERE state = 'undelivered')
    INSERT INTO run_quarters (shop_id, quarter_at, run_id, source, source_id, sent, delivered, failed,
      credits)
    SELECT :shop_id, date_bin('15 minutes', at, 'epoch'), :run_id, :source, :source_id, sum(sent),
      sum(delivered), sum(failed), sum(credits)
    FROM happened GROUP BY 2""")

ADD_CLICKS = text("""
    INSERT INTO click_events (shop_id, run_id, message_id, contact_id, link_no, clicked_at)
    SELECT :shop_id, :run_id, message_id, contact_id, 1, clicked_at
    FROM drafted WHERE clicked_at IS NOT NULL ORDER BY clicked_at""")

OPT_OUT = text("""
    WITH leaving AS (
      SELECT phone, contact_id, left_at, left_by, message_id FROM drafted WHERE left_at IS NOT NULL),
    suppressed AS (
      INSERT INTO suppressions (shop_id, phone, source, created_at)
      SELECT :shop_id, phone, left_by, left_at FROM leaving),
    changed AS (
      UPDATE contacts c SET consent = 'opted_out', consent_at = left_at, consent_source = left_by,
        unsubscribed_at = left_at, updated_at = left_at
      FROM leaving l WHERE c.shop_id = :shop_id AND c.id = l.contact_id)
    INSERT INTO consent_events (shop_id, contact_id, phone, action, source, evidence, at)
    SELECT :shop_id, contact_id, phone, 'withdraw', left_by,
      jsonb_build_object('run_id', CAST(:run_id AS bigint), 'message_id', message_id), left_at
    FROM leaving ORDER BY left_at""")

# Who leaves by a reply has written one of the words for it; nine of a thousand others write as well.
ADD_REPLIES = text("""
    WITH writing AS (
      SELECT contact_id, phone, coalesce(left_at, reported_at + interval '7 minutes') AS at,
        CASE WHEN left_at IS NULL THEN 'say' ELSE 'stop' END AS kind,
        pg_temp.chance(:key || phone || 'words') AS words
      FROM drafted
      WHERE state = 'delivered' AND reported_at < now() - interval '10 minutes'
        AND (left_at IS NOT NULL AND left_by = 'sms_reply'
          OR left_at IS NULL AND pg_temp.chance(:key || phone || 'reply') < 0.009)),
    wording AS (
      SELECT kind, text, intent, needs_review, row_number() OVER (PARTITION BY kind ORDER BY no) - 1 AS no,
        count(*) OVER (PARTITION BY kind) AS of
      FROM unnest(CAST(:kinds AS text[]), CAST(:texts AS text[]), CAST(:intents AS text[]),
        CAST(:reviews AS boolean[])) WITH ORDINALITY AS t (kind, text, intent, needs_review, no)),
    said AS (
      SELECT w.*, t.text, t.intent, t.needs_review, 'demo:' || :run_id || ':' || w.contact_id AS external_id
      FROM writing w JOIN wording t ON t.kind = w.kind AND t.no = floor(w.words * t.of)),
    arrived AS (
      INSERT INTO webhook_inbox (provider, topic, external_id, shop_id, payload, received_at, available_at,
        processed_at, outcome)
      SELECT 'mitto', 'inbound', external_id, :shop_id,
        jsonb_build_object('from', phone, 'to', CAST(:sender AS text), 'text', text), at, at,
        at + interval '1 second', intent
      FROM said ORDER BY at RETURNING id, external_id)
    INSERT INTO inbound_messages (shop_id, inbox_id, contact_id, phone, sent_to, text, intent, needs_review,
      received_at)
    SELECT :shop_id, a.id, s.contact_id, s.phone, :sender, s.text, s.intent, s.needs_review, s.at
    FROM said s JOIN arrived a USING (external_id) ORDER BY s.at""")

SUMS = text("""
    SELECT coalesce(sum(parts), 0)::bigint AS needed,
      coalesce(sum(parts) FILTER (WHERE state IN ('pending', 'unknown')), 0)::bigint AS open,
      coalesce(sum(parts) FILTER (WHERE state IN ('sent', 'delivered')), 0)::bigint AS spent,
      max(sent_at) FILTER (WHERE state NOT IN ('pending', 'skipped')) AS ended_at
    FROM drafted""")

FINISH_CAMPAIGN = text("""
    UPDATE campaigns SET status = :status, status_before = 'sending', run_no = :run_no,
      first_run_no = CASE WHEN :status = 'scheduled' THEN :run_no + 1 ELSE 1 END, run_id = :run_id,
      frozen_at = CASE WHEN :status <> 'scheduled' THEN CAST(:started_at AS timestamptz) END,
      started_at = :started_at,
      finished_at = CASE WHEN :status <> 'paused' THEN CAST(:ended_at AS timestamptz) END,
      updated_at = :ended_at
    WHERE id = :campaign_id AND shop_id = :shop_id""")
