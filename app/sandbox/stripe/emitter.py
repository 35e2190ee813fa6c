"""Posts events to the account's webhook, or keeps them for a test that posts them itself.

docs.stripe.com/webhooks: any 2xx takes an event, else it comes again with growing pauses, each time under a
new signature; no order is promised, and the same event may come twice.
"""

import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from app.sandbox.dispatch import LANES, Dispatch, Journey, Pace
from app.sandbox.posting import Postman
from app.sandbox.stripe.faults import WEBHOOKS, FaultList, Trouble
from app.sandbox.stripe.settings import Account, Switches
from app.sandbox.stripe.signing import header
from app.sandbox.stripe.store import Document, StripeStore
from app.sandbox.switches import SwitchBoard

KEPT = 5000
WRONG_SECRET = "whsec_not_the_secret"  # noqa: S105 -- on purpose wrong


@dataclass
class Delivery:
    """One event on its way to one address. `statuses` are the answers so far, None for no answer."""

    event_id: str
    type: str
    about: str  # the id of the object that changed
    created: int
    url: str
    body: bytes
    lane: str
    secret: str | None = None  # a wrong one; else those that are live when it leaves
    age_seconds: int = 0
    signature: str | None = None  # of the body before it was cut
    state: str = "waiting"  # then taken, given up, lost or held
    statuses: list[int | None] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """For the page and for assertions."""
        return {
            "event_id": self.event_id,
            "type": self.type,
            "about": self.about,
            "created": self.created,
            "url": self.url,
            "state": self.state,
            "statuses": list(self.statuses),
            "body": self.body.decode(errors="replace")[:20_000],
        }


class Emitter:
    """`tell` returns at once; threads post. Without an address, or held back, events wait for `pull`."""

    def __init__(
        self, store: StripeStore, account: Account, faults: FaultList, switches: SwitchBoard[Switches]
    ) -> None:
        self._store, self._account = store, account
        self._faults, self._switches = faults, switches
        self._postman = Postman(LANES)
        self._dispatch = Dispatch("stripe", self._post, self._pace)
        self._kept: deque[Delivery] = deque(maxlen=KEPT)
        self._held: deque[Document] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def tell(self, event: Document) -> None:
        """Something has happened. Events that the account did not ask for are not sent."""
        if not any(fnmatchcase(event["type"], wanted) for wanted in self._account.enabled_events):
            return
        delivery = self._delivery(event)
        self._kept.append(delivery)
        if self._switches.now.hold_back or not self._account.webhook_url:
            delivery.state = "held"
            self._held.append(event)
        else:
            self._begin(delivery)

    def pull(self) -> list[dict[str, Any]]:
        """The held-back events since the last call, oldest first: each with its body and a good signature."""
        with self._lock:
            taken = [self._held.popleft() for _ in range(len(self._held))]
        bodies = [rendered(event) for event in taken]
        return [
            {"event": event, "body": body.decode(), "signature": self.sign(body)}
            for event, body in zip(taken, bodies, strict=True)
        ]

    def sign(self, body: bytes) -> str:
        """The header that a post would carry now. Time is the wall's: the sandbox's own may be far ahead."""
        return header(body, self._account.webhook_secrets, int(time.time()))

    def roll(self, secret: str | None = None) -> str:
        """A new secret signs from now on, and beside it the one before. Gives the new one."""
        secret = secret or f"whsec_{secrets.token_urlsafe(24)}"
        self._account.webhook_secrets = [secret, *self._account.webhook_secrets[:1]]
        return secret

    def end_roll(self) -> None:
        """The old secret is over: only the newest signs."""
        self._account.webhook_secrets = self._account.webhook_secrets[:1]

    def outstanding(self) -> int:
        """Posts that are neither taken nor given up. What is held back does not count."""
        return self._dispatch.outstanding()

    def recorded(
        self, *, type: str | None = None, about: str | None = None, limit: int = KEPT
    ) -> list[dict[str, Any]]:
        """The last deliveries, oldest first."""
        found = [one for one in list(self._kept) if type in (None, one.type) and about in (None, one.about)]
        return [one.shown() for one in found[-limit:]]

    def again(self, event_id: str) -> bool:
        """Tell one event once more, as the dashboard's Resend does; whether there is such an event."""
        event = self._store.get("event", event_id)
        if event is None:
            return False
        kept = next((one for one in list(self._kept) if one.event_id == event_id), None)
        if kept is None or kept.state == "held" or not self._account.webhook_url:
            self.tell(event)
        else:
            kept.secret, kept.age_seconds, kept.signature = None, 0, None
            kept.body, kept.url = rendered(event), self._account.webhook_url
            self._dispatch.again(kept)
        return True

    def forget_everything(self) -> None:
        """What is still under way is not repeated."""
        self._dispatch.forget_everything()
        self._kept.clear()
        self._held.clear()

    def close(self) -> None:
        """Stop posting."""
        self._dispatch.close()
        self._postman.close()

    def _delivery(self, event: Document) -> Delivery:
        about = event["data"]["object"]
        customer = about.get("customer") if isinstance(about.get("customer"), str) else None
        return Delivery(
            event_id=event["id"],
            type=event["type"],
            about=str(about.get("id") or ""),
            created=event["created"],
            url=self._account.webhook_url,
            body=rendered(event),
            lane=customer or event["id"],
        )

    def _begin(self, delivery: Delivery) -> None:
        struck = self._faults.take(WEBHOOKS, delivery.type)
        if Trouble.LOST in struck:
            delivery.state = "lost"
            return
        values = {kind: fault.value for kind, fault in struck.items()}
        self._spoil(delivery, values)
        journey = Journey(
            copies=1 + int(values.get(Trouble.DUPLICATE, 0)),
            delay_seconds=values.get(Trouble.DELAY, 0.0),
            reorder=int(values.get(Trouble.REORDER, 0)),
        )
        self._dispatch.send(delivery, journey)

    def _spoil(self, delivery: Delivery, values: Mapping[Trouble, float]) -> None:
        if Trouble.NOT_JSON in values:
            delivery.body = b"<html>not json</html>"
        if Trouble.WRONG_SIGNATURE in values:
            delivery.secret = WRONG_SECRET
        delivery.age_seconds = int(values.get(Trouble.OLD_TIMESTAMP, 0))
        if Trouble.TRUNCATED in values:
            delivery.signature = self._header(delivery)
            delivery.body = delivery.body[: len(delivery.body) // 2]

    def _header(self, delivery: Delivery) -> str:
        live = [delivery.secret] if delivery.secret else self._account.webhook_secrets
        return delivery.signature or header(delivery.body, live, int(time.time()) - delivery.age_seconds)

    def _post(self, delivery: Delivery) -> int | None:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": self._header(delivery),
        }
        return self._postman.post(delivery.url, headers, delivery.body, self._switches.now.timeout_seconds)

    def _pace(self) -> Pace:
        return Pace(self._switches.now.retries, self._switches.now.retry_seconds)


def rendered(event: Document) -> bytes:
    """The raw body, indented by two as the real one is."""
    return json.dumps(event, ensure_ascii=False, indent=2).encode()
