"""A shop's contacts in figures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import structlog
from redis import RedisError

from app.core.redis import redis_client
from app.reports import queries
from app.reports.service.days import rate

log = structlog.get_logger(__name__)
# Counting a million contacts takes longer than a dashboard may; of so many, a minute changes few.
MANY = 50_000
SECONDS_KEPT = 60


@dataclass(frozen=True)
class People:
    """The shop's contacts counted. `unsubscribed_since` is about the time that was asked for."""

    total: int = 0
    opted_in: int = 0
    opted_out: int = 0
    unknown: int = 0
    male: int = 0
    female: int = 0
    other: int = 0
    unspecified: int = 0
    with_birth_date: int = 0
    unsubscribed_since: int = 0

    @property
    def consent_rate(self) -> float:
        return rate(self.opted_in, self.total)


def count_people(shop_id: int, since: datetime) -> People:
    """The contacts now; of more than 50,000, as they were at most a minute ago. A step."""
    key = f"reports:people:{shop_id}:{since.isoformat()}"
    kept = _kept(key)
    if kept is not None:
        return kept
    counted = queries.contact_figures(shop_id, since)
    if counted["total"] > MANY:
        _keep(key, counted)
    return People(**counted)


def _kept(key: str) -> People | None:
    try:
        found = redis_client().get(key)
        return People(**json.loads(found)) if found else None
    except (RedisError, TypeError, ValueError) as trouble:
        log.warning("contact_figures_not_kept", error=type(trouble).__name__)
        return None


def _keep(key: str, counted: dict[str, int]) -> None:
    try:
        redis_client().set(key, json.dumps(counted), ex=SECONDS_KEPT)
    except RedisError as trouble:
        log.warning("contact_figures_not_kept", error=type(trouble).__name__)
