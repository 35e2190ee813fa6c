"""Events: what happened, as a document that `GET /v1/events` shows, and told to whoever posts webhooks."""

import copy
import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

from app.sandbox.clock import Clock
from app.sandbox.stripe.ids import new_id
from app.sandbox.stripe.store import Document, StripeStore

API_VERSION = "2026-10-28.endive"
Listener = Callable[[Document], None]


@dataclass(frozen=True)
class Cause:
    """The API request that made things happen; both None when a person or the clock did."""

    request_id: str | None = None
    idempotency_key: str | None = None


NOBODY = Cause()
CAUSE: ContextVar[Cause] = ContextVar("stripe_cause", default=NOBODY)


class Events:
    """`emit` stores; the listeners hear of it once the transaction under way is done."""

    def __init__(self, store: StripeStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call this with every event document from now on, after its commit. It must return quickly."""
        self._listeners.append(listener)

    def emit(self, type: str, object: Document, previous: Document | None = None) -> Document:
        """Something happened to this object, whose changed members were `previous`. Gives the event."""
        event = self._made(type, object, previous)
        self._store.put(event)
        self._store.afterwards(lambda: self._tell(event))
        return event

    def changed(self, type: str, before: Document, after: Document) -> Document | None:
        """Store an object's new state and emit what differs; nothing when nothing does."""
        previous = {name: before.get(name) for name in after if before.get(name) != after.get(name)}
        self._store.put(after)
        return self.emit(type, after, previous) if previous else None

    def _made(self, type: str, object: Document, previous: Document | None) -> Document:
        cause = CAUSE.get()
        snapshot: Document = {"object": copy.deepcopy(object)}
        if previous is not None:
            snapshot["previous_attributes"] = json.loads(json.dumps(previous))
        return {
            "id": new_id("event"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self._clock.now(),
            "livemode": False,
            "pending_webhooks": len(self._listeners),
            "request": {"id": cause.request_id, "idempotency_key": cause.idempotency_key},
            "type": type,
            "data": snapshot,
        }

    def _tell(self, event: Document) -> None:
        for listener in self._listeners:
            listener(event)
