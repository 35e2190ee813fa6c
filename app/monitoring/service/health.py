"""Whether everything that the system needs is there. Asks nobody outside and changes nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from app.core.clock import now
from app.core.health import bells
from app.core.http.schema import instant
from app.core.queue import QUEUES
from app.core.rate import RateUnknown
from app.core.settings import settings
from app.core.uow import across_shops
from app.messaging.provider import CIRCUIT
from app.monitoring import queries
from app.monitoring.service.figures import figures

STARTED = time.monotonic()
SCHEDULER_SECONDS = 60  # its shortest period is five
VERSION = "v1"


@dataclass(frozen=True)
class Database:
    """Whether it answers, whether the scheduler has shown itself in it, and what it counts."""

    answers: bool = False
    scheduler: bool = False
    gauges: dict[str, int] | None = None


def configuration() -> dict[str, Any]:
    """What the outside world is reached by; never a secret."""
    known = settings()
    return {
        "ok": True,
        "shopify": {"clientId": bool(known.shopify_api_key), "secret": bool(known.shopify_api_secret)},
        "redis": bool(known.redis_url),
        "mitto": {"base": known.mitto_api_base, "hasKey": bool(known.mitto_api_key)},
    }


def everything() -> dict[str, Any]:
    """Every check, with the figures that explain it."""
    began = time.perf_counter()
    database, redis = _database(), bells()
    checks = {
        "db": database.answers,
        "redis": redis.answer,
        "workers": redis.served >= set(QUEUES),
        "scheduler": database.scheduler,
        "cache": redis.answer,
        "queue": redis.answer,
        "queueCounts": redis.waiting,
        "mitto": bool(settings().mitto_api_key) and _may_call(),
        "shopify": bool(settings().shopify_api_key),
    }
    return {
        "ok": all(value for name, value in checks.items() if name != "queueCounts"),
        "checks": checks,
        "metrics": database.gauges or {},
        "timestamp": instant(now()),
        "uptime": round(time.monotonic() - STARTED),
        "version": VERSION,
        "responseTime": round((time.perf_counter() - began) * 1000, 1),
    }


def _database() -> Database:
    try:
        with across_shops("ticks belong to no shop") as session:
            seconds = session.scalar(queries.LAST_TICK)
        return Database(True, seconds is not None and seconds < SCHEDULER_SECONDS, figures().gauges)
    except SQLAlchemyError:
        return Database()


def _may_call() -> bool:
    try:
        return CIRCUIT.paused_for() == 0
    except RateUnknown:
        return False
