"""The exact price of a text for an audience, beside a bare COUNT(*) of the same audience."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select

from app.campaigns.models import Campaign
from app.campaigns.service import addressing
from app.campaigns.service.wording import wording_of
from app.core.uow import require_unit_of_work, unit_of_work
from app.messaging.service import freezing
from app.shops import service as shops
from bench.arena import LITERAL, PERSONAL, Arena
from bench.measuring import Pair, in_turns, seconds
from bench.results import Result, Results, Target

RATIO = Target("ratio", "<=", 3)
JUDGED_FROM = 100_000  # recipients
TURNS = 5


def bench_preview(arena: Arena, results: Results, size: int) -> None:
    """Both kinds of text: only the one with a name needs to look at each contact's lengths."""
    shop_id = arena.shop_of(size)
    target = RATIO if size >= JUDGED_FROM else None
    for name, message in (("preview.exact", PERSONAL), ("preview.literal", LITERAL)):
        campaign_id = arena.a_campaign(shop_id, message)
        with unit_of_work(shop_id) as session:
            campaign = session.get_one(Campaign, campaign_id)
            words = wording_of(campaign, shops.find_shop(shop_id)).text
            pair = _beside_count(words, addressing.recipients_of(campaign), size)
        results.add(Result(name, size, pair.first, "s", pair.second, target, pair.n))


def _beside_count(words: str, everybody: Select[Any], size: int) -> Pair:
    session = require_unit_of_work()
    counting = select(func.count()).select_from(everybody.subquery())
    assert freezing.price(words, everybody).recipients == session.scalar(counting) == size
    return in_turns(
        lambda: seconds(lambda: freezing.price(words, everybody)),
        lambda: seconds(lambda: session.scalar(counting)),
        TURNS,
    )
