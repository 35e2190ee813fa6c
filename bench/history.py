"""Half a year of campaigns as sending leaves them: runs, attempts, messages, counters, quarters, clicks.

Written set by set in the order in which it happened, so that the tables lie as they would. Triggers that
count by the clock are off meanwhile; what they would have counted is counted from the messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.engine import Connection, Engine

from bench.books import write_books
from bench.indexes import without_indexes

CAMPAIGNS = 200
LARGE = 20  # every so many campaigns one goes to half the shop, the others to one in 38
CLOCKWORK = {"message_runs": "message_runs_count_quarter", "credit_holds": "credit_holds_count_quarter"}

ADD_CAMPAIGN = text("""
    INSERT INTO campaigns (shop_id, name, message, status, run_no, frozen_at, started_at, finished_at,
      created_at, updated_at)
    SELECT :shop_id,
      (ARRAY['Weekend offers', 'New season', 'Back in stock', 'Loyal customers', 'Last chance'])[1 + :no % 5]
        || ' ' || :no,
      'Hi {{firstName}}, 20% off everything until Sunday: https://shop.example/sale', :status, 1, started_at,
      started_at, CASE WHEN :status = 'completed' THEN started_at + interval '3 hours' END,
      started_at - interval '1 day', started_at
    FROM (SELECT now() - interval '21.6 hours' * :age - interval '20 minutes' AS started_at) AS times
    RETURNING id, started_at""")
ADD_RUN = text("""
    INSERT INTO message_runs (shop_id, source, source_id, text, links, sender, created_at, updated_at)
    SELECT shop_id, 'campaign', id, message, ARRAY['https://shop.example/sale'], 'Astronote', started_at,
      started_at
    FROM campaigns WHERE id = :campaign_id RETURNING id""")
LINK_RUN = text("UPDATE campaigns SET run_id = :run_id WHERE id = :campaign_id")
BATCH = 500  # messages of an attempt
ADD_ATTEMPTS = text("""
    INSERT INTO send_attempts (shop_id, run_id, size, state, outcome, started_at, finished_at)
    SELECT :shop_id, :run_id, 500, 'settled', 'answered', :started_at + interval '30 ms' * no,
      :started_at + interval '30 ms' * no + interval '70 ms'
    FROM generate_series(0, CAST(:recipients AS int) / 500) AS no""")
FIRST_ATTEMPT = text("SELECT min(id) FROM send_attempts WHERE run_id = :run_id")

# Of a thousand, 920 are delivered, most within minutes, the last after two days; 25 are not, 20 are refused,
# 10 had opted out, 25 are never reported on. Of a run under way the second half waits.
ADD_MESSAGES = text("""
    INSERT INTO messages (shop_id, run_id, contact_id, phone, first_name, parts, state, attempt_id,
      provider_message_id, failure, send_after, created_at, sent_at, updated_at)
    SELECT :shop_id, :run_id, id, phone, first_name, parts, state,
      CASE WHEN state <> 'pending' THEN :first_attempt + (place - 1) / 500 END,
      CASE WHEN is_accepted THEN '01J' || lpad(upper(to_hex(CAST(:run_id AS bigint))), 9, '0')
        || lpad(upper(to_hex(place)), 14, '0') END,
      CASE state WHEN 'undelivered' THEN 'undelivered' WHEN 'failed' THEN 'invalid_number'
        WHEN 'skipped' THEN 'opted_out' END,
      :started_at, :started_at, CASE WHEN is_accepted THEN sent_at END,
      CASE WHEN state IN ('delivered', 'undelivered')
        THEN least(sent_at + interval '2 days' * ((dice >> 20 & 1023) / 1023.0) ^ 6, now()) ELSE sent_at END
    FROM (
      SELECT *, state IN ('sent', 'delivered', 'undelivered') AS is_accepted,
        :started_at + interval '60 microseconds' * place AS sent_at
      FROM (
        SELECT *, CASE WHEN :is_under_way AND place > :recipients / 2 THEN 'pending'
            WHEN dice % 1000 < 920 THEN 'delivered' WHEN dice % 1000 < 945 THEN 'undelivered'
            WHEN dice % 1000 < 965 THEN 'failed' WHEN dice % 1000 < 975 THEN 'skipped'
            ELSE 'sent' END AS state
        FROM (
          SELECT id, phone, first_name, row_number() OVER (ORDER BY id) AS place,
            1 + (first_name ~ '[^ -~]')::int AS parts,
            hashint8extended(id, CAST(:run_id AS bigint)) & 1073741823 AS dice
          FROM contacts WHERE shop_id = :shop_id AND id % :one_in = :which) AS chosen) AS fated) AS told
    ORDER BY place""")

# Everything that is counted comes from one pass over the messages.
TALLY = text("""
    CREATE TEMP TABLE bench_tally AS
    SELECT run_id, state, date_bin('15 minutes', sent_at, 'epoch') AS sent_quarter,
      date_bin('15 minutes', updated_at, 'epoch') AS moved_quarter, min(sent_at) AS first_sent_at,
      count(*) AS messages, sum(parts) AS parts
    FROM messages WHERE shop_id = :shop_id GROUP BY 1, 2, 3, 4""")
COUNT_RUNS = text("""
    UPDATE message_runs r SET pending = t.pending, sent = t.sent, delivered = t.delivered,
      undelivered = t.undelivered, failed = t.failed, skipped = t.skipped, opted_out = t.delivered / 300,
      updated_at = t.last_at
    FROM (
      SELECT run_id, coalesce(sum(messages) FILTER (WHERE state = 'pending'), 0) AS pending,
        coalesce(sum(messages) FILTER (WHERE state = 'sent'), 0) AS sent,
        coalesce(sum(messages) FILTER (WHERE state = 'delivered'), 0) AS delivered,
        coalesce(sum(messages) FILTER (WHERE state = 'undelivered'), 0) AS undelivered,
        coalesce(sum(messages) FILTER (WHERE state = 'failed'), 0) AS failed,
        coalesce(sum(messages) FILTER (WHERE state = 'skipped'), 0) AS skipped,
        max(moved_quarter) AS last_at
      FROM bench_tally GROUP BY run_id) AS t
    WHERE r.id = t.run_id""")
COUNT_QUARTERS = text("""
    INSERT INTO run_quarters (shop_id, quarter_at, run_id, source, source_id, sent, delivered, failed,
      credits)
    SELECT r.shop_id, quarter_at, r.id, r.source, r.source_id, sum(m.sent), sum(m.delivered), sum(m.failed),
      sum(m.credits)
    FROM (
      SELECT run_id, sent_quarter AS quarter_at, messages AS sent, 0 AS delivered, 0 AS failed,
        parts AS credits
      FROM bench_tally WHERE sent_quarter IS NOT NULL
      UNION ALL
      SELECT run_id, moved_quarter, 0, messages * (state = 'delivered')::int,
        messages * (state IN ('undelivered', 'failed'))::int, -parts * (state = 'undelivered')::int
      FROM bench_tally WHERE state IN ('delivered', 'undelivered', 'failed')) AS m
    JOIN message_runs r ON r.id = m.run_id
    GROUP BY r.id, quarter_at ORDER BY quarter_at, r.id""")
ADD_CLICKS = text("""
    WITH clicked AS (
      INSERT INTO click_events (shop_id, run_id, message_id, contact_id, link_no, clicked_at)
      SELECT shop_id, run_id, id, contact_id, 1, least(updated_at + interval '1 minute' * (id % 400), now())
      FROM messages WHERE shop_id = :shop_id AND state = 'delivered' AND hashint8(id) % 25 = 0
      RETURNING run_id)
    UPDATE message_runs r SET clicked = c.clicks
    FROM (SELECT run_id, count(*) AS clicks FROM clicked GROUP BY run_id) AS c WHERE r.id = c.run_id""")
ADD_REPLIES = text("""
    INSERT INTO inbound_messages (shop_id, inbox_id, contact_id, phone, text, intent, received_at)
    SELECT shop_id, id, contact_id, phone, 'Thank you!', 'other', updated_at
    FROM messages WHERE shop_id = :shop_id AND state = 'delivered' AND hashint8(id) % 800 = 1""")
ADD_ACTIVITY = text("""
    INSERT INTO activity (shop_id, at, actor_kind, action, object_kind, object_id)
    SELECT :shop_id, now() - interval '10 minutes' * (20000 - no), 'user', 'contact.exported', 'contact', NULL
    FROM generate_series(1, 20000) AS no""")
ADD_UNSENT = text("""
    INSERT INTO campaigns (shop_id, name, message, audience, status, schedule_at)
    SELECT :shop_id, 'Plan ' || no, 'Hi {{firstName}}, something new is coming.',
      (ARRAY['all', 'men', 'women'])[1 + no % 3], CASE WHEN no <= 3 THEN 'scheduled' ELSE 'draft' END,
      CASE WHEN no <= 3 THEN now() + interval '30 days' * no END
    FROM generate_series(1, 12) AS no""")
FILLED = (
    "messages", "message_runs", "run_quarters", "send_attempts", "click_events", "inbound_messages",
    "campaigns", "activity", "ledger_transfers", "ledger_accounts", "credit_holds",
)  # fmt: skip


def add_history(owner: Engine, shop_id: int, size: int) -> None:
    """Ten messages for each of the shop's `size` contacts, in 200 campaigns; the newest is under way."""
    with owner.connect() as connection, _stopped_clocks(connection):
        with without_indexes(connection, "messages"):
            for no in range(1, CAMPAIGNS + 1):
                _add_campaign(connection, shop_id, size, no)
        given = {"shop_id": shop_id}
        for count in (TALLY, COUNT_RUNS, COUNT_QUARTERS, ADD_CLICKS, ADD_REPLIES, ADD_ACTIVITY, ADD_UNSENT):
            connection.execute(count, given)
        write_books(connection, shop_id)
        connection.exec_driver_sql("DROP TABLE bench_tally")
        for table in FILLED:
            connection.exec_driver_sql(f"VACUUM ANALYZE {table}")


