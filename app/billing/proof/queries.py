"""The messages behind charges and the purchases behind credits, in SQL.

No phone, no name, no text: who got a message, and who paid, is no part of the proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text

from app.core.uow import require_unit_of_work

# Accepted messages are those that have the carrier's id. Their state then is sent, or what the report said;
# a report is the last thing that ever changes them.
ACCEPTED = text("""
    SELECT id, run_id, attempt_id, parts, state, provider_message_id,
      to_char(sent_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.US"Z"') AS sent_at,
      CASE WHEN state IN ('delivered', 'undelivered')
        THEN to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.US"Z"') END AS reported_at,
      CASE state WHEN 'undelivered' THEN failure END AS reason
    FROM messages WHERE shop_id = :shop_id AND id > :after AND provider_message_id IS NOT NULL
    ORDER BY id LIMIT :most""")
# Where reading the runs' messages begins; runs from before that was noted begin anywhere.
BEGIN = text("""
    SELECT coalesce(min(coalesce(after_message_id, 0)), 0) FROM message_runs
    WHERE shop_id = :shop_id AND id = ANY (CAST(:run_ids AS bigint[]))""")
CARRIERS_IDS = text("""
    SELECT id, provider_message_id, state FROM messages
    WHERE shop_id = :shop_id AND id = ANY (CAST(:ids AS bigint[]))""")
RUNS_OF_CAMPAIGN = text("""
    SELECT id FROM message_runs
    WHERE shop_id = :shop_id AND source = 'campaign' AND source_id = :campaign_id""")
# A row decides how many credits a payment is worth; money in cents.
PURCHASES = text("""
    SELECT id, credits, gross_cents, currency, stripe_session_id, stripe_payment_intent_id FROM purchases
    WHERE shop_id = :shop_id AND id = ANY (CAST(:ids AS bigint[]))""")


def accepted_messages(shop_id: int, after: int, most: int) -> Sequence[Row[Any]]:
    """Messages that the carrier has accepted, by id."""
    given = {"shop_id": shop_id, "after": after, "most": most}
    return require_unit_of_work().execute(ACCEPTED, given).all()


def first_message_before(shop_id: int, run_ids: Sequence[int]) -> int:
    """An id below those of all messages of these runs."""
    given = {"shop_id": shop_id, "run_ids": list(run_ids)}
    return int(require_unit_of_work().scalar(BEGIN, given) or 0)


def carriers_ids(shop_id: int, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """The carrier's id and the state of each of these messages."""
    rows = require_unit_of_work().execute(CARRIERS_IDS, {"shop_id": shop_id, "ids": list(ids)})
    return {row.id: row for row in rows}


def purchases(shop_id: int, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """What was paid in these purchases."""
    rows = require_unit_of_work().execute(PURCHASES, {"shop_id": shop_id, "ids": list(ids)})
    return {row.id: row for row in rows}


def runs_of_campaign(shop_id: int, campaign_id: int) -> Sequence[int]:
    """The runs of a campaign; none when the shop has no such campaign."""
    given = {"shop_id": shop_id, "campaign_id": campaign_id}
    return require_unit_of_work().scalars(RUNS_OF_CAMPAIGN, given).all()
