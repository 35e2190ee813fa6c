"""The words of a campaign as they would be frozen now."""

from __future__ import annotations

from app.campaigns.errors import DiscountUnresolved
from app.campaigns.models import Campaign
from app.core.urls import link_base_url
from app.messaging.text.template import TAG_PATTERN
from app.messaging.wording import Wording, word
from app.shops.service import Shop


def wording_of(campaign: Campaign, shop: Shop) -> Wording:
    """Freeze the campaign's message for the shop. Raises DiscountUnresolved.

    `meta.smartEncoding` (default on) may replace expensive characters, `meta.compressGreek` (default off) may
    write Greek in capitals that are in the cheap alphabet; both only when it saves a part.
    """
    code = code_of(campaign)
    if not code and has_code_tag(campaign.message) and campaign.discount_id:
        raise DiscountUnresolved
    return word(
        campaign.message,
        constants={"shopName": shop.display_name, "discountCode": code},
        link_base=link_base_url(shop.base_url),
        smart=bool(campaign.meta.get("smartEncoding", True)),
        greek=bool(campaign.meta.get("compressGreek", False)),
    )


def code_of(campaign: Campaign) -> str:
    """The discount code that the text gives to everybody; empty when it gives none."""
    return str(campaign.meta.get("discountCode") or "") if has_code_tag(campaign.message) else ""


def has_code_tag(message: str) -> bool:
    """Whether the text gives a code away."""
    return any("discount" in tag.lower() for tag in TAG_PATTERN.findall(message))
