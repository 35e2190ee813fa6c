"""Which code a campaign's discount has: asked of Shopify when it is written and when it is started.

Everything in between uses the code that is stored on the campaign, so nothing that a client polls waits for
Shopify. All of it calls Shopify and so runs outside a unit of work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, update

from app.campaigns.models import Campaign, CampaignStatus
from app.campaigns.service.states import find
from app.campaigns.service.wording import has_code_tag, pool_id_of
from app.connections.errors import NotConnected, ShopifyAway
from app.core.cache import changed
from app.core.errors import ValidationFailed
from app.core.uow import unit_of_work
from app.discounts.errors import DiscountNotFound, PoolNotFound
from app.discounts.service import looking_up, pools

CODE, POOL = "discountCode", "discountPoolId"
DONE = (CampaignStatus.SENDING, CampaignStatus.COMPLETED, CampaignStatus.FAILED)


def with_code(shop_id: int, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a client has given for a campaign, with the code of the discount that it names.

    A code that the client gives itself counts. Without an answer of Shopify's nothing is said of the code:
    the start asks again.
    """
    meta = dict(given.get("meta", {}))
    if not given.get("discount_id") or meta.get(CODE):
        return dict(given)
    try:
        code: str | None = looking_up.code_of(shop_id, given["discount_id"])
    except DiscountNotFound:
        code = None
    except (NotConnected, ShopifyAway):
        return dict(given)
    return {**given, "meta": {**meta, CODE: code}}


def require_pool(shop_id: int, meta: Mapping[str, Any]) -> None:
    """Raises ValidationFailed when a pool is named that the shop does not have. A step."""
    pool_id = meta.get(POOL)
    if pool_id is None:
        return
    try:
        is_id = pool_id.isascii() and pool_id.isdigit() and len(pool_id) < 19
        pools.find_pool(shop_id, int(pool_id) if is_id else 0)
    except PoolNotFound as unknown:
        raise ValidationFailed(POOL, "must be one of the shop's pools of codes") from unknown


def pool_of(campaign: Campaign) -> Row[Any] | None:
    """The pool that the campaign's recipients get their codes of. A step. Raises PoolNotFound."""
    pool_id = pool_id_of(campaign)
    return None if pool_id is None else pools.find_pool(campaign.shop_id, pool_id)


def look_again(shop_id: int, campaign_id: int) -> None:
    """Before a start: store the code that the discount has now, none when it cannot be used any more.

    What Shopify does not say leaves the stored code. Raises CampaignNotFound.
    """
    with unit_of_work(shop_id):
        campaign = find(shop_id, campaign_id)
        discount_id, stored = campaign.discount_id, campaign.meta.get(CODE)
        has_tag = has_code_tag(campaign.message) and pool_id_of(campaign) is None
        is_asked = has_tag and campaign.status not in DONE
    if not is_asked or not discount_id:
        return
    try:
        code: str | None = looking_up.code_of(shop_id, discount_id)
    except DiscountNotFound:
        code = None
    except (NotConnected, ShopifyAway):
        return
    if code != stored:
        _store(shop_id, campaign_id, discount_id, code)


def _store(shop_id: int, campaign_id: int, discount_id: str, code: str | None) -> None:
    found = Campaign.meta.concat({CODE: code}) if code else Campaign.meta.op("-")(CODE)
    with unit_of_work(shop_id) as session:
        session.execute(
            update(Campaign)
            .where(Campaign.shop_id == shop_id, Campaign.id == campaign_id)
            .where(Campaign.discount_id == discount_id, Campaign.status.not_in(DONE))
            .values(meta=found)
        )
        changed(shop_id, "campaigns")
