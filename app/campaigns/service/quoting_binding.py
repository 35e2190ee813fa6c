"""What a quote promises: a start that names it costs at most its credits, or does not happen."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

from sqlalchemy import delete, select

from app.campaigns.errors import QuoteExceeded, QuoteExpired, QuoteNotFound, QuoteOutdated
from app.campaigns.models import Campaign, CampaignQuote
from app.campaigns.service.costing import Cost
from app.core.clock import now
from app.core.settings import settings
from app.core.uow import across_shops, require_unit_of_work

VALID = timedelta(minutes=15)
KEPT_UNUSED = timedelta(days=1)


def fingerprint(campaign: Campaign, cost: Cost) -> str:
    """Changes with whatever the merchant can change about the price; people are not in it.

    The frozen text stands for the message, the code, the shop's name, the links and the encoding.
    """
    facts = [
        cost.wording.text,
        cost.wording.links,
        campaign.audience,
        [campaign.run_no, campaign.first_run_no],
        cost.pool.id if cost.pool else None,
        [cost.caps.per_message, sorted(cost.caps.by_country.items())],
        settings().credit_unit,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def bind(campaign: Campaign, cost: Cost, quote_id: int | None) -> CampaignQuote | None:
    """The quote that a start keeps to, locked; None without an id. A step; the caller has the campaign.

    Raises QuoteNotFound, QuoteExpired, QuoteOutdated, QuoteExceeded.
    """
    if quote_id is None:
        return None
    quote = _claim(campaign, quote_id)
    if quote.fingerprint != fingerprint(campaign, cost):
        raise QuoteOutdated
    require_within(quote, cost.price.credits)
    return quote


def refuse_what_goes_on(campaign: Campaign, quote_id: int | None) -> None:
    """A quote is for a sending to come, not for one that goes on. A step.

    Raises QuoteNotFound, QuoteExpired, QuoteOutdated, unless there is no id.
    """
    if quote_id is not None:
        _claim(campaign, quote_id)
        raise QuoteOutdated


def require_within(quote: CampaignQuote | None, credits: int) -> None:
    """Raises QuoteExceeded, and then the caller's transaction undoes all."""
    if quote is not None and credits > quote.credits:
        raise QuoteExceeded(quoted=quote.credits, required=credits)


def quote_of_run(shop_id: int, run_id: int) -> CampaignQuote | None:
    """The quote that a sending was started with. A step."""
    of_run = select(CampaignQuote).where(CampaignQuote.shop_id == shop_id, CampaignQuote.run_id == run_id)
    return require_unit_of_work().scalar(of_run)


def forget_unused() -> None:
    """Delete the quotes that nothing was started with, a day after they have expired."""
    with across_shops("unused quotes belong to any shop") as session:
        session.execute(
            delete(CampaignQuote).where(
                CampaignQuote.run_id.is_(None), CampaignQuote.expires_at < now() - KEPT_UNUSED
            )
        )


def _claim(campaign: Campaign, quote_id: int) -> CampaignQuote:
    quote = require_unit_of_work().scalar(
        select(CampaignQuote)
        .where(CampaignQuote.shop_id == campaign.shop_id, CampaignQuote.id == quote_id)
        .where(CampaignQuote.campaign_id == campaign.id)
        .with_for_update()
    )
    if quote is None:
        raise QuoteNotFound
    if quote.run_id is not None:
        raise QuoteOutdated
    if quote.expires_at <= now():
        raise QuoteExpired
    return quote
