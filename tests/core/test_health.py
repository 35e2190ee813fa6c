"""Alive, and ready."""

from __future__ import annotations

import time

import pytest
from flask.testing import FlaskClient
from rq import Worker

from app.core.queue import QUEUES, JsonQueue
from app.core.redis import redis_client
from tests.core.conftest import MakeApp

NOWHERE = {
    "database_url": "postgresql+psycopg2://nobody@127.0.0.1:9/none",
    "redis_url": "redis://127.0.0.1:9/0",
}


@pytest.mark.parametrize("path", ["/", "/health", "/healthz"])
def test_liveness_asks_neither_database_nor_redis(make_app: MakeApp, path: str):
    assert make_app(**NOWHERE).test_client().get(path).status_code == 200


def test_the_bodies_are_as_the_platform_and_the_clients_read_them(client: FlaskClient):
    root, health = client.get("/").json, client.get("/health").json

    assert (root["ok"], root["message"]) == (True, "Astronote API")
    assert health["ok"] is True
    assert abs(health["t"] - time.time() * 1000) < 60_000
    assert client.get("/healthz").json == {"status": "ok"}


def test_ready_means_that_database_and_redis_answer(client: FlaskClient):
    ready = client.get("/readiness")

    assert ready.status_code == 200
    assert ready.json == {
        "status": "ready",
        "checks": {"database": True, "redis": True, "workers": False, "workerLock": False},
    }


def test_a_worker_on_every_queue_is_shown(client: FlaskClient):
    connection = redis_client()
    workers = [Worker([JsonQueue(name, connection=connection)], connection=connection) for name in QUEUES]
    for worker in workers[:-1]:
        worker.register_birth()
    assert client.get("/readiness").json["checks"]["workers"] is False

    workers[-1].register_birth()

    assert client.get("/readiness").json["checks"]["workers"] is True


@pytest.mark.parametrize(("missing", "check"), [("redis_url", "redis"), ("database_url", "database")])
def test_not_ready_is_a_503_that_says_what_is_missing(
    client: FlaskClient, make_app: MakeApp, missing: str, check: str
):
    response = make_app(**{missing: NOWHERE[missing]}).test_client().get("/readiness")

    assert response.status_code == 503
    assert response.json["status"] == "not_ready"
    assert response.json["success"] is False
    assert response.json["code"] == response.json["error"] == "READINESS_CHECK_FAILED"
    assert response.json["message"]
    assert response.json["checks"][check] is False
    assert response.json["checks"]["redis" if check == "database" else "database"] is True
    assert "127.0.0.1" not in response.text
