"""Tells the app by webhooks, signed.

shopify.dev: an answer in 5 s, 8 retries in 4 hours; a subscription that failed 8 times in a row is deleted.
The payload, the address and the webhook id of a retry are those of the first attempt.
"""

import json
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.sandbox.clock import Clock
from app.sandbox.dispatch import LANES, Dispatch, Journey, Pace
from app.sandbox.posting import Postman
from app.sandbox.shopify.faults import WEBHOOKS, FaultList, Trouble
from app.sandbox.shopify.settings import AppRegistration, Switches
from app.sandbox.shopify.signing import webhook_signature
from app.sandbox.shopify.store import ShopStore
from app.sandbox.shopify.topics import COMPLIANCE
from app.sandbox.switches import SwitchBoard

KEPT = 5000
SUBSCRIBED = """
SELECT id, body FROM documents WHERE shop = ? AND kind = 'subscription' AND token = ? ORDER BY id
"""
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

    @property
    def lane(self) -> str:
        """What one shop is told is told in order."""
        return self.shop

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
        self,
        store: ShopStore,
        app: AppRegistration,
        clock: Clock,
        faults: FaultList,
        switches: SwitchBoard[Switches],
    ) -> None:
        self._store, self._app, self._clock = store, app, clock
        self._faults, self._switches = faults, switches
        self._postman = Postman(LANES)
        self._dispatch = Dispatch("shopify", self._post, self._pace, self._answered)
        self._kept: deque[Delivery] = deque(maxlen=KEPT)
        self._failures: dict[int, int] = {}

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
        return self._dispatch.outstanding()

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
            self._dispatch.again(found)
        return found is not None

    def forget_everything(self) -> None:
        """What is still under way is not repeated."""
        self._dispatch.forget_everything()
        self._failures.clear()
        self._kept.clear()

    def close(self) -> None:
        """Stop posting."""
        self._dispatch.close()
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
        values = {kind: fault.value for kind, fault in struck.items()}
        journey = Journey(
            copies=1 + int(values.get(Trouble.DUPLICATE, 0)),
            delay_seconds=values.get(Trouble.DELAY, 0.0),
            reorder=int(values.get(Trouble.REORDER, 0)),
        )
        self._dispatch.send(delivery, journey)

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

    def _post(self, delivery: Delivery) -> int | None:
        seconds = self._switches.now.timeout_seconds
        return self._postman.post(delivery.url, self.headers(delivery), delivery.body, seconds)

    def _pace(self) -> Pace:
        return Pace(self._switches.now.retries, self._switches.now.retry_seconds)

    def _answered(self, delivery: Delivery, taken: bool) -> None:
        if taken:
            self._failures.pop(delivery.subscription or 0, None)
        else:
            self._failed(delivery)

    def _failed(self, delivery: Delivery) -> None:
        number = delivery.subscription
        if number is None:
            return
        self._failures[number] = self._failures.get(number, 0) + 1
        if self._failures[number] >= self._switches.now.retries and self._switches.now.delete_failing:
            self._store.drop(delivery.shop, "subscription", number)


def _chosen(payload: Mapping[str, Any], fields: list[str]) -> Mapping[str, Any]:
    """What `includeFields` leaves over; ids always stay."""
    if not fields:
        return payload
    return {name: value for name, value in payload.items() if name in fields or name == "id"}
