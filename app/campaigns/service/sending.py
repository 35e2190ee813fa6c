"""From draft to sent: claim the state, freeze the audience, hold the credits, in one transaction.

Whatever is refused leaves everything as it was. What crosses a crash is a row: a campaign that is `sending`
without `frozen_at` waits for its audience, one with it for its messages; both are found by the sweep.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Select, func, select, update

from app.audiences import service as audiences
from app.audiences.queries import recipients
from app.campaigns import queries
from app.campaigns.errors import AlreadySending, CampaignNotFound, InvalidStatus, NoRecipients
from app.campaigns.models import Campaign, CampaignStatus, Priority, ScheduleType
from app.campaigns.service.wording import wording_of
from app.core.activity import record
from app.core.clock import now
from app.core.errors import DomainError
from app.core.http.schema import instant
from app.core.idempotency import store_answer, stored_answer
from app.core.queue import wake
from app.core.settings import settings
from app.core.uow import across_shops, after_commit, require_unit_of_work, unit_of_work
from app.credits import service as credits
from app.credits.errors import InsufficientCredits
from app.messaging.service import freezing, runs
from app.messaging.service.freezing import Source
from app.messaging.service.runs import MessageState
from app.shops import service as shops
from app.shops.service import Shop

log = structlog.get_logger(__name__)
Status = CampaignStatus

MAY_START = (Status.DRAFT, Status.SCHEDULED, Status.PAUSED, Status.CANCELLED)
MAY_CANCEL = (Status.SENDING, Status.SCHEDULED, Status.PAUSED)
MAY_RETRY = (Status.SENDING, Status.COMPLETED, Status.FAILED)
TOO_LATE = timedelta(hours=24)


@dataclass(frozen=True)
class Enqueued:
    """What the merchant is told: so many recipients will be texted."""

    campaign_id: int
    queued: int
    status: str = Status.SENDING


def enqueue(shop_id: int, campaign_id: int, *, key: str | None = None) -> dict[str, Any]:
    """Start sending a campaign, once per idempotency `key`; the answer as the API gives it.

    Raises CampaignNotFound, InvalidStatus, AlreadySending, NoRecipients, SubscriptionRequired,
    InsufficientCredits or AudienceNotFound; on any of them nothing has changed.
    """
    with unit_of_work(shop_id):
        if key:
            earlier = stored_answer(shop_id, f"enqueue:{key}", {"campaign": campaign_id})
            if earlier is not None:
                return earlier
        started = start(shop_id, campaign_id)
        answer = {
            "ok": True,
            "queued": started.queued,
            "enqueued_jobs": started.queued,
            "campaign_id": campaign_id,
            "status": started.status,
            "queued_at": instant(now()),
        }
        if key:
            store_answer(shop_id, f"enqueue:{key}", answer)
    return answer


def resume(shop_id: int, campaign_id: int) -> Enqueued:
    """Go on with a paused campaign. Raises CampaignNotFound, InvalidStatus and what `enqueue` raises."""
    with unit_of_work(shop_id):
        return start(shop_id, campaign_id, Campaign.status == Status.PAUSED)


def start(shop_id: int, campaign_id: int, *still: ColumnElement[bool]) -> Enqueued:
    """Claim the state, freeze the audience, hold the credits. A step: all of it or, on a refusal, nothing.

    `still` are conditions that the campaign must meet at the moment of the claim.
    """
    shops.require_active_subscription(shop_id)
    campaign, was = _claim_state(shop_id, campaign_id, *still)
    action = "campaign.resumed" if was == Status.PAUSED else "campaign.enqueued"
    record(shop_id, action, "campaign", campaign_id, status_before=was)
    if was in {Status.PAUSED, Status.CANCELLED} and campaign.run_id and campaign.frozen_at:
        return _go_on(campaign, campaign.run_id, was)
    recipients = recipients_of(campaign)
    shop = shops.find_shop(shop_id)
    wording = wording_of(campaign, shop)
    price = freezing.price(wording.text, recipients)
    if price.recipients == 0:
        raise NoRecipients
    _require_credits(shop_id, price.credits)
    campaign.run_no += 1
    campaign.run_id = freezing.open_run(
        shop_id,
        Source.CAMPAIGN,
        campaign.id,
        wording,
        sender=sender_of(campaign, shop),
        run_no=campaign.run_no,
    )
    campaign.frozen_at = None
    if price.recipients > settings().enqueue_inline_limit:
        after_commit(lambda: wake("campaigns.freeze", shop_id, campaign_id))
        return Enqueued(campaign.id, price.recipients)
    return _freeze(campaign, campaign.run_id, recipients)


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
                _freeze(campaign, campaign.run_id, recipients_of(campaign))
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
    log.warning("campaign_put_back", campaign_id=campaign_id, code=refusal.code)


def pause(shop_id: int, campaign_id: int) -> None:
    """Stop claiming; at most the batches in hand still go out. Raises CampaignNotFound, InvalidStatus."""
    with unit_of_work(shop_id):
        campaign = _move(shop_id, campaign_id, (Status.SENDING,), Status.PAUSED)
        record(shop_id, "campaign.paused", "campaign", campaign_id)
        if campaign.run_id:
            runs.pause(shop_id, campaign.run_id)


def cancel(shop_id: int, campaign_id: int) -> int:
    """Cancel a campaign; what was not yet claimed never leaves and its credits go back. Returns how many.

    Raises CampaignNotFound, InvalidStatus.
    """
    with unit_of_work(shop_id):
        campaign = _move(shop_id, campaign_id, MAY_CANCEL, Status.CANCELLED, finished_at=now())
        unsent = runs.cancel(shop_id, campaign.run_id) if campaign.run_id else 0
        record(shop_id, "campaign.cancelled", "campaign", campaign_id, unsent=unsent)
    return unsent


def retry_failed(shop_id: int, campaign_id: int, *, key: str | None = None) -> dict[str, Any]:
    """Send again what failed before acceptance, once per `key`; nobody who got it gets it twice.

    Raises CampaignNotFound, InvalidStatus, SubscriptionRequired, InsufficientCredits.
    """
    with unit_of_work(shop_id):
        if key:
            earlier = stored_answer(shop_id, f"retry:{key}", {"campaign": campaign_id})
            if earlier is not None:
                return earlier
        campaign = find(shop_id, campaign_id)
        if campaign.status not in MAY_RETRY or not campaign.run_id:
            raise InvalidStatus(campaign.status)
        shops.require_active_subscription(shop_id)
        retried = runs.reopen(shop_id, campaign.run_id, MessageState.FAILED)
        if retried:
            _move(shop_id, campaign_id, MAY_RETRY, Status.SENDING, finished_at=None)
        record(shop_id, "campaign.retried", "campaign", campaign_id, messages=retried)
        answer = {"ok": True, "campaign_id": campaign_id, "retried": retried, "enqueued_jobs": retried}
        if key:
            store_answer(shop_id, f"retry:{key}", answer)
    return answer


def finish(shop_id: int, campaign_id: int) -> None:
    """Close a campaign that has nothing pending or claimed; arm the next run of a recurring one."""
    with unit_of_work(shop_id) as session:
        campaign = session.scalar(
            select(Campaign)
            .where(Campaign.shop_id == shop_id, Campaign.id == campaign_id)
            .where(Campaign.status == Status.SENDING, Campaign.frozen_at.is_not(None))
            .with_for_update()
        )
        if campaign is None or not campaign.run_id:
            return
        counts = runs.counts_by_run(shop_id, [campaign.run_id])[campaign.run_id]
        if not counts.is_drained:
            return
        reached = counts.accepted + counts.unknown
        campaign.status = Status.COMPLETED if reached else Status.FAILED
        campaign.finished_at = campaign.updated_at = now()
        if campaign.schedule_type == ScheduleType.RECURRING and campaign.recurring_days:
            campaign.schedule_at = _next_time(campaign.schedule_at, timedelta(days=campaign.recurring_days))
            campaign.status = Status.SCHEDULED
            campaign.frozen_at = None
            campaign.first_run_no = campaign.run_no + 1  # the next one is a new sending: everybody again
    log.info("campaign_finished", campaign_id=campaign_id, status=campaign.status)


def start_due() -> int:
    """Start every scheduled campaign whose time has come, by the same claim as the button. Returns how many.

    A refused one goes back to draft with the reason; one that is more than a day late is not sent any more.
    """
    with across_shops("due campaigns belong to any shop") as session:
        due = session.execute(
            select(Campaign.shop_id, Campaign.id, func.coalesce(Campaign.schedule_at, func.now()))
            .where(*_is_due())
            .order_by(Campaign.schedule_at)
            .limit(50)
        ).all()
    for shop_id, campaign_id, schedule_at in due:
        try:
            if schedule_at < now() - TOO_LATE:
                raise MissedItsTime
            with unit_of_work(shop_id):
                start(shop_id, campaign_id, *_is_due())
        except (AlreadySending, CampaignNotFound, InvalidStatus):
            continue  # somebody was quicker: sent, cancelled, moved or deleted it
        except DomainError as refusal:
            _shelve(shop_id, campaign_id, refusal)
    return len(due)


class MissedItsTime(DomainError):
    code = "MISSED_SCHEDULE"
    message = "The campaign was not sent because its time had passed by more than a day."


def _is_due() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Campaign.status == Status.SCHEDULED, Campaign.schedule_at <= func.now()


def wake_unfrozen_and_drained() -> None:
    """Ring for campaigns that wait for their audience or only for their end: whatever doorbell was lost."""
    with across_shops("sending campaigns belong to any shop") as session:
        rows = session.execute(
            select(Campaign.shop_id, Campaign.id, Campaign.frozen_at)
            .where(Campaign.status == Status.SENDING, Campaign.updated_at < func.now() - timedelta(seconds=5))
            .order_by(func.random())  # no campaign is always behind five hundred others
            .limit(500)
        ).all()
    for shop_id, campaign_id, frozen_at in rows:
        wake("campaigns.finish" if frozen_at else "campaigns.freeze", shop_id, campaign_id)


def skip_stragglers() -> None:
    """Skip what waits again although its campaign was cancelled: the carrier had put it off meanwhile."""
    with across_shops("cancelled campaigns belong to any shop"):
        rows = queries.cancelled_with_pending(500)
    for shop_id, campaign_id in rows:
        with unit_of_work(shop_id) as session:
            campaign = session.scalar(
                select(Campaign)
                .where(Campaign.shop_id == shop_id, Campaign.id == campaign_id)
                .where(Campaign.status == Status.CANCELLED)  # it may have been sent after all
                .with_for_update()
            )
            if campaign is not None and campaign.run_id:
                runs.cancel(shop_id, campaign.run_id)


def find(shop_id: int, campaign_id: int) -> Campaign:
    """The campaign. A step. Raises CampaignNotFound."""
    campaign = require_unit_of_work().get(Campaign, campaign_id)
    if campaign is None or campaign.shop_id != shop_id:
        raise CampaignNotFound
    return campaign


def recipients_of(campaign: Campaign) -> Select[Any]:
    """Who would get the campaign now. A step. Raises AudienceNotFound."""
    audience = audiences.require_audience(campaign.shop_id, campaign.audience)
    people = recipients(campaign.shop_id, audience)
    if campaign.run_no < campaign.first_run_no:
        return people
    # Taken up again after a cancellation: those whom an earlier run has reached are not texted twice.
    phone = people.selected_columns.phone
    return people.where(
        ~runs.was_reached(
            phone, campaign.shop_id, Source.CAMPAIGN, campaign.id, from_run_no=campaign.first_run_no
        )
    )


def sender_of(campaign: Campaign, shop: Shop) -> str:
    """What recipients see as the sender: the campaign's own, else the shop's."""
    return campaign.meta.get("senderId") or shops.sender_of(shop)


def _claim_state(
    shop_id: int, campaign_id: int, *still: ColumnElement[bool]
) -> tuple[Campaign, CampaignStatus]:
    """Move the campaign to `sending`; exactly one caller succeeds, the others wait for it and are refused."""
    campaign = _move(
        shop_id, campaign_id, MAY_START, Status.SENDING, *still, started_at=now(), finished_at=None
    )
    campaign.last_enqueue_error = None
    return campaign, Status(campaign.status_before or Status.DRAFT)


def _move(
    shop_id: int,
    campaign_id: int,
    allowed: tuple[Status, ...],
    to: Status,
    *still: ColumnElement[bool],
    **values: Any,
) -> Campaign:
    moved = require_unit_of_work().scalar(
        update(Campaign)
        .where(Campaign.shop_id == shop_id, Campaign.id == campaign_id, Campaign.status.in_(allowed), *still)
        .values(status=to, status_before=Campaign.status, updated_at=func.now(), **values)
        .returning(Campaign)
        .execution_options(populate_existing=True)
    )
    if moved is None:
        status = find(shop_id, campaign_id).status
        raise AlreadySending if status == to == Status.SENDING else InvalidStatus(status)
    return moved


def _go_on(campaign: Campaign, run_id: int, was: Status) -> Enqueued:
    """Send a paused or cancelled campaign after all: whom it was frozen for, minus who has opted out."""
    if was == Status.CANCELLED:
        reopened = runs.reopen(campaign.shop_id, run_id, MessageState.SKIPPED)
        if not reopened:
            raise NoRecipients
        return Enqueued(campaign.id, reopened)
    runs.resume(campaign.shop_id, run_id)
    return Enqueued(campaign.id, runs.counts_by_run(campaign.shop_id, [run_id])[run_id].queued)


def _freeze(campaign: Campaign, run_id: int, recipients: Select[Any]) -> Enqueued:
    frozen = freezing.freeze(campaign.shop_id, run_id, recipients)
    if frozen.recipients == 0:
        raise NoRecipients
    campaign.frozen_at = now()
    urgent = campaign.priority in {Priority.HIGH, Priority.URGENT}
    runs.ring(campaign.shop_id, run_id, urgent=urgent)
    return Enqueued(campaign.id, frozen.recipients)


def _require_credits(shop_id: int, needed: int) -> None:
    balance = credits.balance_of(shop_id)
    if needed > balance.available:
        raise InsufficientCredits(required=needed, allowance=balance.allowance, wallet=balance.wallet)


def _next_time(last: datetime | None, every: timedelta) -> datetime:
    """The next time of a recurring campaign: in step with the last one, but never in the past."""
    following = (last or now()) + every
    return following if following > now() else now() + every


def _shelve(shop_id: int, campaign_id: int, refusal: DomainError) -> None:
    """Take a due campaign that could not start off the schedule, with the reason on it."""
    with unit_of_work(shop_id) as session:
        session.execute(
            update(Campaign)
            .where(Campaign.shop_id == shop_id, Campaign.id == campaign_id, *_is_due())
            .values(
                status=Status.FAILED if isinstance(refusal, MissedItsTime) else Status.DRAFT,
                last_enqueue_error=f"{refusal.code}: {refusal.message}",
                updated_at=func.now(),
            )
        )
    log.warning("campaign_shelved", campaign_id=campaign_id, code=refusal.code)
