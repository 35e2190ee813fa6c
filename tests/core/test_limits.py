"""How often one may ask, who counts together, and what the refusal says."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.http import limits
from tests import build
from tests.core.conftest import Line, MakeApp

Lines = Callable[[], list[Line]]
ENQUEUE = "/campaigns/1/enqueue"
OPT_OUT = "/unsubscribe/no-such-token"


@pytest.fixture(scope="session")
def limited_app(make_app: MakeApp) -> Flask:
    return make_app(rate_limits_enabled=True)


@pytest.fixture
def limited(limited_app: Flask, app: Flask) -> FlaskClient:
    """A client of an app with limits, on the migrated database and an empty Redis."""
    return limited_app.test_client()


@pytest.fixture
def without_redis(make_app: MakeApp, app: Flask) -> FlaskClient:
    """A client of an app with limits whose Redis does not answer."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    return make_app(rate_limits_enabled=True, redis_url=f"redis://127.0.0.1:{port}/0").test_client()


def statuses(times: int, ask: Callable[[], Any]) -> list[int]:
    return [ask().status_code for _ in range(times)]


def test_the_sixth_start_of_a_campaign_within_a_minute_is_refused(limited: FlaskClient):
    headers = build.auth(build.a_shop())

    before = statuses(5, lambda: limited.post(ENQUEUE, headers=headers))
    refused = limited.post("/campaigns/1/send", headers=headers)

    assert 429 not in before
    assert refused.status_code == 429
    assert refused.json["success"] is False
    assert refused.json["error"] == refused.json["code"] == "RATE_LIMIT_EXCEEDED"
    assert 1 <= refused.json["retryAfter"] <= 61  # whole seconds, rounded up
    assert refused.headers["Retry-After"] == str(refused.json["retryAfter"])
    assert refused.headers["X-RateLimit-Limit"] == "5"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert str(refused.json["retryAfter"]) in refused.json["message"]


def test_an_answer_tells_what_is_left_and_asks_nobody_to_retry(limited: FlaskClient):
    answer = limited.get("/campaigns", headers=build.auth(build.a_shop()))

    assert answer.status_code == 200
    assert answer.headers["X-RateLimit-Limit"] == "240"
    assert answer.headers["X-RateLimit-Remaining"] == "239"
    assert int(answer.headers["X-RateLimit-Reset"]) > 0
    assert "Retry-After" not in answer.headers
    assert limits.UNWANTED not in answer.headers


def test_a_shop_that_has_used_up_one_bucket_still_has_the_others(limited: FlaskClient):
    headers = build.auth(build.a_shop())
    statuses(6, lambda: limited.post(ENQUEUE, headers=headers))

    assert limited.get("/campaigns", headers=headers).status_code == 200
    assert limited.post("/campaigns", headers=headers, json={}).status_code == 400
    assert limited.get("/billing/balance", headers=headers).status_code == 200


def test_shops_do_not_use_up_each_others_limits(limited: FlaskClient):
    first, second = build.auth(build.a_shop()), build.auth(build.a_shop())
    statuses(6, lambda: limited.post(ENQUEUE, headers=first))

    assert limited.post(ENQUEUE, headers=first).status_code == 429
    assert limited.post(ENQUEUE, headers=second).status_code == 404


def test_reading_campaigns_and_writing_them_count_apart(limited: FlaskClient):
    headers = build.auth(build.a_shop())

    written = statuses(41, lambda: limited.post("/campaigns", headers=headers, json={}))

    assert written == [400] * 40 + [429]
    assert limited.get("/campaigns", headers=headers).status_code == 200


def test_a_client_that_polls_a_list_and_a_campaign_is_never_refused(limited: FlaskClient):
    headers = build.auth(build.a_shop())
    # A minute of both pages open: list, summary and status every 2 s, progress every 5 s.
    minute = ["/campaigns", "/campaigns/stats/summary", "/campaigns/1/status"] * 30
    minute += ["/campaigns/1/progress", "/billing/balance"] * 12

    assert 429 not in [limited.get(path, headers=headers).status_code for path in minute]


def test_fifty_contacts_are_deleted_at_once(limited: FlaskClient):
    headers = build.auth(build.a_shop())

    assert 429 not in statuses(100, lambda: limited.delete("/contacts/1", headers=headers))


