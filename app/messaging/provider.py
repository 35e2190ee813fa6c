"""The carrier as the pipeline sees it: one call, one outcome per message, and when calls are allowed.

Nothing here touches the database; it runs in the sender's helper threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog
from flask import current_app

from app.core.rate import Bucket, Circuit, RateUnknown, take_all
from app.core.redis import redis_client
from app.core.settings import settings
from app.integrations.mitto.client import MittoClient
from app.integrations.mitto.errors import Ambiguous, Refused, Unavailable
from app.integrations.mitto.types import Accepted, OutboundSms, Rejected, Unclear

log = structlog.get_logger(__name__)

EXTENSION = "astronote.mitto"
DEFERRED_SECONDS = 5.0
PATIENCE_SECONDS = 2.0  # a longer wait for the rate limit is left to the next tick
# So many calls without a clear answer within the window pause the provider, not the campaigns.
CIRCUIT = Circuit("mitto", threshold=20, window_seconds=60, pause_seconds=15)


@dataclass(frozen=True)
class Deferred:
    """Certainly not sent; may be tried again after so many seconds."""

    reason: str
    wait_seconds: float


Outcome = Accepted | Rejected | Unclear | Deferred


@dataclass(frozen=True)
class CallResult:
    """The outcomes of one attempt, in the order of its messages, and a word for the log."""

    outcomes: Sequence[Outcome]
    word: str
    bulk_id: str | None = None


def mitto() -> MittoClient:
    """The app's client, made once: it keeps connections alive."""
    if EXTENSION not in current_app.extensions:
        now = settings()
        current_app.extensions[EXTENSION] = MittoClient(
            now.mitto_api_base, now.mitto_api_key, now.mitto_traffic_account_id, now.mitto_timeout_seconds
        )
    client: MittoClient = current_app.extensions[EXTENSION]
    return client


def caller(shop_id: int) -> Callable[[Sequence[OutboundSms]], CallResult]:
    """What a helper thread calls the provider with, for one shop; it needs no app context of its own."""
    client, app = mitto(), current_app._get_current_object()  # type: ignore[attr-defined]

    def may_call_again() -> bool:
        with app.app_context():
            return may_call_now(shop_id)

    return lambda messages: call(client, messages, may_call_again)


def call(
    client: MittoClient, messages: Sequence[OutboundSms], may_call_again: Callable[[], bool]
) -> CallResult:
    """Send the messages in one call and say what became of each. Raises nothing of the provider's.

    Only three kinds of answer exist: accepted, certainly not accepted, and unclear. A call that is refused
    for its content is certainly not sent, so its halves are tried: one bad row does not fail its batch.
    Each further call asks `may_call_again` first; what is then not allowed is put off.
    """
    try:
        answer = client.send_bulk(messages)
    except Ambiguous as unclear:
        return CallResult([Unclear()] * len(messages), unclear.reason)
    except Unavailable as away:
        wait = away.retry_after_seconds or DEFERRED_SECONDS
        return CallResult([Deferred(away.reason, wait)] * len(messages), away.reason)
    except Refused as refused:
        if refused.retry:
            return CallResult(
                [Deferred(refused.reason, DEFERRED_SECONDS * 12)] * len(messages), refused.reason
            )
        if len(messages) == 1:
            return CallResult([Rejected(refused.reason)], refused.reason)
        if not may_call_again():
            return CallResult([Deferred(refused.reason, DEFERRED_SECONDS)] * len(messages), refused.reason)
        middle = len(messages) // 2
        first = call(client, messages[:middle], may_call_again)
        second = call(client, messages[middle:], may_call_again)
        return CallResult([*first.outcomes, *second.outcomes], refused.reason)
    return CallResult(answer.results, "answered", answer.bulk_id)


def may_call_now(shop_id: int) -> bool:
    """Whether the provider may be called now, waiting briefly if that is enough."""
    try:
        wait = seconds_until_call_allowed(shop_id)
        if 0 < wait <= PATIENCE_SECONDS:
            time.sleep(wait)
            wait = seconds_until_call_allowed(shop_id)
    except RateUnknown:
        log.warning("sending_stopped", reason="rate_limit_unknown")
        return False
    return wait == 0


def seconds_until_call_allowed(shop_id: int) -> float:
    """Take one call's token from the account's and the shop's bucket; 0 when taken, else how long to wait.

    Raises RateUnknown while Redis is away: then nothing is sent, and nothing is lost.
    """
    paused = CIRCUIT.paused_for()
    if paused:
        return paused
    account, shop = settings().rate_limit_traffic_account_max, settings().rate_limit_tenant_max
    return take_all(
        redis_client(),
        [Bucket("mitto:account", account, account), Bucket(f"mitto:shop:{shop_id}", shop, shop)],
    )
