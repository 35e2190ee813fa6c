"""From an automation's text to frozen words: which merge tags it may use, and what they are called inside.

Clients know several names for one thing (`orderNumber`, `order.name`). Inside there is one, and with a dot,
so that the renderer takes it for a merge value.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from app.core.urls import link_base_url
from app.messaging.text.template import TAG_PATTERN
from app.messaging.wording import Wording, word
from app.shops.models import Shop

VALUE_MAX = 40  # characters, as the renderer cuts
# Tags as clients write them, compared without case, blanks and underscores.
NAMES: Mapping[str, str] = {
    "customer.firstname": "firstName",
    "customer.lastname": "lastName",
    "subscriber.firstname": "firstName",
    "subscriber.lastname": "lastName",
    "customer.displayname": "customer.displayName",
    "ordernumber": "order.name",
    "order.name": "order.name",
    "totalprice": "order.total",
    "currency": "order.currency",
    "lineitems": "order.items",
    "discountcodes": "order.codes",
    "shippingaddress.city": "order.city",
    "shippingaddress.country": "order.country",
    "trackingnumber": "tracking.number",
    "tracking.number": "tracking.number",
    "trackinglink": "tracking.url",
    "tracking.url": "tracking.url",
    "tracking.company": "tracking.company",
    "estimateddeliveryat": "tracking.expected",
    "abandonedcheckouturl": "checkout.url",
    "subtotalprice": "checkout.subtotal",
    "producttitle": "product.title",
    "productname": "product.title",
    "dayssincelastorder": "customer.daysSinceLastOrder",
}
LINKS = ("tracking.url", "checkout.url")


def links_in(message: str) -> tuple[str, ...]:
    """The merge values of a text that are addresses, in the order in which LINKS has them."""
    used = {_inside(tag) for tag in TAG_PATTERN.findall(message)}
    return tuple(name for name in LINKS if name in used)


def code_in(message: str, conditions: Mapping[str, Any]) -> str:
    """The discount code that a text gives away; empty when it gives none."""
    gives = any(_inside(tag).casefold() == "discountcode" for tag in TAG_PATTERN.findall(message))
    return str(conditions.get("discountCode") or "") if gives else ""


def wording_of(message: str, conditions: Mapping[str, Any], shop: Shop, links: Collection[str]) -> Wording:
    """Freeze an automation's text for people who have the addresses `links`; the others' tags vanish."""
    absent = {name: "" for name in LINKS if name not in links}
    constants = {
        "shopName": shop.display_name,
        "shopDomain": shop.domain,
        "discountCode": str(conditions.get("discountCode") or ""),
        "reviewLink": str(conditions.get("reviewLink") or f"https://{shop.domain}"),
        "recommendedProducts": str(conditions.get("recommendedProducts") or ""),
    }
    return word(
        TAG_PATTERN.sub(lambda tag: f"{{{{{_inside(tag.group())}}}}}", message),
        constants={**constants, **absent},
        link_base=link_base_url(shop.base_url),
        personal_links=[name for name in LINKS if name in links],
    )


def enumerated(items: Collection[Mapping[str, Any]]) -> str:
    """What was ordered, in at most VALUE_MAX characters: `Linen shirt x1, Belt x2`, and how much more."""
    named = [f"{item['title']} x{item.get('quantity', 1)}" for item in items]
    for shown in range(len(named), 0, -1):
        rest = len(named) - shown
        text = ", ".join(named[:shown]) + (f" +{rest} more" if rest else "")
        if len(text) <= VALUE_MAX:
            return text
    return named[0][: VALUE_MAX - 3] + "..." if named else ""


def _inside(tag: str) -> str:
    written = tag[2:-2].strip()
    return NAMES.get(re.sub(r"[\s_]+", "", written).casefold(), written)
