"""The words of a campaign as they would be frozen now."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.campaigns.errors import DiscountUnresolved
from app.campaigns.models import Campaign
from app.core.urls import link_base_url
from app.discounts.service.pools import SLOT
from app.messaging.text.template import TAG_PATTERN
from app.messaging.wording import Wording, word
from app.shops.service import Shop


@dataclass(frozen=True)
class Spelling:
    """What may be done to a text to make it cheaper; both only when it saves a part.

    `smart` replaces expensive characters, `greek` writes Greek in capitals that are in the cheap alphabet.
    """

    smart: bool
    greek: bool

    def __bool__(self) -> bool:
        return self.smart or self.greek


def spelling_of(campaign: Campaign) -> Spelling:
    """What the merchant allows: `meta.smartEncoding` (default on), `meta.compressGreek` (default off)."""
    meta = campaign.meta
    return Spelling(bool(meta.get("smartEncoding", True)), bool(meta.get("compressGreek", False)))


def wording_of(
    campaign: Campaign, shop: Shop, *, message: str | None = None, spelling: Spelling | None = None
) -> Wording:
    """Freeze the campaign's message (or another one in its place) for the shop. Raises DiscountUnresolved."""
    code = code_of(campaign)
    message = campaign.message if message is None else message
    spelling = spelling_of(campaign) if spelling is None else spelling
    if pool_id_of(campaign) is not None:
        message = TAG_PATTERN.sub(_own_code, message)
    elif not code and has_code_tag(campaign.message) and campaign.discount_id:
        raise DiscountUnresolved
    return word(
        message,
        constants={"shopName": shop.display_name, "discountCode": code},
        link_base=link_base_url(shop.base_url),
        smart=spelling.smart,
        greek=spelling.greek,
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
