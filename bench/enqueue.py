"""Starting a campaign: state claimed, audience frozen and priced, credits held, in one transaction.

The limit is the bare INSERT … SELECT of the same rows into a table with the same columns and indexes.
"""

from __future__ import annotations

from collections.abc import Callable

import requests
from sqlalchemy import text

from app.auth import tokens
from app.campaigns.service import sending
from app.config import Settings
from app.shops import service as shops
from bench.arena import LITERAL, PERSONAL, Arena
from bench.measuring import in_turns, peak_memory, seconds, wait_until
from bench.results import Result, Results, Target

MAKE_TWIN = "CREATE TABLE IF NOT EXISTS bench_messages (LIKE messages INCLUDING ALL)"
BARE = {
    LITERAL: text("""
        INSERT INTO bench_messages (shop_id, run_id, contact_id, phone, parts)
        SELECT shop_id, 1, id, phone, 1 FROM contacts WHERE shop_id = :shop_id AND consent = 'opted_in'"""),
    PERSONAL: text("""
        INSERT INTO bench_messages (shop_id, run_id, contact_id, phone, first_name, parts)
        SELECT shop_id, 1, id, phone, first_name, 1 FROM contacts
        WHERE shop_id = :shop_id AND consent = 'opted_in'"""),
}
RATIO = Target("ratio", "<=", 1.5)
JUDGED_FROM = 100_000  # recipients; design.md promises nothing about small campaigns
GROWTH = Target("value", "<=", 20)
PATIENCE_SECONDS = 300


def bench_enqueue(arena: Arena, results: Results, size: int) -> None:
    """In process with both kinds of text, over HTTP, and as a job; with the memory of both processes."""
    shop_id = arena.shop_of(size)
    with arena.owner.connect() as connection:
        connection.exec_driver_sql(MAKE_TWIN)
    for name, message in (("enqueue.inline", LITERAL), ("enqueue.personal", PERSONAL)):
        _beside_bare(arena, results, size, name, message, lambda c: sending.enqueue(shop_id, c))
    with peak_memory(arena.processes("web")) as web:
        _beside_bare(arena, results, size, "enqueue.http", PERSONAL, _over_http(arena, shop_id))
    growth = GROWTH if size >= JUDGED_FROM else None
    results.add(Result("memory.web_growth", size, web.growth_mb, "MB", target=growth))
    _as_job(arena, results, size)
    arena.empty_messages()


def _beside_bare(
    arena: Arena, results: Results, size: int, name: str, message: str, start: Callable[[int], object]
) -> None:
    shop_id = arena.shop_of(size)

    def ours() -> float:
        arena.empty_messages()
        campaign_id = arena.a_campaign(shop_id, message)
        return seconds(lambda: start(campaign_id))

    def bare() -> float:
        return _bare(arena, shop_id, message)

    pair = in_turns(ours, bare, arena.turns(size))
    results.add(Result(name, size, pair.first, "s", pair.second, _target(size), pair.n))


def _bare(arena: Arena, shop_id: int, message: str) -> float:
    with arena.owner.connect() as connection:
        connection.exec_driver_sql("TRUNCATE bench_messages")
        return seconds(lambda: connection.execute(BARE[message], {"shop_id": shop_id}))


def _over_http(arena: Arena, shop_id: int) -> Callable[[int], object]:
    token = tokens.issue(shop_id, shops.signed_in_shop(shop_id).domain)
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token}"

    def start(campaign_id: int) -> None:
        url = f"{arena.world.url}/campaigns/{campaign_id}/enqueue"
        session.post(url, json={}, timeout=PATIENCE_SECONDS).raise_for_status()

    return start


def _as_job(arena: Arena, results: Results, size: int) -> None:
    """The request claims the state and prices, the worker freezes. Measured from the click to the rows."""
    shop_id = arena.shop_of(size)
    with arena.running("worker-events") as pids, peak_memory(pids) as worker:

        def ours() -> float:
            arena.empty_messages()
            campaign_id = arena.a_campaign(shop_id, PERSONAL)
            return seconds(lambda: _start_as_job(arena, shop_id, campaign_id))

        pair = in_turns(ours, lambda: _bare(arena, shop_id, PERSONAL), arena.turns(size))
    # Above the default of ENQUEUE_INLINE_LIMIT this is the way that a campaign takes.
    target = _target(size) if size > Settings.enqueue_inline_limit else None
    results.add(
        Result("enqueue.job", size, pair.first, "s", pair.second, target, pair.n),
        Result("memory.freezer_growth", size, worker.growth_mb, "MB"),
    )


def _target(size: int) -> Target | None:
    return RATIO if size >= JUDGED_FROM else None


def _start_as_job(arena: Arena, shop_id: int, campaign_id: int) -> None:
    with arena.with_settings(enqueue_inline_limit=0):
        sending.enqueue(shop_id, campaign_id)
    wait_until(lambda: arena.is_frozen(campaign_id), PATIENCE_SECONDS, "freezing in a job")
