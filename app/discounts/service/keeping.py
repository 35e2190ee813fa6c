"""What Shopify said about a shop's discounts, kept in Redis for a minute: forms ask several times.

That Shopify did not answer is kept as well, so nobody waits for it twice. Without Redis everything is asked.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from redis import RedisError

from app.core.redis import redis_client

SECONDS = 60
AWAY = b"away"


class ShopifyWasAway(Exception):
    """Shopify did not answer less than a minute ago."""


def kept(shop_id: int, question: str) -> Any:
    """The kept answer, None when there is none. Raises ShopifyWasAway."""
    with suppress(RedisError):
        found, away = redis_client().mget(_key(shop_id, question), _key(shop_id, "away"))  # type: ignore[misc]
        if found is not None:
            return json.loads(found)
        if away is not None:
            raise ShopifyWasAway
    return None


def keep(shop_id: int, question: str, answer: Any) -> None:
    """Keep an answer of Shopify's."""
    with suppress(RedisError):
        redis_client().set(_key(shop_id, question), json.dumps(answer), ex=SECONDS)


def keep_away(shop_id: int) -> None:
    """Keep that Shopify does not answer this shop."""
    with suppress(RedisError):
        redis_client().set(_key(shop_id, "away"), AWAY, ex=SECONDS)


def _key(shop_id: int, question: str) -> str:
    return f"discounts:{shop_id}:{question}"
