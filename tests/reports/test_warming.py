"""The first pages are ready when a merchant has signed in."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.background import Worker
from app.config import Settings
from app.core.queue import JsonQueue, wake
from app.core.redis import redis_client
from app.reports.jobs import FIRST_PAGES, warm
from tests.auth.sessions import session_token
from tests.build_campaigns import Merchant, statements
from tests.reports.history import a_sent_campaign


@pytest.mark.parametrize("path", [path for path, _ in FIRST_PAGES])
def test_what_was_warmed_is_what_the_merchant_gets(merchant: Merchant, stranger: Merchant, path: str):
    a_sent_campaign(merchant, "aa")
    warm(merchant.shop.id)

    warmed = merchant.call("GET", path)
    redis_client().flushdb()

    assert warmed.headers["X-Cache"] == "hit"
    assert warmed.json["data"] == merchant.data("GET", path)
    assert stranger.call("GET", path).headers["X-Cache"] == "miss"


def test_warming_twice_computes_once(app: Flask, merchant: Merchant):
    warm(merchant.shop.id)
    with statements(app) as said:
        warm(merchant.shop.id)

    assert len([one for one in said if "set_config" not in one]) == 1  # the shop itself


def test_what_changed_after_warming_shows(merchant: Merchant):
    warm(merchant.shop.id)
    a_sent_campaign(merchant, "a")

    assert merchant.data("GET", "/dashboard")["totalMessagesSent"] == 1


def test_a_ring_warms(merchant: Merchant):
    assert wake("reports.warm", merchant.shop.id)
    queue = JsonQueue("events", connection=redis_client())
    Worker([queue], connection=redis_client(), serializer=queue.serializer).work(
        burst=True, logging_level="ERROR"
    )

    assert merchant.call("GET", "/dashboard").headers["X-Cache"] == "hit"


def test_signing_in_rings(client: FlaskClient, settings: Settings, merchant: Merchant):
    signed_in = client.post(
        "/auth/shopify-token", json={"sessionToken": session_token(settings, merchant.shop.domain)}
    )

    assert signed_in.status_code == 200
    waiting = JsonQueue("events", connection=redis_client()).jobs
    assert [(job.func_name, list(job.args)) for job in waiting] == [
        ("app.reports.jobs.warm", [merchant.shop.id])
    ]
