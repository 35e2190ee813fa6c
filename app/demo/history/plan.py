"""What the shop has sent, in words: whom, what, how many days ago, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from enum import StrEnum

DOMAIN = "salt-and-linen.myshopify.com"
SHOP_NAME = "Salt & Linen"
SENDER = "SaltLinen"
SHOP = "https://salt-and-linen.example"
CAMPAIGN_LINKS = "utm_source=astronote&utm_medium=sms&utm_campaign="

VIPS, BUYERS, NEWCOMERS, GUESTS = "VIPs", "Bought lately", "New since yesterday", "Boutique evening guests"
SEGMENTS = {
    VIPS: {"all": [{"field": "tags", "op": "anyOf", "value": ["vip"]}]},
    BUYERS: {"all": [{"field": "lastOrderAt", "op": "inLastDays", "value": 60}]},
    NEWCOMERS: {"all": [{"field": "createdAt", "op": "inLastDays", "value": 1}]},
}


class Ending(StrEnum):
    """What became of a sending. A stopped one had reached half of its people."""

    DONE = "completed"
    REFUSED = "failed"
    CANCELLED = "cancelled"
    PAUSED = "paused"


def link(page: str, campaign: str) -> str:
    """A page of the shop, long enough to be shortened in a text."""
    return f"{SHOP}/{page}?{CAMPAIGN_LINKS}{campaign}"


@dataclass(frozen=True)
class Sending:
    """One campaign of the past. `audience` is one of the clients' words or the name of a segment.

    `repeats_every` days it went out again until yesterday. `clicks` is the share of readers who open a link.
    """

    name: str
    message: str
    days_ago: int
    at: time
    audience: str = "all"
    ending: Ending = Ending.DONE
    repeats_every: int | None = None
    clicks: float = 0.09
    greek: bool = False


# Automations do not send yet. Once they do, their month belongs here: runs whose source is 'automation', made
# by the same statements (`sendings.send`), and their switches in `present`.
PAST = (
    Sending(
        "Linen weeks",
        f"Linen weeks at {{{{shopName}}}}: 20% off all bedding until Sunday. {link('linen', 'linen-weeks')}",
        29, time(11, 0), clicks=0.11,
    ),
    Sending(
        "Welcome",
        f"Welcome {{{{firstName}}}}! Your 10% for the first order: {link('welcome', 'welcome')}",
        28, time(10, 0), NEWCOMERS, repeats_every=1, clicks=0.24,
    ),
    Sending(
        "Weekly picks",
        f"Our picks for you, {{{{firstName}}}}: five things we love. {link('picks', 'weekly-picks')}",
        26, time(17, 30), VIPS, repeats_every=7, clicks=0.17,
    ),
    Sending(
        "Bath robes are back",
        f"They are back: waffle robes in sand and sea. {link('robes', 'robes-back')}",
        24, time(18, 45), "women", clicks=0.12,
    ),
    Sending(
        "Free delivery weekend",
        f"This weekend we deliver free, whatever you order. {link('collections/all', 'free-delivery')}",
        20, time(10, 30), clicks=0.08,
    ),
    Sending(
        "Gifts for him",
        f"A present for yourself? New shirts and throws for men. {link('men', 'gifts-for-him')}",
        17, time(19, 0), "men", clicks=0.07,
    ),
    Sending(
        "Μεσοβδόμαδο −15%",
        f"Μόνο σήμερα −15% σε όλα τα λευκά είδη. {link('lefka', 'mesovdomado')}",
        13, time(18, 30), clicks=0.1, greek=True,
    ),
    Sending(
        "Win-back",
        f"We miss you, {{{{firstName}}}}. Here is 15% to come back: {link('back', 'win-back')}",
        10, time(12, 15), BUYERS, Ending.CANCELLED, clicks=0.05,
    ),
    Sending(
        "Boutique evening",
        f"Wine, olives and the new collection: be our guest this week. {link('evening', 'evening')}",
        8, time(16, 0), GUESTS, Ending.REFUSED,
    ),
    Sending(
        "Early access",
        f"{{{{firstName}}}}, you shop the sale one day before all others: {link('early', 'early-access')}",
        6, time(11, 30), clicks=0.13,
    ),
    Sending(
        "Cosy nights",
        f"Wool throws, candles, slippers: everything for cosy nights. {link('cosy', 'cosy-nights')}",
        3, time(18, 0), "women", clicks=0.1,
    ),
    Sending(
        "Last sizes",
        f"Last sizes at half price, only while they last. {link('last-sizes', 'last-sizes-half-price')}",
        2, time(13, 0), clicks=0.06, ending=Ending.PAUSED,
    ),
    Sending(
        "Thank you",
        f"Thank you for a wonderful month! A little something for you: {link('thanks', 'thank-you')}",
        1, time(17, 0), BUYERS, clicks=0.14,
    ),
)  # fmt: skip

REPLIES = (
    "Thank you!", "Ευχαριστώ πολύ!", "Do you have the robe in blue?", "Ανοιχτά και το Σάββατο;", "HELP",
    "When will my parcel arrive?", "Love it", "Υπάρχει σε διπλό κρεβάτι;", "Who is this?", "👍",
)  # fmt: skip
STOPS = ("STOP", "Stop", "ΣΤΟΠ", "στοπ", "Unsubscribe", "Μη μου στέλνετε άλλα μηνύματα")
FORM_WORDING = "Yes, text me offers of Salt & Linen. I can opt out at any time."