def test_the_fourth_import_within_five_minutes_is_refused(limited: FlaskClient):
    headers = build.auth(build.a_shop())

    tried = statuses(4, lambda: limited.post("/contacts/import", headers=headers, json={}))

    assert tried == [400, 400, 400, 429]
    assert limited.get("/contacts/imports", headers=headers).status_code == 200


def test_a_stranger_with_a_false_token_uses_up_nothing_of_the_shop(limited: FlaskClient):
    headers = build.auth(build.a_shop())
    forged = {"Authorization": headers["Authorization"][:-4] + "AAAA"}

    assert set(statuses(20, lambda: limited.post(ENQUEUE, headers=forged))) == {401}
    assert limited.get("/campaigns", headers=headers).headers["X-RateLimit-Remaining"] == "239"
    assert limited.post(ENQUEUE, headers=headers).headers["X-RateLimit-Remaining"] == "4"


@pytest.mark.parametrize(
    ("path", "most"),
    [("/auth/shopify-token", 30), ("/api/opt-in", 10), ("/public/contact", 5), (OPT_OUT, 30)],
)
def test_strangers_are_limited_by_address(limited: FlaskClient, path: str, most: int):
    def post(address: str) -> int:
        return limited.post(path, json={}, environ_base={"REMOTE_ADDR": address}).status_code

    tried = [post("203.0.113.7") for _ in range(most + 1)]

    assert 429 not in tried[:most]
    assert tried[most] == 429
    assert post("203.0.113.8") != 429


def test_short_links_are_limited_by_address(limited: FlaskClient):
    tried = statuses(101, lambda: limited.get("/r/AAAABkK1Xj2mXq3f"))

    assert tried.count(429) == 1
    assert tried[100] == 429


def test_one_visitor_cannot_use_all_addresses_of_an_ipv6_network(limited: FlaskClient):
    def ask(place: int, network: str = "2001:db8:1:2") -> int:
        base = {"REMOTE_ADDR": f"{network}::{place:x}"}
        return limited.post("/api/opt-in", json={}, environ_base=base).status_code

    assert [ask(place) for place in range(1, 12)][-1] == 429
    assert ask(1, "2001:db8:1:3") != 429


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/health"),
        ("GET", "/readiness"),
        ("GET", "/openapi.json"),
        ("POST", "/webhooks/mitto/dlr"),
        ("OPTIONS", "/campaigns"),
    ],
)
def test_probes_providers_and_the_documentation_are_not_limited(limited: FlaskClient, method: str, path: str):
    assert "X-RateLimit-Limit" not in limited.open(path, method=method).headers


def test_what_has_no_limit_of_its_own_has_the_general_one(limited: FlaskClient):
    answer = limited.get("/settings", headers=build.auth(build.a_shop()))

    assert answer.headers["X-RateLimit-Limit"] == "1000"


def test_the_tables_name_what_exists(limited_app: Flask):
    named = {name for pair in limits.BY_BLUEPRINT.values() for name in pair} | {*limits.BY_ENDPOINT.values()}

    assert named | {"general"} == set(limits.RATES)
    assert set(limits.BY_BLUEPRINT) | limits.UNLIMITED <= set(limited_app.blueprints)
    assert set(limits.BY_ENDPOINT) <= set(limited_app.view_functions)


def test_without_redis_the_api_stays_up_and_each_process_counts_for_itself(
    without_redis: FlaskClient, lines: Lines
):
    headers = build.auth(build.a_shop())
    lines()

    tried = statuses(6, lambda: without_redis.post(ENQUEUE, headers=headers))

    assert tried == [404] * 5 + [429]
    assert without_redis.get("/contacts", headers=headers).status_code == 200
    assert len([line for line in lines() if "storage unreachable" in line["event"]]) == 1


def test_without_redis_opting_out_is_never_refused(without_redis: FlaskClient):
    assert set(statuses(40, lambda: without_redis.post(OPT_OUT))) == {400}
    assert set(statuses(40, lambda: without_redis.get("/opt-out/no-such-token"))) == {400}


def test_the_limits_can_be_switched_off(trial: FlaskClient):
    headers = build.auth(build.a_shop())

    assert 429 not in statuses(10, lambda: trial.post(ENQUEUE, headers=headers))
