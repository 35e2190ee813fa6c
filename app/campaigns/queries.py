"""Reading campaigns: the filtered list, and what only SQL can count. All need the caller's unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, exists, func, or_, select, text
from sqlalchemy.engine import RowMapping

from app.audiences.queries import audience_condition
from app.audiences.service import Audience
from app.campaigns.models import Campaign
from app.contacts.queries import Consent, Contact, Suppression
from app.core.uow import require_unit_of_work

SORTABLE: dict[str, Any] = {
    "createdAt": Campaign.created_at,
    "updatedAt": Campaign.updated_at,
    "name": Campaign.name,
    "scheduleAt": Campaign.schedule_at,
}

# A call that was under way when the campaign was cancelled ends within minutes; a day allows for a scheduler
# that was down.
CANCELLED_WITH_PENDING = text("""
    SELECT c.shop_id, c.id FROM campaigns c JOIN message_runs r ON r.id = c.run_id
    WHERE c.status = 'cancelled' AND c.finished_at > now() - interval '1 day' AND r.pending > 0
    ORDER BY c.id LIMIT :limit""")

# Tests of a campaign are runs of their own, numbered apart from its sendings.
NEXT_TEST_NO = text("""
    SELECT coalesce(max(run_no), 0) + 1 FROM message_runs
    WHERE shop_id = :shop_id AND source = 'test' AND source_id = :campaign_id""")

PENDING_IDS = text("""
    SELECT id FROM messages WHERE run_id = :run_id AND shop_id = :shop_id AND state = 'pending'
    ORDER BY id LIMIT :limit""")

# The counters say it all; only the last hour's calls are looked at one by one.
QUEUE_FIGURES = text("""
    SELECT coalesce(sum(pending) FILTER (WHERE is_open), 0)::bigint AS waiting,
      coalesce(sum(pending) FILTER (WHERE NOT is_open), 0)::bigint AS delayed,
      coalesce(sum(claimed), 0)::bigint AS active,
      coalesce(sum(sent + delivered + undelivered), 0)::bigint AS completed,
      coalesce(sum(failed + not_sent), 0)::bigint AS failed,
      coalesce(sum(pending + claimed + sent + delivered + undelivered + failed + not_sent), 0)::bigint
        AS total
    FROM message_runs WHERE shop_id = :shop_id""")
RECENT_CALLS = text("""
    SELECT count(*) FILTER (WHERE a.state = 'settled') AS settled,
      count(*) FILTER (WHERE a.state = 'expired') AS expired
    FROM message_runs r JOIN send_attempts a ON a.run_id = r.id
    WHERE r.shop_id = :shop_id AND r.updated_at > now() - interval '1 hour'
      AND a.finished_at > now() - interval '1 hour'""")


@dataclass(frozen=True)
class CampaignFilter:
    """Which campaigns, in which order. None means no such condition."""

    status: str | None = None
    search: str | None = None
    sort_by: str = "createdAt"
    sort_order: str = "desc"


def matching(shop_id: int, wanted: CampaignFilter) -> Select[Campaign]:
    """The shop's campaigns that meet every condition of `wanted`."""
    chosen = select(Campaign).where(Campaign.shop_id == shop_id)
    if wanted.status:
        chosen = chosen.where(Campaign.status == wanted.status)
    if wanted.search:
        found = (
            column.icontains(wanted.search, autoescape=True) for column in (Campaign.name, Campaign.message)
        )
        chosen = chosen.where(or_(*found))
    return chosen


def ordered(campaigns: Select[Campaign], wanted: CampaignFilter) -> Select[Campaign]:
    """`campaigns` in the wanted order, the newest id deciding between equals; missing times come last."""
    column = SORTABLE[wanted.sort_by]
    if wanted.sort_order == "desc":
        return campaigns.order_by(column.desc().nulls_last(), Campaign.id.desc())
    return campaigns.order_by(column.asc().nulls_last(), Campaign.id.asc())


def count_by_status(shop_id: int) -> dict[str, int]:
    """How many campaigns the shop has in each stored status."""
    counted = (
        select(Campaign.status, func.count().label("total"))
        .where(Campaign.shop_id == shop_id)
        .group_by(Campaign.status)
    )
    return {row.status: row.total for row in require_unit_of_work().execute(counted)}


def excluded_contacts(shop_id: int, audience: Audience) -> RowMapping:
    """Who is in the audience but gets no text, each person under one reason, in one statement."""
    suppressed = exists().where(Suppression.shop_id == Contact.shop_id, Suppression.phone == Contact.phone)
    counted = select(
        func.count().filter(Contact.consent == Consent.OPTED_OUT).label("opted_out"),
        func.count().filter(Contact.consent == Consent.UNKNOWN, ~suppressed).label("unknown_consent"),
        func.count().filter(Contact.consent != Consent.OPTED_OUT, suppressed).label("suppressed"),
    ).where(Contact.shop_id == shop_id, audience_condition(shop_id, audience))
    return require_unit_of_work().execute(counted).mappings().one()


def contact_with_phone(shop_id: int, phone: str) -> RowMapping | None:
    """The merge values of the shop's contact with this number, if it has one."""
    wanted = select(Contact.id, Contact.phone, Contact.first_name, Contact.last_name, Contact.email)
    found = wanted.where(Contact.shop_id == shop_id, Contact.phone == phone)
    return require_unit_of_work().execute(found).mappings().one_or_none()


def next_test_no(shop_id: int, campaign_id: int) -> int:
    """The number of the campaign's next test. The caller has locked the campaign."""
    given = {"shop_id": shop_id, "campaign_id": campaign_id}
    return int(require_unit_of_work().execute(NEXT_TEST_NO, given).scalar_one())


def pending_ids(shop_id: int, run_id: int, *, limit: int) -> Sequence[int]:
    """The first messages of a run that wait to be claimed."""
    given = {"shop_id": shop_id, "run_id": run_id, "limit": limit}
    return require_unit_of_work().execute(PENDING_IDS, given).scalars().all()


def queue_figures(shop_id: int) -> tuple[RowMapping, RowMapping]:
    """The shop's messages by where they are, and its provider calls of the last hour."""
    session, given = require_unit_of_work(), {"shop_id": shop_id}
    return (
        session.execute(QUEUE_FIGURES, given).mappings().one(),
        session.execute(RECENT_CALLS, given).mappings().one(),
    )
