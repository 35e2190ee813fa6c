"""A past for a merchant's shop, small enough to be counted by hand."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa

from app.campaigns.service import states as campaigns
from app.core.clock import now
from app.core.uow import across_shops, unit_of_work
from app.messaging.service.reports import ReportRow, record_reports
from app.shops import service as shops
from tests import build_contacts
from tests.build_campaigns import Merchant, answer
from tests.integrations.mitto.carriers import Said

MOVE_QUARTERS = sa.text("UPDATE run_quarters SET quarter_at = :at WHERE run_id = :run_id")
MOVE_MESSAGES = sa.text("UPDATE messages SET sent_at = :at WHERE run_id = :run_id AND sent_at IS NOT NULL")
MOVE_CAMPAIGN = sa.text("UPDATE campaigns SET created_at = :at WHERE id = :id")


def today(merchant: Merchant) -> date:
    """The date where the shop is."""
    with unit_of_work(merchant.shop.id):
        return now().astimezone(shops.zone_of(shops.find_shop(merchant.shop.id))).date()


def days_ago(merchant: Merchant, days: int) -> str:
    return (today(merchant) - timedelta(days=days)).isoformat()


def noon(merchant: Merchant, days: int) -> datetime:
    """Noon in the shop, so many days ago."""
    return local(merchant, days, time(12))


def local(merchant: Merchant, days: int, at: time) -> datetime:
    zone = shops.zone_of(merchant.shop)
    return datetime.combine(today(merchant) - timedelta(days=days), at, zone)


def a_sent_campaign(
    merchant: Merchant, outcomes: str, reports: str = "", *, at: datetime | None = None, **body: Any
) -> str:
    """A campaign to as many new contacts as there are letters in `outcomes`; gives its id.

    Outcomes as in `answer`; `reports`, for the accepted in their order: d delivered, f failed. `at` says when
    all of it happened.
    """
    with unit_of_work(merchant.shop.id) as session:
        session.execute(sa.text("DELETE FROM contacts"))
    build_contacts.contacts(merchant.shop, len(outcomes))
    campaign = merchant.a_campaign(**body)
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")
    answer(merchant, outcomes)
    run_id = merchant.runs()[-1].id
    accepted = [one for one in merchant.messages() if one.run_id == run_id and one.provider_message_id]
    words = {"d": "delivered", "f": "failed"}
    with across_shops("reports of a test"):
        record_reports(
            [
                ReportRow(one.provider_message_id, words[letter])
                for one, letter in zip(accepted, reports, strict=False)
            ]
        )
    campaigns.finish(merchant.shop.id, int(campaign))
    if at is not None:
        move(merchant, campaign, run_id, at)
    return campaign


def move(merchant: Merchant, campaign: str, run_id: int, at: datetime) -> None:
    with unit_of_work(merchant.shop.id) as session:
        session.execute(MOVE_QUARTERS, {"at": at, "run_id": run_id})
        session.execute(MOVE_MESSAGES, {"at": at, "run_id": run_id})
        session.execute(MOVE_CAMPAIGN, {"at": at, "id": int(campaign)})


def known_message(id_: str, word: str) -> Said:
    """What the carrier answers about a message."""
    return Said(json.dumps({"messageId": id_, "deliveryStatus": word, "text": "Hi"}).encode())
