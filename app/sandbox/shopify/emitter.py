"""Carries webhooks to the app: signed, in order while all goes well, else again with growing pauses.

shopify.dev: an answer in 5 s, 8 retries in 4 hours; a subscription that failed 8 times in a row is deleted.
The payload, the address and the webhook id of a retry are those of the first attempt.
"""

import heapq
import itertools
import json
import random
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

from app.sandbox.shopify.clock import Clock
from app.sandbox.shopify.faults import WEBHOOKS, FaultList, Trouble
from app.sandbox.shopify.postman import Postman, was_taken
from app.sandbox.shopify.settings import AppRegistration, SwitchBoard
from app.sandbox.shopify.signing import webhook_signature
from app.sandbox.shopify.store import ShopStore
from app.sandbox.shopify.topics import COMPLIANCE

LANES = 8  # what one shop is told goes through one of them, one after the other
KEPT = 5000
SUBSCRIBED = """
SELECT id, body FROM documents WHERE shop = ? AND kind = 'subscription' AND token = ? ORDER BY id
"""
REORDER_SECONDS = 1.0  # a held-back handful leaves after this, complete or not
WRONG_SECRET = "not-the-secret-not-the-secret-not"  # noqa: S105 -- on purpose wrong
API_VERSION = "2026-10"


@dataclass
class Delivery:
    """One webhook to one address. `statuses` are the answers so far, None for no answer."""

    shop: str
    topic: str
    url: str
    body: bytes
    event_id: str
    triggered_at: str
    subscription: int | None
    webhook_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    signature: str | None = None  # a wrong one; else it is signed when it leaves
    state: str = "waiting"  # then taken, given up, or lost
    statuses: list[int | None] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """For the page and for assertions."""
        return {
            "shop": self.shop,
            "topic": self.topic,
            "url": self.url,
            "webhook_id": self.webhook_id,
            "event_id": self.event_id,
            "triggered_at": self.triggered_at,
            "state": self.state,
            "statuses": list(self.statuses),
            "body": self.body.decode(errors="replace")[:20_000],
        }


