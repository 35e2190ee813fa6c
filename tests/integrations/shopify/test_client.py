"""The Admin API's client: what it sends, how it waits, what it raises."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from app.config import Settings
from app.core.clock import now
from app.integrations.shopify import addresses, tokens
from app.integrations.shopify.client import ShopifyClient
from app.integrations.shopify.errors import (
    ShopifyError,
    ShopifyRefused,
    ShopifyThrottled,
    ShopifyUnauthorized,
    ShopifyUnavailable,
)
from tests.integrations.shopify.scripted import Answer, Scripted, in_turn, ok, serving

QUERY = "query ShopDetails { shop { name } }"
MUTATION = "mutation CreateDiscount($code: String!) { discountCodeBasicCreate { userErrors { field } } }"
GOOD = ok({"data": {"shop": {"name": "Demo"}}})
shops = iter(range(10**6))


@contextmanager
def shopify(app: Flask, *answers: Answer | None) -> Iterator[tuple[ShopifyClient, Scripted]]:
    """A client of a shop of its own (so that no budget is known), and the Shopify that it asks."""
    before: Settings = app.config["SETTINGS"]
    with serving(in_turn(*answers)) as script:
        app.config["SETTINGS"] = replace(before, shopify_admin_base=f"{script.url}/{{shop}}")
        try:
            yield ShopifyClient(f"shop-{next(shops)}.myshopify.com", "shpat_x", patience_seconds=8), script
        finally:
            app.config["SETTINGS"] = before


def throttled(available: float = 0, rate: float = 200, cost: float = 20) -> Answer:
    status = {"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": rate}
    errors = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
    points = {"requestedQueryCost": cost, "actualQueryCost": None, "throttleStatus": status}
    return ok({"errors": errors, "extensions": {"cost": points}})


def error(code: str | None, message: str = "No.") -> Answer:
    return ok({"errors": [{"message": message, **({"extensions": {"code": code}} if code else {})}]})


def test_a_document_goes_out_with_its_token_and_its_data_come_back(app: Flask):
    with shopify(app, GOOD) as (client, script):
        assert client.run(QUERY, {"first": 1}) == {"shop": {"name": "Demo"}}

    (asked,) = script.asked
    assert asked.path == f"/{client.domain}/admin/api/2026-10/graphql.json"
    assert asked.headers["X-Shopify-Access-Token"] == "shpat_x"
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.body == {"query": QUERY, "variables": {"first": 1}}


@pytest.mark.parametrize(
    "trouble",
    [
        ok({}, 500),
        ok(b"<html>bad gateway", 502),
        ok({}, 503),
        ok({}, 429, Retry_After="0.2"),
        ok({}, 429),
        ok(b"{not json"),
        ok(b"\xff\xfe"),
        ok([1]),
        ok({"data": None}),
        error("INTERNAL_SERVER_ERROR"),
        throttled(),
        None,
    ],
)
def test_a_query_that_meets_trouble_is_asked_again(app: Flask, trouble: Answer | None):
    with shopify(app, trouble, trouble, GOOD) as (client, script):
        assert client.run(QUERY) == {"shop": {"name": "Demo"}}

    assert len(script.asked) == 3


@pytest.mark.parametrize("trouble", [ok({}, 500), ok(b"{"), error("INTERNAL_SERVER_ERROR"), None])
def test_a_mutation_that_may_be_done_is_not_asked_again(app: Flask, trouble: Answer | None):
    with shopify(app, trouble, GOOD) as (client, script), pytest.raises(ShopifyUnavailable) as raised:
        client.run(MUTATION, {"code": "SMS10"})

    assert raised.value.may_be_done
    assert len(script.asked) == 1


@pytest.mark.parametrize("trouble", [throttled(), ok({}, 429, Retry_After="0.1")])
def test_a_mutation_that_was_throttled_is_asked_again(app: Flask, trouble: Answer):
    with shopify(app, trouble, GOOD) as (client, script):
        client.run(MUTATION)

    assert len(script.asked) == 2


def test_a_mutation_that_never_left_says_so(app: Flask, settings: Settings):
    client = ShopifyClient("demo.myshopify.com", "x", patience_seconds=0.5)  # nobody listens on port 9

    with pytest.raises(ShopifyUnavailable) as raised:
        client.run(MUTATION)

    assert not raised.value.may_be_done


def test_after_a_throttled_call_it_waits_until_the_points_are_back(app: Flask):
    with shopify(app, throttled(available=0, rate=100, cost=100), GOOD) as (client, _):
        began = time.monotonic()
        client.run(QUERY)

    assert 1.0 <= time.monotonic() - began < 4


def test_it_waits_beforehand_when_the_last_answer_says_that_little_is_left(app: Flask):
    status = {"maximumAvailable": 1000, "currentlyAvailable": 0, "restoreRate": 50}
    cost = {"requestedQueryCost": 50, "actualQueryCost": 50, "throttleStatus": status}
    empty = ok({"data": {"shop": {}}, "extensions": {"cost": cost}})
    with shopify(app, empty, GOOD) as (client, script):
        client.run(QUERY)
        began = time.monotonic()
        client.run(QUERY)

    assert 0.8 <= time.monotonic() - began < 4
    assert len(script.asked) == 2


def test_it_does_not_wait_longer_than_its_patience(app: Flask):
    with shopify(app, throttled(available=0, rate=1, cost=1000)) as (client, script):
        began = time.monotonic()
        with pytest.raises(ShopifyThrottled) as raised:
            client.run(QUERY)
        assert time.monotonic() - began < 1
        with pytest.raises(ShopifyThrottled):
            client.run(QUERY)  # and does not even ask

    assert raised.value.retry_after_seconds > 900
    assert len(script.asked) == 1


@pytest.mark.parametrize("kind", [ok({}, 500), throttled(rate=10_000)])
def test_it_gives_up_in_the_end(app: Flask, kind: Answer):
    with shopify(app, kind) as (client, script):
        began = time.monotonic()
        with pytest.raises(ShopifyUnavailable):
            client.run(QUERY)

    assert time.monotonic() - began < 12
    assert 2 < len(script.asked) < 100


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (error("ACCESS_DENIED"), "ACCESS_DENIED"),
        (error("SHOP_INACTIVE"), "SHOP_INACTIVE"),
        (error("MAX_COST_EXCEEDED"), "MAX_COST_EXCEEDED"),
        (error(None), "GRAPHQL_ERROR"),
        (ok({"errors": "Not Found"}), "GRAPHQL_ERROR"),
        (ok({"errors": [None]}), "GRAPHQL_ERROR"),
        (ok({"data": {"shop": {}}, "errors": [{"message": "half"}]}), "GRAPHQL_ERROR"),
        (ok({}, 402), "http_402"),
        (ok({}, 403), "http_403"),
        (ok({}, 404), "http_404"),
        (ok({}, 423), "http_423"),
    ],
)
def test_a_refusal_is_not_asked_again(app: Flask, answer: Answer, code: str):
    with shopify(app, answer) as (client, script), pytest.raises(ShopifyRefused) as refused:
        client.run(QUERY)

    assert refused.value.code == code
    assert len(script.asked) == 1


def test_user_errors_fail_the_call_with_the_fields_at_fault(app: Flask):
    wrong = [
        {"field": ["basicCodeDiscount", "code"], "message": "+306911111111 is taken", "code": "TAKEN"},
        {"field": None, "message": "No."},
    ]
    with (
        shopify(app, ok({"data": {"discountCodeBasicCreate": {"node": None, "userErrors": wrong}}})) as (
            client,
            _,
        ),
        pytest.raises(ShopifyRefused) as refused,
    ):
        client.run(MUTATION)

    assert (refused.value.code, refused.value.fields) == ("TAKEN", ("basicCodeDiscount.code",))
    assert refused.value.explanation == "+306911111111 is taken"
    assert "+3069" not in f"{refused.value} {refused.value!r}"


def test_nobody_is_followed_to_another_host(app: Flask):
    with serving(in_turn(GOOD)) as elsewhere:
        moved = ok({}, 307, Location=f"{elsewhere.url}/steal")
        with shopify(app, moved) as (client, _), pytest.raises(ShopifyRefused):
            client.run(QUERY)

    assert elsewhere.asked == []


def test_a_rejected_token_is_renewed_once(app: Flask):
    renewed: list[str] = []

    def renew() -> str:
        renewed.append("shpat_new")
        return renewed[-1]

    with shopify(app, ok({}, 401), GOOD) as (client, script):
        client = ShopifyClient(client.domain, "shpat_old", renew=renew)
        client.run(QUERY)
        client.run(QUERY)
    with shopify(app, ok({}, 401)) as (client, _):
        client = ShopifyClient(client.domain, "shpat_old", renew=renew)
        with pytest.raises(ShopifyUnauthorized):
            client.run(QUERY)

    assert [one.headers["X-Shopify-Access-Token"] for one in script.asked] == [
        "shpat_old",
        "shpat_new",
        "shpat_new",
    ]
    assert len(renewed) == 2


def test_a_version_that_was_retired_is_noticed(app: Flask, caplog: pytest.LogCaptureFixture):
    with shopify(app, ok({"data": {}}, X_Shopify_API_Version="2027-01")) as (client, _):
        client.run(QUERY)

    assert "shopify_version_fell_forward" in caplog.text


@pytest.mark.parametrize(
    "domain",
    [
        "evil.example",
        "demo.myshopify.com\n",
        "demo.myshopify.com/x",
        "DEMO.myshopify.com",
        "",
        "a@b.myshopify.com",
    ],
)
def test_no_address_is_built_for_what_is_no_shop(app: Flask, domain: str):
    for build in (addresses.admin, addresses.graphql, addresses.tokens):
        with pytest.raises(addresses.NotAShop):
            build(domain)
    with pytest.raises(addresses.NotAShop):
        ShopifyClient(domain, "x")
    with pytest.raises(addresses.NotAShop):
        tokens.redeem_code(domain, "code", at=now())


# --- the token endpoint


def grant(app: Flask, answer: Answer | None) -> tokens.Grant:
    with shopify(app, answer) as (client, _):
        return tokens.refresh(client.domain, "shprt_old", at=now())


def test_a_grant_says_how_long_it_lasts(app: Flask):
    began = now()
    answer: dict[str, Any] = {"access_token": "shpat_1", "scope": "read_orders, write_customers"}
    answer |= {"expires_in": 3600, "refresh_token": "shprt_1", "refresh_token_expires_in": 7_776_000}

    given = grant(app, ok(answer))

    assert given.scopes == ("read_orders", "write_customers")
    assert given.expires_at is not None
    assert 3595 < (given.expires_at - began).total_seconds() < 3605
    assert "shp" not in repr(given)


@pytest.mark.parametrize("seconds", [None, "3600", -1, 0, True, 1e300])
def test_a_lifetime_that_is_none_is_none(app: Flask, seconds: object):
    assert grant(app, ok({"access_token": "a", "scope": "", "expires_in": seconds})).expires_at is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ok({"error": "invalid_grant"}, 400), ShopifyRefused),
        (ok({"error": "invalid_grant"}, 401), ShopifyRefused),
        (ok(b"", 401), ShopifyRefused),
        (ok({"error": "invalid_client"}, 401), ShopifyUnavailable),
        (ok({}, 402), ShopifyUnavailable),
        (ok({}, 429), ShopifyUnavailable),
        (ok({}, 500), ShopifyUnavailable),
        (ok({}, 302, Location="http://127.0.0.1:9/"), ShopifyUnavailable),
        (ok(b"{"), ShopifyUnavailable),
        (ok({}), ShopifyUnavailable),
        (ok({"access_token": 5}), ShopifyUnavailable),
        (None, ShopifyUnavailable),
    ],
)
def test_what_is_no_grant_is_refused_or_unavailable(
    app: Flask, answer: Answer | None, kind: type[ShopifyError]
):
    with pytest.raises(kind):
        grant(app, answer)
