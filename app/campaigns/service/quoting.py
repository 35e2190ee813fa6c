"""A quote that binds: what a campaign costs at most, whom it leaves out, what would make it cheaper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.campaigns.errors import InvalidStatus
from app.campaigns.models import CampaignQuote
from app.campaigns.models import CampaignStatus as Status
from app.campaigns.service.addressing import already_texted
from app.campaigns.service.costing import Cost, cost_of
from app.campaigns.service.discounting import look_again
from app.campaigns.service.previewing import Quote, excluded_of, quote_of
from app.campaigns.service.quoting_binding import VALID, fingerprint
from app.campaigns.service.quoting_savings import CharacterCost, Savings, savings_of
from app.campaigns.service.sending import MAY_START
from app.campaigns.service.states import find, goes_on
from app.core.clock import now
from app.core.uow import unit_of_work
from app.messaging.service import freezing
from app.messaging.service.freezing import CountryPrice
from app.messaging.text.parts import Encoding
from app.shops import service as shops

ALREADY_TEXTED = "already_texted"


@dataclass(frozen=True)
class Exclusion:
    """So many of the audience get no text for this reason."""

    reason: str
    count: int


@dataclass(frozen=True)
class BindingQuote:
    """A quote with what explains it. `row` is the promise, `offer` the price beside what the shop has."""

    row: CampaignQuote
    offer: Quote
    cost: Cost
    savings: Savings
    left_out: Mapping[str, int]

    @property
    def parts_histogram(self) -> dict[str, int]:
        return {str(parts): people for parts, people in self.offer.price.parts_histogram.items()}

    @property
    def countries(self) -> tuple[CountryPrice, ...]:
        return self.offer.price.by_country

    @property
    def excluded(self) -> list[Exclusion]:
        """The largest group first; nobody under a reason is no exclusion."""
        found = [Exclusion(reason, count) for reason, count in self.left_out.items() if count]
        return sorted(found, key=lambda one: (-one.count, one.reason))

    @property
    def encoding(self) -> Encoding:
        """The alphabet of the text itself: a recipient's name may need the other one."""
        return freezing.encoding_of(self.cost.wording.text)

    @property
    def characters(self) -> list[CharacterCost]:
        return self.savings.characters


def quote(shop_id: int, campaign_id: int) -> BindingQuote:
    """Quote a campaign that could be started. What keeps it from starting now is in the quote.

    Raises CampaignNotFound, InvalidStatus, AudienceNotFound, DiscountUnresolved, PoolNotFound.
    """
    look_again(shop_id, campaign_id)
    with unit_of_work(shop_id) as session:
        campaign = find(shop_id, campaign_id)
        status = Status(campaign.status)
        if status not in MAY_START or goes_on(campaign, status):
            raise InvalidStatus(status)
        shop = shops.find_shop(shop_id)
        cost = cost_of(campaign, shop, by_country=True)
        row = CampaignQuote(
            shop_id=shop_id,
            campaign_id=campaign_id,
            fingerprint=fingerprint(campaign, cost),
            recipients=cost.price.recipients,
            credits=cost.price.credits,
            created_at=now(),
            expires_at=now() + VALID,
        )
        session.add(row)
        left_out = excluded_of(campaign, cost) | {ALREADY_TEXTED: already_texted(campaign)}
        savings = savings_of(campaign, shop, cost)
        return BindingQuote(row, quote_of(campaign, cost), cost, savings, left_out)
