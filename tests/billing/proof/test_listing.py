"""The ledger page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import clock
from app.core.http.schema import instant
from app.credits.proof import sealing
from app.shops.models import Shop
from tests import build, build_messages
from tests.billing.proof.world import a_shop_that_sends, send
from tests.credits.proof.ledger import give, ids_of, seals_of


def page(client: FlaskClient, shop: Shop, **query: Any) -> dict[str, Any]:
    answer = client.get("/billing/ledger", query_string=query, headers=build.auth(shop))
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json["data"]
    return shown


def ids(shown: dict[str, Any]) -> list[int]:
    return [int(item["id"]) for item in shown["items"]]


def test_transfers_are_listed_newest_first_with_their_place_in_the_chain(app: Flask, client: FlaskClient):
    shop = a_shop_that_sends()
    sealing.seal(shop.id)
    give(shop, "operator:1", 5)

    shown = page(client, shop)

    assert ids(shown) == ids_of(shop)[::-1]
    newest, *older = shown["items"]
    assert (newest["kind"], newest["amount"], newest["from"], newest["to"]) == (
        "grant",
        5,
        "adjusted",
        "wallet",
    )
    assert newest["toBalanceAfter"] == build_messages.balance_of(shop).wallet
    assert (newest["keyKind"], newest["chain"]) == ("operator", {"seal": None, "hash": None})
    (seal,) = seals_of(shop)
    assert {(item["chain"]["seal"], item["chain"]["hash"]) for item in older} == {(1, seal.hash)}


def test_what_is_about_one_message_shows_its_fate(app: Flask, client: FlaskClient):
    shop = a_shop_that_sends()

    refunds = page(client, shop, kind="refund")["items"]

    assert {(x["providerMessageId"], x["messageState"]) for x in refunds} == {("M-3", "undelivered")}
    captures = page(client, shop, kind="capture")["items"]
    assert [x["providerMessageId"] for x in captures] == ["M-found", None]


def test_pages_follow_each_other_by_cursor(app: Flask, client: FlaskClient):
    shop = a_shop_that_sends()
    sealing.seal(shop.id)
    give(shop, "later")
    seen, cursor = [], None
    while cursor is not None or not seen:
        shown = page(client, shop, pageSize=2, **({"cursor": cursor} if cursor else {}))
        seen += ids(shown)
        cursor = shown["nextCursor"]

    assert seen == ids_of(shop)[::-1]


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwxXQ", "é"])
def test_a_cursor_of_another_list_is_refused(app: Flask, client: FlaskClient, cursor: str):
    shop = a_shop_that_sends()
    given = page(client, shop, pageSize=1)["nextCursor"]

    for query in ({"cursor": cursor}, {"cursor": given, "kind": "refund"}):
        answer = client.get("/billing/ledger", query_string=query, headers=build.auth(shop))
        assert (answer.status_code, answer.json["code"]) == (400, "VALIDATION_ERROR")


def test_a_run_and_a_campaign_have_their_own_transfers(app: Flask, client: FlaskClient):
    shop = a_shop_that_sends("A")
    run_id = send(shop, "B")
    campaign = build_messages.run_of(shop, run_id).source_id

    of_run, of_campaign = page(client, shop, runId=run_id), page(client, shop, campaignId=campaign)

    assert {item["runId"] for item in of_run["items"]} == {str(run_id)}
    assert of_run["items"] == of_campaign["items"]
    assert page(client, shop, campaignId=campaign, runId=run_id + 1)["items"] == []
    assert page(client, shop, campaignId="999999")["items"] == []


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_time_has_its_own_transfers(app: Flask, client: FlaskClient, is_sealed: bool):
    shop = a_shop_that_sends("A")
    before = ids_of(shop)
    if is_sealed:
        sealing.seal(shop.id)
    middle = clock.now()
    give(shop, "later")
    if is_sealed:
        sealing.seal(shop.id)
    late = {"from": instant(middle + timedelta(milliseconds=1))}

    assert ids(page(client, shop, to=instant(middle))) in (before[::-1], before[-2::-1])
    assert ids(page(client, shop, **late)) in ([ids_of(shop)[-1]], [])
    assert page(client, shop, **{"from": instant(middle + timedelta(days=1))})["items"] == []
    assert page(client, shop, to=instant(middle - timedelta(days=1)))["items"] == []


def test_no_shop_sees_another_ones_ledger(app: Flask, client: FlaskClient):
    mine, other = a_shop_that_sends("A"), a_shop_that_sends("B")
    (run_id, *_) = {x["runId"] for x in page(client, other, kind="hold")["items"]}

    assert set(ids(page(client, mine))) == set(ids_of(mine))
    assert page(client, mine, runId=run_id)["items"] == []


@pytest.mark.parametrize("query", ["kind=gift", "runId=x", "pageSize=0", "pageSize=101", "from=x"])
def test_what_cannot_be_asked_is_refused(app: Flask, client: FlaskClient, query: str):
    shop = build.a_shop()

    answer = client.get(f"/billing/ledger?{query}", headers=build.auth(shop))

    assert answer.status_code == 400
