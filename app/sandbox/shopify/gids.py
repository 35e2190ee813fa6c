"""Names of things: shop domains, and ids as GraphQL writes them. Numbers are above 2^53 on purpose."""

import re

DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,60}\.myshopify\.com")

# The first number of each kind; a float would round every one of them.
FIRST_NUMBERS = {
    "Shop": 54_848_900_000_000_001,
    "Customer": 720_982_911_946_154_001,
    "Order": 820_982_911_946_154_001,
    "Checkout": 620_982_911_946_154_001,
    "Fulfillment": 255_858_046_000_000_001,
    "FulfillmentEvent": 265_858_046_000_000_001,
    "Refund": 509_562_969_000_000_001,
    "LineItem": 866_550_311_766_439_001,
    "DiscountCodeNode": 417_000_118_000_000_001,
    "DiscountRedeemCode": 427_000_118_000_000_001,
    "DiscountRedeemCodeBulkCreation": 437_000_118_000_000_001,
    "WebhookSubscription": 892_403_750_000_000_001,
    "BulkOperation": 720_918_000_000_000_001,
    "DataRequest": 930_918_000_000_000_001,
}


def is_domain(text: str) -> bool:
    """Whether this is a shop's permanent address."""
    return DOMAIN.fullmatch(text) is not None


def gid(kind: str, number: int) -> str:
    """`gid://shopify/Customer/720982911946154001`."""
    return f"gid://shopify/{kind}/{number}"


def number_of(kind: str, text: object) -> int | None:
    """The number in such a gid; None when it is not one of that kind."""
    found = re.fullmatch(rf"gid://shopify/{kind}/(\d{{1,19}})", str(text))
    return int(found[1]) if found else None
