"""Is it alive, is it ready."""

from __future__ import annotations

import time
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
    checks = {"database": _database_answers(), "redis": False, "workers": False, "workerLock": False}
    try:
        connection = redis_client()
        checks["redis"] = bool(connection.ping())
        served = {queue for worker in Worker.all(connection=connection) for queue in worker.queue_names()}
        checks["workers"] = checks["workerLock"] = served >= {
            JsonQueue(name, connection=connection).name for name in QUEUES
        }
    except RedisError:
        pass
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
