"""Shopify's posts by the thousand, some of them twice, in any order, while who works on them is killed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests

from app.integrations.shopify.signatures import webhook_signature
from tests.faults.scenarios.catalogue import Theme
from tests.faults.world import Case, Stage, until

THEME = Theme("webhooks")
POSTS = 10_000
TWICE = 0.3  # this share of the posts repeats others
THREADS = 8
VERSIONS = 2  # of every order: placed, then changed
ORDERS_OF_BUYER = 5
P99_SECONDS = 0.2
BASE = "2026-11-24T10:{minute:02}:{second:02}Z"

WAITING = "SELECT count(*) FROM webhook_inbox WHERE shop_id = :shop_id AND processed_at IS NULL"
KEPT = "SELECT external_id, outcome FROM webhook_inbox WHERE shop_id = :shop_id AND provider = 'shopify'"
ORDERS = "SELECT shopify_id, total_cents FROM orders WHERE shop_id = :shop_id"
BOUGHT = "SELECT phone, orders_count FROM contacts WHERE shop_id = :shop_id"


@dataclass(frozen=True)
class Post:
    """One delivery: its id is the same on every repetition."""

    webhook_id: str
    topic: str
    body: bytes


@dataclass
class Answers:
    """How long the answers took, and what they were besides 200."""

    seconds: list[float] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, seconds: float, status: int) -> None:
        with self.lock:
            self.seconds.append(seconds)
            if status != 200:
                self.others.append(status)

    @property
    def p99(self) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)]


def phone_of(order: int) -> str:
    return f"+3069{40_000_000 + order // ORDERS_OF_BUYER:08}"


def cents_of(order: int, version: int) -> int:
    return 1_000 + order * 10 + version


def deliveries(orders: int) -> list[Post]:
    """Every version of every order, each a delivery of its own."""
    return [a_delivery(order, version) for order in range(1, orders + 1) for version in range(VERSIONS)]


def a_delivery(order: int, version: int) -> Post:
    phone, cents = phone_of(order), cents_of(order, version)
    payload = {
        "id": 7_000_000_000 + order,
        "name": f"#{order}",
        "created_at": BASE.format(minute=0, second=0),
        "updated_at": BASE.format(minute=version + 1, second=order % 60),
        "currency": "EUR",
        "total_price": f"{cents // 100}.{cents % 100:02}",
        "customer": {"id": 9_000_000 + order // ORDERS_OF_BUYER, "phone": phone, "first_name": "Μαρία"},
        "line_items": [{"title": "Cup", "quantity": 1}],
    }
    topic = "orders/updated" if version else "orders/create"
    return Post(f"storm-{order}-{version}", topic, json.dumps(payload).encode())


def post_all(stage: Stage, case: Case, posts: Sequence[Post]) -> Answers:
    """Make the posts, some at once; what is not taken is posted again, as Shopify does."""
    answers = Answers()
    secret = stage.world.env["SHOPIFY_API_SECRET"]
    here = threading.local()

    def make(post: Post) -> None:
        session = here.__dict__.setdefault("session", requests.Session())
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": post.topic,
            "X-Shopify-Shop-Domain": case.shop.domain,
            "X-Shopify-Webhook-Id": post.webhook_id,
            "X-Shopify-Triggered-At": BASE.format(minute=0, second=0),
            "X-Shopify-Hmac-Sha256": webhook_signature(post.body, secret),
        }
        status = 0
        while status != 200:
            began = time.perf_counter()
            url = f"{stage.world.url}/webhooks/shopify"
            status = session.post(url, data=post.body, headers=headers, timeout=5).status_code
            answers.note(time.perf_counter() - began, status)

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(make, post) for post in posts]:
            done.result()
    return answers


@THEME.scenario("a storm of Shopify's posts, a third of them twice, while two events workers are killed")
def webhook_storm(stage: Stage, count: int = POSTS) -> None:
    case = stage.case(0)
    distinct = deliveries(round(count * (1 - TWICE)) // VERSIONS)
    posts = distinct + stage.chance.choices(distinct, k=count - len(distinct))
    stage.chance.shuffle(posts)
    with stage.in_background(lambda: post_all(stage, case, posts)) as storm:
        kills = _kill_until(stage, storm.done)
    answers = storm.result()
    kills += _kill_until(stage, lambda: _waiting(stage, case) < len(distinct) // 4)
    stage.stand("events")
    until("the inbox is empty", lambda: _waiting(stage, case) == 0, seconds=240)
    case.title += f" ({len(posts)} posts, p99 {answers.p99 * 1000:.0f} ms, {kills} kills)"
    case.expect("every answer was 200", not answers.others)
    case.expect(f"p99 is below {P99_SECONDS * 1000:.0f} ms", answers.p99 < P99_SECONDS)
    case.expect("workers were killed", kills >= count // 500)
    _expect_each_once(stage, case, distinct)


def _expect_each_once(stage: Stage, case: Case, distinct: Sequence[Post]) -> None:
    shop: dict[str, Any] = {"shop_id": case.shop.id}
    kept = {row.external_id: row.outcome for row in stage.rows(KEPT, **shop)}
    orders = len(distinct) // VERSIONS
    case.expect("none was lost and none kept twice", kept.keys() == {post.webhook_id for post in distinct})
    case.expect("each was worked on", all(outcome not in {None, "dead"} for outcome in kept.values()))
    newest = {7_000_000_000 + order: cents_of(order, VERSIONS - 1) for order in range(1, orders + 1)}
    found = {row.shopify_id: row.total_cents for row in stage.rows(ORDERS, **shop)}
    case.expect("every order is there once, as it was last", found == newest)
    bought: dict[str, int] = {}
    for order in range(1, orders + 1):
        bought[phone_of(order)] = bought.get(phone_of(order), 0) + 1
    counted = {row.phone: row.orders_count for row in stage.rows(BOUGHT, **shop)}
    case.expect("every buyer's orders are counted once", counted == bought)


def _kill_until(stage: Stage, is_over: Any, seconds: float = 240) -> int:
    """Kill one of two events workers again and again; how many were killed."""
    deadline = time.monotonic() + seconds
    second, kills = stage.fork("events"), 0
    while not is_over() and time.monotonic() < deadline:
        time.sleep(stage.chance.uniform(0.2, 0.5))
        if stage.chance.random() < 0.5:
            stage.stand("events")  # kills the one that stands
        else:
            second.kill()
            second = stage.fork("events")
        kills += 1
    second.kill()
    return kills


def _waiting(stage: Stage, case: Case) -> int:
    return int(stage.rows(WAITING, shop_id=case.shop.id)[0][0])