def _add_campaign(connection: Connection, shop_id: int, size: int, no: int) -> None:
    one_in = 2 if no % LARGE == 0 else 38
    is_under_way = no == CAMPAIGNS
    status = "sending" if is_under_way else "completed"
    campaign = connection.execute(
        ADD_CAMPAIGN, {"shop_id": shop_id, "no": no, "age": CAMPAIGNS - no, "status": status}
    ).one()
    run_id = connection.scalar(ADD_RUN, {"campaign_id": campaign.id})
    connection.execute(LINK_RUN, {"run_id": run_id, "campaign_id": campaign.id})
    run = {
        "shop_id": shop_id,
        "run_id": run_id,
        "started_at": campaign.started_at,
        "recipients": size // one_in,
    }
    connection.execute(ADD_ATTEMPTS, run)
    first_attempt = connection.scalar(FIRST_ATTEMPT, run)
    chosen = {"one_in": one_in, "which": no % one_in, "is_under_way": is_under_way}
    connection.execute(ADD_MESSAGES, {**run, **chosen, "first_attempt": first_attempt})


@contextmanager
def _stopped_clocks(connection: Connection) -> Iterator[None]:
    for table, trigger in CLOCKWORK.items():
        connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")
    try:
        yield
    finally:
        for table, trigger in CLOCKWORK.items():
            connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER {trigger}")
