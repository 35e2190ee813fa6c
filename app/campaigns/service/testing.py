"""Trying a campaign out on one's own phone."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from app.campaigns import queries
from app.campaigns.errors import CampaignNotFound, NumberSuppressed
from app.campaigns.models import Campaign
from app.campaigns.service.addressing import sender_of
from app.campaigns.service.discounting import look_again, pool_of
from app.campaigns.service.previewing import SAMPLE_VALUES, values_of
from app.campaigns.service.wording import wording_of
from app.contacts import consent
from app.core.errors import ValidationFailed
from app.core.phones import NotAPhone, parse_phone
from app.core.uow import require_unit_of_work, unit_of_work
from app.discounts.service import pools
from app.messaging.service import freezing, runs
from app.messaging.service.freezing import Source
from app.shops import service as shops
from app.shops.service import Shop
from app.subscriptions.service import standing as subscriptions


@dataclass(frozen=True)
class SentTest:
    """A test on its way: one message of a run of its own, which no number of the campaign counts."""

    campaign_id: int
    message_id: int | None
    phone: str


def send_test(shop_id: int, campaign_id: int, raw_phone: str) -> SentTest:
    """Text the campaign to one number, at the price of one message, whatever the campaign's status.

    The merge values are the contact's with that number, else made-up ones. Raises CampaignNotFound,
    ValidationFailed, NumberSuppressed, SubscriptionRequired, InsufficientCredits, DiscountUnresolved.
    """
    look_again(shop_id, campaign_id)
    with unit_of_work(shop_id):
        campaign = _lock(shop_id, campaign_id)
        shop = shops.find_shop(shop_id)
        phone = _read_phone(raw_phone, shop)
        subscriptions.require_active_subscription(shop_id)
        if consent.is_suppressed(shop_id, phone):
            raise NumberSuppressed
        run_id = freezing.open_run(
            shop_id,
            Source.TEST,
            campaign.id,
            wording_of(campaign, shop),
            sender=sender_of(campaign, shop),
            run_no=runs.next_run_no(shop_id, Source.TEST, campaign.id),
        )
        contact = queries.contact_with_phone(shop_id, phone)
        values = values_of(contact) if contact else {**SAMPLE_VALUES, "phone": phone}
        if pool := pool_of(campaign):
            values = {**values, pools.SLOT: pools.sample_code(pool)}
        message_id = freezing.freeze_one(shop_id, run_id, phone=phone, values=values)
        runs.ring(shop_id, run_id, urgent=True)
    return SentTest(campaign.id, message_id, phone)


def _lock(shop_id: int, campaign_id: int) -> Campaign:
    """The campaign, locked: two tests at once take two numbers."""
    campaign = require_unit_of_work().scalar(
        select(Campaign).where(Campaign.shop_id == shop_id, Campaign.id == campaign_id).with_for_update()
    )
    if campaign is None:
        raise CampaignNotFound
    return campaign


def _read_phone(raw: str, shop: Shop) -> str:
    try:
        return parse_phone(raw, shop.country).e164
    except NotAPhone:
        raise ValidationFailed("phoneE164", "is not a phone number that can receive texts") from None
