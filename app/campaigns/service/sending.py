"""From draft to sent: claim the state, freeze the audience, hold the credits, in one transaction.

Whatever is refused leaves everything as it was. What crosses a crash is a row: a campaign that is `sending`
without `frozen_at` waits for its audience, one with it for its messages; both are found by the sweep.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, func, select, update

from app.campaigns.errors import NoRecipients
from app.campaigns.models import Campaign, CampaignQuote, Priority
from app.campaigns.models import CampaignStatus as Status
from app.campaigns.service import quoting_binding as binding
from app.campaigns.service.addressing import recipients_of, sender_of
from app.campaigns.service.costing import Cost, cost_of, priced, without_codes
from app.campaigns.service.discounting import look_again, pool_of
from app.campaigns.service.states import goes_on, move
from app.campaigns.service.wording import code_of
from app.core.activity import record
from app.core.cache import changed
from app.core.clock import now
from app.core.errors import DomainError
from app.core.http.schema import instant
from app.core.idempotency import once
from app.core.queue import wake
from app.core.settings import settings
from app.core.uow import after_commit, unit_of_work
from app.credits import service as credits
from app.credits.errors import InsufficientCredits
from app.discounts.queries import with_codes
from app.discounts.service import pools
from app.discounts.service.giving import note_code
from app.messaging.service import freezing, runs
from app.messaging.states import MessageState, Source
from app.shops import service as shops
from app.subscriptions.service import standing as subscriptions

log = structlog.get_logger(__name__)

MAY_START = (Status.DRAFT, Status.SCHEDULED, Status.PAUSED, Status.CANCELLED)


@dataclass(frozen=True)
class Enqueued:
    """What the merchant is told: so many recipients will be texted."""

    campaign_id: int
    queued: int
    status: str = Status.SENDING


def enqueue(
    shop_id: int, campaign_id: int, *, key: str | None = None, quote_id: int | None = None
) -> dict[str, Any]:
    """Start sending a campaign, once per idempotency `key`; the answer as the API gives it.

    With a quote it never costs more than was quoted. Raises CampaignNotFound, InvalidStatus, AlreadySending,
    NoRecipients, SubscriptionRequired, InsufficientCredits, AudienceNotFound, QuoteNotFound, QuoteExpired,
    QuoteOutdated or QuoteExceeded; on any of them nothing has changed.
    """
    look_again(shop_id, campaign_id)
    asked = {"campaign": campaign_id} | ({"quote": quote_id} if quote_id is not None else {})
    with unit_of_work(shop_id):
        return once(
            shop_id,
            key and f"enqueue:{key}",
            asked,
            lambda: _answer(start(shop_id, campaign_id, quote_id=quote_id)),
        )


def _answer(started: Enqueued) -> dict[str, Any]:
    return {
        "ok": True,
        "queued": started.queued,
        "enqueued_jobs": started.queued,
        "campaign_id": started.campaign_id,
        "status": started.status,
        "queued_at": instant(now()),
    }


def resume(shop_id: int, campaign_id: int) -> Enqueued:
    """Go on with a paused campaign. Raises CampaignNotFound, InvalidStatus and what `enqueue` raises."""
    with unit_of_work(shop_id):
        return start(shop_id, campaign_id, Campaign.status == Status.PAUSED)


def start(
    shop_id: int, campaign_id: int, *still: ColumnElement[bool], quote_id: int | None = None
) -> Enqueued:
    """Claim the state, freeze the audience, hold the credits. A step: all of it or, on a refusal, nothing.

    `still` are conditions that the campaign must meet at the moment of the claim.
    """
    subscriptions.require_active_subscription(shop_id)
    campaign, was = _claim_state(shop_id, campaign_id, *still)
    action = "campaign.resumed" if was == Status.PAUSED else "campaign.enqueued"
    record(shop_id, action, "campaign", campaign_id, status_before=was)
    if goes_on(campaign, was) and campaign.run_id:
        binding.refuse_what_goes_on(campaign, quote_id)
        return _go_on(campaign, campaign.run_id, was)
    shop = shops.find_shop(shop_id)
    cost = cost_of(campaign, shop)
    quote = binding.bind(campaign, cost, quote_id)
    _require_possible(shop_id, cost)
    campaign.run_no += 1
    campaign.run_id = freezing.open_run(
        shop_id,
        Source.CAMPAIGN,
        campaign.id,
        cost.wording,
        sender=sender_of(campaign, shop),
        run_no=campaign.run_no,
    )
    if quote is not None:
        quote.run_id = campaign.run_id
    note_code(shop_id, campaign.run_id, code_of(campaign))
    campaign.frozen_at = None
    if cost.price.recipients > settings().enqueue_inline_limit:
        after_commit(lambda: wake("campaigns.freeze", shop_id, campaign_id))
        return Enqueued(campaign.id, cost.price.recipients)
    return _freeze(campaign, campaign.run_id, cost.recipients, quote)


def freeze_large(shop_id: int, campaign_id: int) -> None:
    """Freeze the audience of a campaign that was too large for its request. Idempotent: freezes once.

    A refusal (credits gone meanwhile, segment deleted) puts the campaign back with `last_enqueue_error`.
    """
    try:
        with unit_of_work(shop_id) as session:
            campaign = session.scalar(
                select(Campaign)
                .where(Campaign.shop_id == shop_id, Campaign.id == campaign_id)
                .where(Campaign.status == Status.SENDING, Campaign.frozen_at.is_(None))
                .with_for_update(skip_locked=True)
            )
            if campaign is not None and campaign.run_id:
                quote = binding.quote_of_run(shop_id, campaign.run_id)
                _freeze(campaign, campaign.run_id, recipients_of(campaign), quote)
    except DomainError as refusal:
        put_back(shop_id, campaign_id, refusal)


def put_back(shop_id: int, campaign_id: int, refusal: DomainError) -> None:
    """Return a campaign whose start was refused in the background to where it was, with the reason on it."""
    with unit_of_work(shop_id) as session:
        session.execute(
            update(Campaign)
            .where(Campaign.shop_id == shop_id, Campaign.id == campaign_id)
            .where(Campaign.status == Status.SENDING, Campaign.frozen_at.is_(None))
            .values(
                status=func.coalesce(Campaign.status_before, Status.DRAFT),
                last_enqueue_error=f"{refusal.code}: {refusal.message}",
                started_at=None,
                updated_at=func.now(),
            )
        )
        changed(shop_id, "campaigns")
    log.warning("campaign_put_back", campaign_id=campaign_id, code=refusal.code)


def _claim_state(shop_id: int, campaign_id: int, *still: ColumnElement[bool]) -> tuple[Campaign, Status]:
    """Move the campaign to `sending`; exactly one caller succeeds, the others wait for it and are refused."""
    campaign = move(
        shop_id, campaign_id, MAY_START, Status.SENDING, *still, started_at=now(), finished_at=None
    )
    campaign.last_enqueue_error = None
    return campaign, Status(campaign.status_before or Status.DRAFT)


def _go_on(campaign: Campaign, run_id: int, was: Status) -> Enqueued:
    """Send a paused or cancelled campaign after all: whom it was frozen for, minus who has opted out."""
    if was == Status.CANCELLED:
        reopened = runs.reopen(campaign.shop_id, run_id, MessageState.SKIPPED)
        if not reopened:
            raise NoRecipients
        pools.give_anew(campaign.shop_id, run_id)
        return Enqueued(campaign.id, reopened)
    runs.resume(campaign.shop_id, run_id)
    return Enqueued(campaign.id, runs.counts_by_run(campaign.shop_id, [run_id])[run_id].queued)


def _freeze(
    campaign: Campaign, run_id: int, recipients: Select[Any], quote: CampaignQuote | None
) -> Enqueued:
    shop_id, pool = campaign.shop_id, pool_of(campaign)
    people = freezing.within_caps(shop_id, run_id, priced(pool, recipients))
    if pool:
        people = with_codes(shop_id, pool.id, without_codes(people))
    frozen = freezing.freeze(shop_id, run_id, people)
    if frozen.recipients == 0:
        raise NoRecipients
    binding.require_within(quote, frozen.credits)
    if pool:
        pools.give(shop_id, pool.id, run_id, needed=frozen.recipients)
    campaign.frozen_at = now()
    urgent = campaign.priority in {Priority.HIGH, Priority.URGENT}
    runs.ring(shop_id, run_id, urgent=urgent)
    return Enqueued(campaign.id, frozen.recipients)


def _require_possible(shop_id: int, cost: Cost) -> None:
    """Raises NoRecipients, DiscountCodesMissing, InsufficientCredits."""
    if cost.price.recipients == 0:
        raise NoRecipients
    if cost.pool:
        pools.require_codes(cost.pool, cost.price.recipients)
    _require_credits(shop_id, cost.price.credits)


def _require_credits(shop_id: int, needed: int) -> None:
    balance = credits.balance_of(shop_id)
    if needed > balance.available:
        raise InsufficientCredits(required=needed, allowance=balance.allowance, wallet=balance.wallet)
