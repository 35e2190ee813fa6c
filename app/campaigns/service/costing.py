"""What a campaign would say, to whom, and what that costs: preview, quote and start all ask this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, select

from app.campaigns.models import Campaign
from app.campaigns.service.addressing import recipients_of
from app.campaigns.service.discounting import pool_of
from app.campaigns.service.wording import wording_of
from app.discounts.queries import CODE_COLUMN
from app.discounts.service import pools
from app.messaging.service import capping, freezing
from app.messaging.service.capping import Caps
from app.messaging.service.freezing import Price
from app.messaging.wording import Wording
from app.shops.service import Shop


@dataclass(frozen=True)
class Cost:
    """A campaign's words and their price. `recipients` are all whom the audience names, `caps` the shop's."""

    wording: Wording
    recipients: Select[Any]
    pool: Row[Any] | None
    caps: Caps
    price: Price

    @property
    def priced(self) -> Select[Any]:
        """Those whom the price counts, as they are priced."""
        return capping.within(self.caps, self.wording.text, priced(self.pool, self.recipients))


def cost_of(campaign: Campaign, shop: Shop, *, by_country: bool = False) -> Cost:
    """What sending the campaign now would cost. A step; reads only.

    Raises AudienceNotFound, DiscountUnresolved, PoolNotFound.
    """
    recipients = recipients_of(campaign)
    wording = wording_of(campaign, shop)
    pool, caps = pool_of(campaign), capping.caps_of(campaign.shop_id)
    price = freezing.price(wording.text, priced(pool, recipients), caps, by_country=by_country)
    return Cost(wording, recipients, pool, caps, price)


def priced(pool: Row[Any] | None, people: Select[Any]) -> Select[Any]:
    """`people` with whatever the price looks at."""
    return pools.priced(pool, people) if pool else people


def without_codes(people: Select[Any]) -> Select[Any]:
    """`people` as they were before `priced`: the codes that they are really given come later."""
    chosen = people.subquery("chosen")
    return select(*(column for column in chosen.c if column.name != CODE_COLUMN))
