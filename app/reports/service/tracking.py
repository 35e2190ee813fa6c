"""Following single messages to the end. Only the shop's own messages exist here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from app.campaigns.service import reading
from app.campaigns.service.figures import ShownCampaign, shown_status
from app.campaigns.service.states import find
from app.core.http import Page
from app.core.uow import unit_of_work
from app.messaging.service import statistics
from app.reports import queries
from app.reports.errors import CarrierUnavailable, MessageNotFound, ProviderMessageNotFound
from app.reports.service.asking import NO_ANSWER, Answers, ask
from app.reports.service.messages import ShownMessage

ASKED_MAX = 100
STALE = "The SMS provider does not answer now. This is the last state we know."
NOT_HERE = "MESSAGE_NOT_FOUND"


@dataclass(frozen=True)
class TrackedCampaign(Page[ShownMessage]):
    """One page of a campaign's messages, and the campaign's numbers."""

    shown: ShownCampaign

    @property
    def itself(self) -> TrackedCampaign:
        return self


@dataclass(frozen=True)
class Asked:
    """What asking about one message came to."""

    name: str
    after: ShownMessage | None = None
    changed: bool = False
    error: str | None = None

    @property
    def success(self) -> bool:
        return self.error is None

    @property
    def delivery_status(self) -> str | None:
        return self.after.delivery_status if self.after else None

    @property
    def status(self) -> str | None:
        return self.after.status if self.after else None


@dataclass(frozen=True)
class Refreshed:
    """What asking about many came to. `remaining` were not asked this time."""

    results: Sequence[Asked]
    remaining: int = 0

    @property
    def total(self) -> int:
        return len(self.results)

    @property
    def updated(self) -> int:
        return sum(one.changed for one in self.results)

    @property
    def failed(self) -> int:
        return sum(not one.success for one in self.results)


def show_message(shop_id: int, name: str) -> ShownMessage:
    """A message as we know it, by the carrier's id or ours. Raises MessageNotFound."""
    with unit_of_work(shop_id):
        return _with_campaign(shop_id, _find(shop_id, name))


def track_message(shop_id: int, name: str) -> ShownMessage:
    """A message as the carrier knows it, if it answers; else as we do, with a warning.

    Raises MessageNotFound.
    """
    before = show_message(shop_id, name)
    answers = ask(shop_id, [before.row])
    if not answers.known and not answers.failures:
        return before
    with unit_of_work(shop_id):
        after = _with_campaign(shop_id, _find(shop_id, name))
    warning = STALE if NO_ANSWER in answers.failures.values() else next(iter(answers.failures.values()), None)
    return ShownMessage(after.row, after.campaign, warning)


def track_campaign(shop_id: int, campaign_id: int, *, page: int, page_size: int) -> TrackedCampaign:
    """One page of the messages of the campaign's newest sending. Raises CampaignNotFound."""
    with unit_of_work(shop_id):
        shown = reading.shown(shop_id, find(shop_id, campaign_id))
        run_id = shown.campaign.run_id
        total, rows = (
            statistics.messages_of_run(shop_id, run_id, page=page, page_size=page_size) if run_id else (0, [])
        )
    return TrackedCampaign([ShownMessage(row) for row in rows], total, page, page_size, shown=shown)


def refresh(shop_id: int, name: str) -> Asked:
    """Ask the carrier about one message. Raises ProviderMessageNotFound, CarrierUnavailable."""
    refreshed = refresh_many(shop_id, [name]).results[0]
    if refreshed.error == NOT_HERE:
        raise ProviderMessageNotFound
    if refreshed.error == NO_ANSWER:
        raise CarrierUnavailable
    return refreshed


def refresh_many(shop_id: int, names: Sequence[str]) -> Refreshed:
    """Ask the carrier about the first hundred of these messages; each is answered for, also a stranger's."""
    distinct = list(dict.fromkeys(names))
    asked = distinct[:ASKED_MAX]
    with unit_of_work(shop_id):
        before = statistics.find_messages(shop_id, asked)
    answers = ask(shop_id, list(before.values()))
    with unit_of_work(shop_id):
        after = statistics.find_messages(shop_id, asked)
    results = [_result(name, before, after, answers) for name in asked]
    return Refreshed(results, len(distinct) - len(asked))


def refresh_campaign(shop_id: int, campaign_id: int) -> Refreshed:
    """Ask about the first hundred messages of the campaign that have no final state. Raises
    CampaignNotFound.
    """
    with unit_of_work(shop_id):
        run_id = find(shop_id, campaign_id).run_id
        waiting, rows = statistics.in_flight(shop_id, run_id, ASKED_MAX) if run_id else (0, [])
    refreshed = refresh_many(shop_id, [row.provider_message_id for row in rows])
    return Refreshed(refreshed.results, max(0, waiting - len(rows)))


def _result(
    name: str, before: Mapping[str, Row[Any]], after: Mapping[str, Row[Any]], answers: Answers
) -> Asked:
    row = after.get(name)
    if row is None or name not in before:
        return Asked(name, error=NOT_HERE)
    error = answers.failures.get(row.provider_message_id or "")
    return Asked(name, ShownMessage(row), row.state != before[name].state, error)


def _find(shop_id: int, name: str) -> Row[Any]:
    found = statistics.find_messages(shop_id, [name])
    if name not in found:
        raise MessageNotFound
    return found[name]


def _with_campaign(shop_id: int, row: Row[Any]) -> ShownMessage:
    shown = ShownMessage(row)
    if shown.campaign_id is None:
        return shown
    campaign = queries.campaigns_with_ids(shop_id, [shown.campaign_id]).get(shown.campaign_id)
    named = {"name": campaign.name, "status": shown_status(campaign.status)} if campaign else None
    return ShownMessage(row, named)