class Emitter:
    """`emit` returns at once; threads post. Close it to stop them."""

    def __init__(
        self, store: ShopStore, app: AppRegistration, clock: Clock, faults: FaultList, switches: SwitchBoard
    ) -> None:
        self._store, self._app, self._clock = store, app, clock
        self._faults, self._switches = faults, switches
        self._postman = Postman(LANES)
        self._lanes = [ThreadPoolExecutor(1, thread_name_prefix=f"shopify-{n}") for n in range(LANES)]
        self._kept: deque[Delivery] = deque(maxlen=KEPT)
        self._failures: dict[int, int] = {}
        self._waiting = 0
        self._held: list[Delivery] = []
        self._to_hold = 0
        self._later: list[tuple[float, int, Delivery | None]] = []
        self._order = itertools.count()
        self._random = random.Random(1)
        self._is_closed = False
        self._changed = threading.Condition()
        self._timer = threading.Thread(target=self._keep_time, name="shopify-timer", daemon=True)
        self._timer.start()

    def emit(
        self, shop: str, topic: str, payload: Mapping[str, Any], event_id: str | None = None
    ) -> list[Delivery]:
        """Tell everybody who wants to know. One `event_id` for all that one action of a merchant causes."""
        event_id = event_id or str(uuid.uuid4())
        deliveries = [
            self._delivery(shop, topic, url, _chosen(payload, fields), event_id, subscription)
            for url, fields, subscription in self._addresses(shop, topic)
        ]
        for delivery in deliveries:
            self._kept.append(delivery)
            self._begin(delivery)
        return deliveries

    def headers(self, delivery: Delivery) -> dict[str, str]:
        """What a real delivery carries."""
        return {
            "Content-Type": "application/json",
            "User-Agent": "Shopify-Captain-Hook",
            "X-Shopify-Topic": delivery.topic,
            "X-Shopify-Hmac-Sha256": delivery.signature or self.sign(delivery.body),
            "X-Shopify-Shop-Domain": delivery.shop,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": delivery.webhook_id,
            "X-Shopify-Event-Id": delivery.event_id,
            "X-Shopify-Triggered-At": delivery.triggered_at,
        }

    def sign(self, body: bytes, secret: str | None = None) -> str:
        """With the secret that Shopify signs with at this moment, or another."""
        lag = self._switches.now.signing_lag_seconds
        return webhook_signature(body, secret or self._app.signing_secret(self._clock.precisely(), lag))

    def moment(self) -> str:
        """`X-Shopify-Triggered-At`: nanoseconds, UTC."""
        return f"{datetime.fromtimestamp(self._clock.precisely(), UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"

    def addresses(self, shop: str, topic: str) -> list[str]:
        """Where the app wants to hear of this."""
        return [url for url, _, _ in self._addresses(shop, topic)]

    def outstanding(self) -> int:
        """Deliveries that are neither taken nor given up."""
        with self._changed:
            return self._waiting

    def recorded(
        self, *, shop: str | None = None, topic: str | None = None, limit: int = KEPT
    ) -> list[dict[str, Any]]:
        """The last deliveries, oldest first."""
        found = [one for one in list(self._kept) if shop in (None, one.shop) and topic in (None, one.topic)]
        return [one.shown() for one in found[-limit:]]

    def again(self, webhook_id: str) -> bool:
        """Post one of the last deliveries once more, as it was."""
        found = next((one for one in list(self._kept) if one.webhook_id == webhook_id), None)
        if found:
            self._submit(found, counted=True)
        return found is not None

    def forget_everything(self) -> None:
        """What is still under way is not repeated."""
        with self._changed:
            self._waiting -= len(self._held) + sum(one is not None for _, _, one in self._later)
            self._later.clear()
            self._held, self._to_hold = [], 0
        self._failures.clear()
        self._kept.clear()

    def close(self) -> None:
        """Stop posting."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._timer.join()
        for lane in self._lanes:
            lane.shutdown(wait=True, cancel_futures=True)
        self._postman.close()

    def _addresses(self, shop: str, topic: str) -> list[tuple[str, list[str], int | None]]:
        if topic in COMPLIANCE:
            return [(f"{self._app.app_url}/webhooks/shopify", [], None)] if self._app.app_url else []
        rows = self._store.rows(SUBSCRIBED, (shop, topic))
        found = [(row["id"], json.loads(row["body"])) for row in rows]
        return [(body["uri"], body.get("includeFields") or [], number) for number, body in found]

    def _delivery(
        self,
        shop: str,
        topic: str,
        url: str,
        payload: Mapping[str, Any],
        event_id: str,
        subscription: int | None,
    ) -> Delivery:
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        return Delivery(shop, topic, url, body, event_id, self.moment(), subscription)

    def _begin(self, delivery: Delivery) -> None:
        struck = self._faults.take(WEBHOOKS, delivery.shop, delivery.topic)
        if Trouble.LOST in struck:
            delivery.state = "lost"
            return
        self._spoil(delivery, struck)
        copies = 1 + (int(struck[Trouble.DUPLICATE].value) if Trouble.DUPLICATE in struck else 0)
        if Trouble.REORDER in struck:
            self._hold_next(max(2, int(struck[Trouble.REORDER].value)))
        with self._changed:
            self._waiting += copies
        for _ in range(copies):
            if Trouble.DELAY in struck:
                self._at(struck[Trouble.DELAY].value, delivery)
            elif not self._hold(delivery):
                self._submit(delivery)

    def _spoil(self, delivery: Delivery, struck: Mapping[Trouble, Any]) -> None:
        if Trouble.OVERSIZED in struck:
            padding = "x" * int(struck[Trouble.OVERSIZED].value)
            delivery.body = delivery.body[:-1] + f',"note":"{padding}"}}'.encode()
        if Trouble.NOT_JSON in struck:
            delivery.body = b"<html>not json</html>"
        if Trouble.WRONG_SIGNATURE in struck:
            delivery.signature = self.sign(delivery.body, WRONG_SECRET)
        if Trouble.TRUNCATED in struck:
            delivery.signature = delivery.signature or self.sign(delivery.body)
            delivery.body = delivery.body[: len(delivery.body) // 2]

    def _hold_next(self, count: int) -> None:
        with self._changed:
            self._to_hold = count
        self._at(REORDER_SECONDS, None)

    def _hold(self, delivery: Delivery) -> bool:
        with self._changed:
            if not self._to_hold:
                return False
            self._held.append(delivery)
            self._to_hold -= 1
            is_complete = not self._to_hold
        if is_complete:
            self._release()
        return True

    def _release(self) -> None:
        with self._changed:
            held, self._held, self._to_hold = self._held, [], 0
        first = list(held)
        while len(held) > 1 and held == first:
            self._random.shuffle(held)
        for delivery in held:
            self._submit(delivery)

    def _submit(self, delivery: Delivery, *, counted: bool = False) -> None:
        lane = self._lanes[crc32(delivery.shop.encode()) % LANES]
        with self._changed:
            if self._is_closed:
                return
            self._waiting += counted
            lane.submit(self._post, delivery)

    def _post(self, delivery: Delivery) -> None:
        switches = self._switches.now
        status = self._postman.post(
            delivery.url, self.headers(delivery), delivery.body, switches.timeout_seconds
        )
        delivery.statuses.append(status)
        if was_taken(status):
            self._settle(delivery, "taken")
            self._failures.pop(delivery.subscription or 0, None)
        elif len(delivery.statuses) > switches.retries:
            self._settle(delivery, "given up")
            self._failed(delivery)
        else:
            self._failed(delivery)
            self._at(switches.retry_seconds * 2 ** (len(delivery.statuses) - 1), delivery)

    def _failed(self, delivery: Delivery) -> None:
        number = delivery.subscription
        if number is None:
            return
        self._failures[number] = self._failures.get(number, 0) + 1
        if self._failures[number] >= self._switches.now.retries and self._switches.now.delete_failing:
            self._store.drop(delivery.shop, "subscription", number)

    def _settle(self, delivery: Delivery, state: str) -> None:
        if delivery.state != "taken":
            delivery.state = state
        with self._changed:
            self._waiting -= 1
            self._changed.notify_all()

    def _at(self, seconds: float, delivery: Delivery | None) -> None:
        with self._changed:
            heapq.heappush(self._later, (time.monotonic() + seconds, next(self._order), delivery))
            self._changed.notify_all()

    def _keep_time(self) -> None:
        while True:
            with self._changed:
                if self._is_closed:
                    return
                pause = self._later[0][0] - time.monotonic() if self._later else None
                if pause is None or pause > 0:
                    self._changed.wait(pause)
                    continue
                _, _, delivery = heapq.heappop(self._later)
            if delivery is None:
                self._release()
            else:
                self._submit(delivery)


def _chosen(payload: Mapping[str, Any], fields: list[str]) -> Mapping[str, Any]:
    """What `includeFields` leaves over; ids always stay."""
    if not fields:
        return payload
    return {name: value for name, value in payload.items() if name in fields or name == "id"}
