"""Is it alive, is it ready."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from flask import Response, jsonify
from redis import RedisError
from rq import Worker
from sqlalchemy.exc import SQLAlchemyError

from app.core.database import ping
from app.core.http import ApiBlueprint
from app.core.queue import QUEUES, JsonQueue
from app.core.redis import redis_client

blueprint = ApiBlueprint("health", __name__, public=True, description="Liveness and readiness")


@dataclass(frozen=True)
class Bells:
    """Whether Redis answers, which queues a worker listens to, and how many bells wait in each."""

    answer: bool = False
    served: frozenset[str] = frozenset()
    waiting: dict[str, int] = field(default_factory=dict)


def bells() -> Bells:
    """Look at the queues. Raises nothing for an absent Redis."""
    try:
        connection = redis_client()
        connection.ping()
        queues = {name: JsonQueue(name, connection=connection) for name in QUEUES}
        served = {queue for worker in Worker.all(connection=connection) for queue in worker.queue_names()}
        return Bells(
            answer=True,
            served=frozenset(name for name, queue in queues.items() if queue.name in served),
            waiting={name: queue.count for name, queue in queues.items()},
        )
    except RedisError:
        return Bells()


@blueprint.get("/")
@blueprint.response(200)
def root() -> dict[str, Any]:
    """Say that this is the API."""
    return {"ok": True, "message": "Astronote API", "time": int(time.time() * 1000)}


@blueprint.get("/health")
@blueprint.response(200)
def liveness() -> dict[str, Any]:
    """The process answers. Asks nothing of the database or Redis."""
    return {"ok": True, "t": int(time.time() * 1000)}


@blueprint.get("/healthz")
@blueprint.response(200)
def healthz() -> dict[str, str]:
    """The process answers, for the platform's probe."""
    return {"status": "ok"}


@blueprint.get("/readiness")
@blueprint.response(200)
@blueprint.errors(503)
def readiness() -> Response:
    """The database and Redis answer, and every queue has a worker (a missing worker is shown, not a
    failure).
    """
    redis = bells()
    is_served = redis.served >= set(QUEUES)
    checks = {
        "database": _database_answers(),
        "redis": redis.answer,
        "workers": is_served,
        "workerLock": is_served,
    }
    ready = checks["database"] and checks["redis"]
    body: dict[str, Any] = {"status": "ready" if ready else "not_ready", "checks": checks}
    if not ready:
        body |= {
            "success": False,
            "error": "READINESS_CHECK_FAILED",
            "code": "READINESS_CHECK_FAILED",
            "message": "The database or Redis does not answer.",
        }
    response = jsonify(body)
    response.status_code = 200 if ready else 503
    return response


def _database_answers() -> bool:
    try:
        ping()
    except SQLAlchemyError:
        return False
    return True
