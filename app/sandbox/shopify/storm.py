"""A storm of webhooks: many events, some of them several times, in any order, as fast as the app answers.

The events are true: orders that were placed, customers that were changed. Every change of one customer has a
second of its own, so what is newest is never in doubt; the shop's own records say afterwards what is true.
"""

import itertools
import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from app.sandbox.posting import Postman, was_taken
from app.sandbox.shopify import customers, orders, payloads
from app.sandbox.shopify.emitter import Delivery
from app.sandbox.shopify.shops import BadWish, Shop
from app.sandbox.shopify.state import Shopify

MIX = {"orders/create": 0.6, "customers/update": 0.25, "customers_marketing_consent/update": 0.15}
ATTEMPTS = 9
PAUSE_SECONDS = 0.2  # before a refused post is made again
BUYERS = 2000


@dataclass(frozen=True)
class StormWish:
    """`count` posts, of which a share repeats others. `mix`: shares of topics."""

    count: int = 10_000
    duplicates: float = 0.3
    seed: int = 1
    threads: int = 8
    mix: dict[str, float] = field(default_factory=lambda: dict(MIX))

    @classmethod
    def read(cls, wish: dict[str, Any]) -> "StormWish":
        """From JSON. Raises BadWish."""
        try:
            found = cls(**wish)
        except TypeError as error:
            raise BadWish(str(error)) from error
        if not set(found.mix) <= set(MIX) or not 0 <= found.duplicates < 1 or found.count < 1:
            raise BadWish(f"mix knows {', '.join(MIX)}; duplicates is below 1; count is above 0")
        return found


class Storm:
    """One storm. `figures` can be asked for while it goes on."""

    def __init__(self, world: Shopify, shop: Shop, wish: StormWish) -> None:
        self._world, self._shop, self._wish = world, shop, wish
        self._chance = random.Random(wish.seed)
        self._lock = threading.Lock()
        self._seconds: list[float] = []
        self._statuses: Counter[str] = Counter()
        self._refused = 0
        self._started_at = time.monotonic()
        self._ended_at: float | None = None
        self.events = self._events()
        posts = self._posts()
        self._thread = threading.Thread(target=self._rage, args=(posts,), name="shopify-storm", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._started_at = time.monotonic()
        self._thread.start()

    def figures(self) -> dict[str, Any]:
        """Posts made, answers, and how long they took in milliseconds."""
        with self._lock:
            took = sorted(self._seconds)
            statuses = dict(self._statuses)
        seconds = (self._ended_at or time.monotonic()) - self._started_at
        return {
            "done": self._ended_at is not None,
            "posts": len(took),
            "distinct": len(self.events),
            "topics": dict(Counter(one.topic for one in self.events)),
            "statuses": statuses,
            "refused": self._refused,
            "p50_ms": _at(took, 0.5),
            "p99_ms": _at(took, 0.99),
            "max_ms": _at(took, 1.0),
            "seconds": round(seconds, 3),
            "per_second": round(len(took) / seconds, 1) if seconds else 0.0,
        }

    def _events(self) -> list[Delivery]:
        world, shop, wish = self._world, self._shop, self._wish
        count = max(1, round(wish.count * (1 - wish.duplicates)))
        # Each event has its own second, and all of them are over now.
        begin = world.clock.now() - count
        rows = world.store.rows(
            "SELECT id FROM customers WHERE shop = ? AND phone IS NOT NULL AND updated_at < ? LIMIT ?",
            (shop.domain, begin, BUYERS),
        )
        if not rows:
            raise BadWish("The shop has no customers with a phone from before the storm.")
        topics, weights = list(wish.mix), list(wish.mix.values())
        addresses = {topic: self._address(topic) for topic in topics}
        with world.store.changing():
            return [
                self._event(topic, addresses[topic], self._chance.choice(rows)["id"], begin + number)
                for number, topic in enumerate(self._chance.choices(topics, weights, k=count))
            ]

    def _event(self, topic: str, url: str, customer: int, at: int) -> Delivery:
        world, shop = self._world, self._shop
        if topic == "orders/create":
            wish = {
                "customer_id": customer,
                "at": at,
                "items": [{"price": f"{self._chance.randrange(5, 200)}.90"}],
            }
            payload = orders.shown(world, shop, orders.keep_new(world, shop, wish))
        elif topic == "customers/update":
            sql = "UPDATE customers SET last_name = ?, updated_at = ? WHERE shop = ? AND id = ?"
            world.store.run(sql, (f"Storm {at}", at, shop.domain, customer))
            payload = payloads.customer(customers.by_id(world, shop, customer), shop)
        else:
            state = self._chance.choice(("subscribed", "unsubscribed"))
            sql = customers.SET_CONSENT
            world.store.run(sql, (state, "single_opt_in", at, "SHOPIFY", at, shop.domain, customer))
            payload = payloads.consent_change(customers.by_id(world, shop, customer), shop)
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        return Delivery(shop.domain, topic, url, body, str(uuid.uuid4()), world.emitter.moment(), None)

    def _address(self, topic: str) -> str:
        found = self._world.emitter.addresses(self._shop.domain, topic)
        if not found:
            raise BadWish(f"The app has not subscribed to {topic}.")
        return found[0]

    def _posts(self) -> list[Delivery]:
        again = self._chance.choices(self.events, k=max(0, self._wish.count - len(self.events)))
        posts = [*self.events, *again]
        self._chance.shuffle(posts)
        return posts

    def _rage(self, posts: list[Delivery]) -> None:
        postman = Postman(self._wish.threads)
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(PAUSE_SECONDS * attempt)
            posts = self._round(postman, posts)
            if not posts:
                break
        self._refused = len(posts)
        postman.close()
        self._ended_at = time.monotonic()

    def _round(self, postman: Postman, posts: list[Delivery]) -> list[Delivery]:
        """Post each once; those that were not taken."""
        source, left = iter(posts), list[Delivery]()

        def work() -> None:
            while (delivery := self._next(source)) is not None:
                began = time.monotonic()
                headers = self._world.emitter.headers(delivery)
                status = postman.post(
                    delivery.url, headers, delivery.body, self._world.switches.now.timeout_seconds
                )
                self._note(time.monotonic() - began, status)
                if not was_taken(status):
                    left.append(delivery)

        threads = [threading.Thread(target=work) for _ in range(self._wish.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return left

    def _next(self, source: Any) -> Delivery | None:
        with self._lock:
            found: Delivery | None = next(source, None)
        return found

    def _note(self, seconds: float, status: int | None) -> None:
        with self._lock:
            self._seconds.append(seconds)
            self._statuses[str(status)] += 1


class Storms:
    """The storms of one sandbox."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._storms: dict[int, Storm] = {}

    def begin(self, storm: Storm) -> int:
        """Let it loose; its number."""
        number = next(self._numbers)
        self._storms[number] = storm
        storm.start()
        return number

    def of(self, number: int) -> Storm | None:
        """One of them."""
        return self._storms.get(number)


def _at(took: list[float], share: float) -> float:
    if not took:
        return 0.0
    return round(took[min(len(took) - 1, int(len(took) * share))] * 1000, 2)
