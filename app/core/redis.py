"""The Redis connection. Nothing in Redis is ever the only copy of a fact."""

from __future__ import annotations

from flask import Flask, current_app
from redis import Redis

EXTENSION = "astronote.redis"


def init_redis(app: Flask, url: str) -> None:
    """Attach one thread-safe client (it connects lazily, so Redis may be away at boot)."""
    app.extensions[EXTENSION] = Redis.from_url(
        url, socket_connect_timeout=2, socket_timeout=15, health_check_interval=30
    )


def redis_client() -> Redis:
    """The app's client; any command raises `redis.RedisError` while the server is away."""
    client: Redis = current_app.extensions[EXTENSION]
    return client
