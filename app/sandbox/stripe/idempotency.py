"""`Idempotency-Key` (docs.stripe.com/api/idempotent_requests): one effect for a key, and one answer."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from app.sandbox.clock import Clock
from app.sandbox.stripe.errors import KeyInFlight, KeyWithOtherParameters, Refusal
from app.sandbox.stripe.store import StripeStore

LONGEST = 255
KEPT_SECONDS = 24 * 3600  # after so long a key may be new again, and here it is


@dataclass(frozen=True)
class Answered:
    """What was said to the first request with a key."""

    status: int
    body: str


def fingerprint(method: str, path: str, wish: Any) -> str:
    """Two requests are the same when this is."""
    told = json.dumps([method, path, wish], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


class IdempotencyKeys:
    """Keys and their answers. A key in flight when the sandbox died is free again."""

    def __init__(self, store: StripeStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        store.run("DELETE FROM idempotency_keys WHERE answered_at IS NULL")

    def claim(self, key: str, print_: str) -> Answered | None:
        """Begin a request; or the answer that it has had already.

        Raises KeyInFlight, KeyWithOtherParameters, and Refusal when the key is too long.
        """
        if len(key) > LONGEST:
            raise Refusal(f"Idempotency keys must be at most {LONGEST} characters; yours is {len(key)}.")
        with self._store.changing():
            oldest = self._clock.now() - KEPT_SECONDS
            self._store.run("DELETE FROM idempotency_keys WHERE started_at < ?", (oldest,))
            row = self._store.row("SELECT * FROM idempotency_keys WHERE key = ?", (key,))
            if row is None:
                sql = "INSERT INTO idempotency_keys (key, fingerprint, started_at) VALUES (?, ?, ?)"
                self._store.run(sql, (key, print_, self._clock.now()))
                return None
        if row["fingerprint"] != print_:
            raise KeyWithOtherParameters(
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with. Try using a key other than '{key}' if you meant to execute a different request."
            )
        if row["answered_at"] is None:
            message = f"There is currently another in-progress request using this Idempotency Key: {key}."
            raise KeyInFlight(message, code="idempotency_key_in_use")
        return Answered(row["status"], row["body"])

    def answer(self, key: str, answered: Answered) -> None:
        """Remember what was said; inside the transaction that did it."""
        sql = "UPDATE idempotency_keys SET status = ?, body = ?, answered_at = ? WHERE key = ?"
        self._store.run(sql, (answered.status, answered.body, self._clock.now(), key))

    def release(self, key: str) -> None:
        """Nothing was done: the key is free again."""
        self._store.run("DELETE FROM idempotency_keys WHERE key = ? AND answered_at IS NULL", (key,))
