"""The words of a campaign as they would be frozen now."""

from __future__ import annotations

import re

from app.campaigns.errors import DiscountUnresolved
from app.campaigns.models import Campaign
from app.core.urls import link_base_url
from app.discounts.service.pools import SLOT
from app.messaging.text.template import TAG_PATTERN
from app.messaging.wording import Wording, word
from app.shops.service import Shop


def wording_of(campaign: Campaign, shop: Shop) -> Wording:
    """Freeze the campaign's message for the shop. Raises DiscountUnresolved.

    `meta.smartEncoding` (default on) may replace expensive characters, `meta.compressGreek` (default off) may
    write Greek in capitals that are in the cheap alphabet; both only when it saves a part.
    """
    code = code_of(campaign)
    message = campaign.message
    if pool_id_of(campaign) is not None:
        message = TAG_PATTERN.sub(_own_code, message)
    elif not code and has_code_tag(campaign.message) and campaign.discount_id:
        raise DiscountUnresolved
    return word(
        message,
        constants={"shopName": shop.display_name, "discountCode": code},
        link_base=link_base_url(shop.base_url),
        smart=bool(campaign.meta.get("smartEncoding", True)),
        greek=bool(campaign.meta.get("compressGreek", False)),
    )


def code_of(campaign: Campaign) -> str:
    """The one discount code that the text gives to all; empty when it gives none."""
    if not has_code_tag(campaign.message) or pool_id_of(campaign) is not None:
        return ""
    return str(campaign.meta.get("discountCode") or "")


def pool_id_of(campaign: Campaign) -> int | None:
    """The pool of which everybody gets a code of his own; None when the text gives away no such code."""
    pool_id = str(campaign.meta.get("discountPoolId") or "")
    is_id = pool_id.isascii() and pool_id.isdigit() and len(pool_id) < 19
    return int(pool_id) if is_id and has_code_tag(campaign.message) else None


def _own_code(tag: re.Match[str]) -> str:
    is_code = re.sub(r"[\s_]+", "", tag.group()[2:-2]).casefold() == "discountcode"
    return f"{{{{{SLOT}}}}}" if is_code else tag.group()


def has_code_tag(message: str) -> bool:
    """Whether the text gives a code away."""
    return any("discount" in tag.lower() for tag in TAG_PATTERN.findall(message))
