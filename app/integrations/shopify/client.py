"""Shopify's GraphQL Admin API: a document in, its `data` out, or a typed error.

Facts: shopify.dev "GraphQL Admin API", "API limits": errors stand in the top level `errors` or in a
mutation's `userErrors`, both with HTTP 200; either fails the call. THROTTLED comes with HTTP 200 as well.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from requests import Response

from app.core.settings import settings
from app.integrations.shopify import addresses
from app.integrations.shopify.errors import (
    ShopifyError,
    ShopifyRefused,
    ShopifyThrottled,
    ShopifyUnauthorized,
    ShopifyUnavailable,
)
from app.integrations.shopify.throttle import Throttle
from app.integrations.shopify.transport import json_of, post

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 15.0
PATIENCE_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
TRIES = 5
UNKNOWN_COST = 100.0
# 402, 403 and 423: the shop is frozen, unpaid or locked. 404: there is no such shop.
REFUSALS = frozenset({400, 402, 403, 404, 406, 410, 413, 414, 415, 422, 423})
TOO_MANY_REQUESTS = 429

Renew = Callable[[], str]
throttle = Throttle()
costs: dict[str, float] = {}  # of a document, by its name, as Shopify last counted it


class ShopifyClient:
    """One shop's Admin API. Threads may share a client.

    `renew` gives another access token when Shopify does not accept this one; it is asked once a call and may
    raise what it likes. `patience_seconds` bounds all waiting and repeating of one call.
    """

    def __init__(
        self,
        domain: str,
        access_token: str,
        *,
        renew: Renew | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.domain = domain
        self._url = addresses.graphql(domain)
        self._version = settings().shopify_api_version
        self._access_token = access_token
        self._renew = renew
        self._patience_seconds = patience_seconds

    def run(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Carry out one named document and return its `data`.

        Waits for the shop's budget, and repeats what failed: a query always, a mutation only if it was
        certainly not done. Raises ShopifyRefused, ShopifyUnauthorized, ShopifyThrottled, ShopifyUnavailable
        (after a mutation with `may_be_done`: look before you ask again).
        """
        deadline = time.monotonic() + self._patience_seconds
        name = _name_of(document)
        is_renewed = False
        tries = 0
        while True:
            _wait(throttle.seconds_until(self.domain, costs.get(name, UNKNOWN_COST)), deadline)
            tries += 1
            try:
                return self._call(name, document, variables or {}, _silence(deadline))
            except ShopifyUnauthorized:
                if self._renew is None or is_renewed:
                    raise
                self._access_token, is_renewed = self._renew(), True
            except ShopifyUnavailable as trouble:
                is_tired = tries >= TRIES and not isinstance(trouble, ShopifyThrottled)
                if is_tired or (trouble.may_be_done and _is_mutation(document)):
                    raise
                _pause(trouble, tries, deadline)

    def _call(
        self, name: str, document: str, variables: Mapping[str, Any], timeout_seconds: float
    ) -> dict[str, Any]:
        response = post(
            self._url,
            {"query": document, "variables": dict(variables)},
            headers={"X-Shopify-Access-Token": self._access_token},
            timeout_seconds=timeout_seconds,
        )
        _require_success(response)
        self._notice_version(response)
        answer = json_of(response)
        cost = _mapping(_mapping(answer.get("extensions")).get("cost"))
        throttle.note(self.domain, cost.get("throttleStatus"))
        if isinstance(cost.get("requestedQueryCost"), int | float):
            costs[name] = float(cost["requestedQueryCost"])
        if answer.get("errors"):
            raise _top_level(answer["errors"], throttle.seconds_until(self.domain, costs.get(name, 0)))
        return _without_user_errors(answer.get("data"))

    def _notice_version(self, response: Response) -> None:
        served = response.headers.get("X-Shopify-API-Version")
        if served and served != self._version:  # ours was retired; the oldest one that lives has answered
            log.warning("shopify_version_fell_forward", asked=self._version, served=served[:20])


def _name_of(document: str) -> str:
    """`ShopDetails` of `query ShopDetails { … }`."""
    head = document.replace("(", " ").replace("{", " ").split(maxsplit=2)
    return head[1] if len(head) > 1 else ""


def _is_mutation(document: str) -> bool:
    return document.lstrip().startswith("mutation")


def _require_success(response: Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if status == 401:
        raise ShopifyUnauthorized
    if status == TOO_MANY_REQUESTS:
        raise ShopifyThrottled(_seconds(response.headers.get("Retry-After")))
    if status in REFUSALS or 300 <= status < 400:  # we follow nobody to another host
        raise ShopifyRefused(f"http_{status}")
    raise ShopifyUnavailable(f"http_{status}", may_be_done=True)


def _seconds(header: str | None) -> float:
    try:
        seconds = float(header or "")
    except ValueError:
        return 1.0
    return min(max(seconds, 0.0), 3600.0) if math.isfinite(seconds) else 1.0


def _top_level(errors: Any, throttled_seconds: float) -> ShopifyError:
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code = str(_mapping(first.get("extensions")).get("code") or "GRAPHQL_ERROR")[:100]
    if code == "THROTTLED":
        return ShopifyThrottled(throttled_seconds)
    if code == "INTERNAL_SERVER_ERROR":
        return ShopifyUnavailable(code, may_be_done=True)
    return ShopifyRefused(code, explanation=_sentence(first))


def _without_user_errors(found: Any) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ShopifyUnavailable("no_data", may_be_done=True)
    for payload in found.values():
        wrong = _mapping(payload).get("userErrors")
        if wrong:
            raise _refusal(wrong)
    return found


def _refusal(user_errors: Any) -> ShopifyRefused:
    listed = [_mapping(one) for one in user_errors] if isinstance(user_errors, list) else []
    first = listed[0] if listed else {}
    fields = [".".join(map(str, one["field"])) for one in listed if isinstance(one.get("field"), list)]
    return ShopifyRefused(str(first.get("code") or "USER_ERROR"), fields, explanation=_sentence(first))


def _mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _sentence(error: Mapping[str, Any]) -> str:
    return str(error.get("message") or "")[:1000]


def _pause(trouble: ShopifyUnavailable, tries: int, deadline: float) -> None:
    """Longer each time and never the same for two: callers that failed together do not return together.

    Raises `trouble` when there is no time left for it.
    """
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**tries)
    seconds = random.uniform(longest / 2, longest)  # noqa: S311 -- nothing secret
    if isinstance(trouble, ShopifyThrottled):
        seconds = trouble.retry_after_seconds + random.uniform(0.1, 0.4)  # noqa: S311
    if time.monotonic() + seconds > deadline:
        raise trouble
    time.sleep(seconds)


def _silence(deadline: float) -> float:
    """How long an answer is waited for: no longer than the caller's patience, but for a last second."""
    return min(TIMEOUT_SECONDS, max(1.0, deadline - time.monotonic()))


def _wait(seconds: float, deadline: float) -> None:
    if time.monotonic() + seconds > deadline:
        raise ShopifyThrottled(seconds)
    if seconds:
        time.sleep(seconds)
