"""One text of the library, and what each kind of text is for."""

from __future__ import annotations

from dataclasses import dataclass

from app.shops.models import EshopType


@dataclass(frozen=True)
class Purpose:
    """What a kind of text is meant to bring, and by which figures a shop can see whether it did."""

    title: str
    goal: str
    suggested_metrics: str


@dataclass(frozen=True)
class LibraryText:
    """A text as it is seeded. `key` is unique within the shop type."""

    key: str
    eshop_type: EshopType
    category: str
    title: str
    content: str
    goal: str
    suggested_metrics: str


# The kinds of the shared library, in the order of display.
SHARED_PURPOSES = {
    "welcome": Purpose(
        "Welcome", "Confirm the sign-up and say what to expect.", "Delivery rate, opt-outs in the first week"
    ),
    "abandoned_cart": Purpose(
        "Cart reminder", "Bring back somebody who left a full cart.", "Recovered carts, revenue per message"
    ),
    "promo": Purpose(
        "Promotion", "Sell more for a short time with a discount code.", "Uses of the code, revenue, opt-outs"
    ),
    "back_in_stock": Purpose(
        "Back in stock", "Tell those who waited that they can buy.", "Orders of the product, time to order"
    ),
    "order_update": Purpose(
        "Order update", "Say that the order has left, before anybody asks.", "Fewer questions to support"
    ),
}

# The kinds of the shops' own sets. The key is the category as both clients show it.
SHOP_PURPOSES = {
    "welcome": Purpose("Welcome", "Greet a new subscriber.", "Delivery rate, opt-outs in the first week"),
    "promotion": Purpose("Promotion", "Sell more with a discount code.", "Uses of the code, revenue"),
    "reminder": Purpose("Reminder", "Bring back interest that has gone quiet.", "Orders within three days"),
    "loyalty": Purpose("Thank-you", "Reward those who buy again.", "Repeat orders, uses of the code"),
    "engagement": Purpose("Staying in touch", "Start a conversation, not a sale.", "Visits, reviews"),
    "notification": Purpose("News", "Tell what is new in the shop.", "Visits, orders within three days"),
    "special": Purpose("Special", "Show this season's selection.", "Visits, orders of the selection"),
    "upsell": Purpose("Goes well with", "Suggest what completes a purchase.", "Orders with a second item"),
}
