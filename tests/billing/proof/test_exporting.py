"""The signed file says everything about every credit, and nothing about anybody."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.billing.proof import exporting
from app.billing.proof.exporting import Period
from app.core import clock
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.credits.proof import sealing
from app.purchases.models import Purchase
from tests import build, build_messages
from tests.billing.proof.world import a_shop_that_sends, checked, exported, lines_of, send


def test_an_export_is_genuine_and_its_figures_are_the_books(app: Flask):
    shop = a_shop_that_sends()

    report = checked(exported(shop))

    assert report.differences == []
    balance = build_messages.balance_of(shop)
    assert report.balances["spent"] == balance.spent
    assert report.balances["wallet"] == balance.wallet
    assert report.parts == report.amounts["capture"] == balance.spent + report.amounts["refund"]


def test_a_credit_is_followed_from_its_payment_to_the_report(app: Flask):
    shop = a_shop_that_sends()

    lines = lines_of(exported(shop))

    by_type = {kind: [line for line in lines if line["type"] == kind] for kind in {x["type"] for x in lines}}
    payment, _of_the_allowance = by_type["payment"]
    assert (payment["purchase"], payment["stripe"]) == (7, ["pi_3MtwBwLkdIwHu7ix28a3tqPa"])
    transfers = {line["id"]: line for line in by_type["transfer"]}
    assert transfers[payment["transfer"]]["kind"] == "purchase"
    messages = {line["provider_message_id"]: line for line in by_type["message"]}
    assert set(messages) == {"M-1", "M-2", "M-3", "M-4", "M-found"}
    delivered, undelivered, found = messages["M-2"], messages["M-3"], messages["M-found"]
    charge = transfers[delivered["charged_by"]]
    assert charge["key"] == f"attempt:{delivered['attempt_id']}:capture"
    assert (delivered["state"], delivered["sent_at"]) == ("delivered", charge["created_at"])
    assert delivered["reported_at"] is not None
    assert (undelivered["state"], undelivered["reason"]) == ("undelivered", "expired")
    assert {transfers[one]["kind"] for one in undelivered["refunded_by"]} == {"refund"}
    assert transfers[found["charged_by"]]["message_id"] == found["id"]
    assert (lines[0]["type"], lines[-1]["type"]) == ("header", "end")


def test_a_purchase_tells_the_money_and_stripes_ids(app: Flask):
    shop = build.a_shop(plan=None)
    paid = Purchase(
        shop_id=shop.id,
        kind="topup",
        credits=500,
        net_cents=2_250,
        tax_cents=540,
        gross_cents=2_790,
        currency="EUR",
        vat_treatment="domestic",
        stripe_session_id="cs_test_a1B2c3D4e5",
        stripe_payment_intent_id="pi_3MtwBwLkdIwHu7ix",
    )
    with unit_of_work(shop.id) as session:
        session.add(paid)
        session.flush()  # its id is in the key
        credits.purchase(shop.id, 500, key=f"stripe:purchase:{paid.id}", reason="500 credits")
    with unit_of_work(shop.id):
        credits.reverse(shop.id, 100, key=f"stripe:purchase:{paid.id}:reversal:1", reason="refund")

    payments = [line for line in lines_of(exported(shop)) if line["type"] == "payment"]

    assert [payment["purchase"] for payment in payments] == [paid.id, paid.id]
    assert payments[0]["stripe"] == ["cs_test_a1B2c3D4e5", "pi_3MtwBwLkdIwHu7ix"]
    assert (payments[0]["credits"], payments[0]["gross_cents"], payments[0]["currency"]) == (
        500,
        2_790,
        "EUR",
    )


def test_nobody_is_named(app: Flask):
    shop = a_shop_that_sends()
    with unit_of_work(shop.id) as session:
        people = session.execute(sa.text("SELECT phone, first_name, last_name FROM messages")).all()
    named = {word for person in people for word in person if word}

    file = exported(shop).decode()

    assert named
    assert [word for word in named if word in file] == []


def test_what_was_posted_by_now_is_sealed_first(app: Flask):
    shop = a_shop_that_sends()

    first, again = exported(shop), exported(shop)

    heads = [lines_of(file)[-1]["head"] for file in (first, again)]
    assert heads[0] == heads[1]
    assert heads[0]["seal"] == 1


def test_a_shop_without_credits_has_a_proof_of_that(app: Flask):
    shop = build.a_shop(plan=None)

    report = checked(exported(shop))

    assert (report.differences, report.head) == ([], None)
    assert [line["type"] for line in lines_of(exported(shop))] == ["header", "end"]


def test_a_period_is_proven_by_itself(app: Flask):
    shop = a_shop_that_sends("A")
    sealing.seal(shop.id)
    middle = clock.now()
    send(shop, "B")
    sealing.seal(shop.id)
    with unit_of_work(shop.id):
        credits.grant(shop.id, 1, key="later", reason="a gift")

    later, earlier = exported(shop, Period(starts_at=middle)), exported(shop, Period(ends_at=middle))

    for file, numbers in ((later, [2, 3]), (earlier, [1])):
        assert checked(file).differences == []
        lines = lines_of(file)
        assert [line["number"] for line in lines if line["type"] == "seal"] == numbers
    assert {x["provider_message_id"][0] for x in lines_of(later) if x["type"] == "message"} == {"B"}
    assert lines_of(later)[0]["after_hash"] == lines_of(earlier)[-1]["head"]["hash"]


def test_a_time_without_transfers_is_an_empty_proof(app: Flask):
    shop = a_shop_that_sends()

    file = exported(shop, Period(starts_at=clock.now() + timedelta(days=1)))

    assert checked(file).differences == []
    assert [line["type"] for line in lines_of(file)] == ["header", "end"]


def test_a_text_that_is_charged_after_the_last_seal_waits_for_the_next_export(app: Flask):
    shop = a_shop_that_sends("A")
    pieces = exporting.export(shop.id, Period())  # what is settled is known from here on
    send(shop, "B")

    file = "".join(pieces).encode()

    assert checked(file).differences == []
    assert {x["provider_message_id"][0] for x in lines_of(file) if x["type"] == "message"} == {"A"}


def test_the_file_is_downloaded_by_its_own_shop_only(app: Flask, client: FlaskClient):
    mine, other = a_shop_that_sends("A"), a_shop_that_sends("B")

    answer = client.get("/billing/ledger/export", headers=build.auth(mine))

    assert answer.status_code == 200
    assert answer.content_type == "application/x-ndjson"
    assert answer.headers["Cache-Control"] == "no-store"
    key = client.get("/billing/ledger/public-key", headers=build.auth(other)).json["data"]["publicKey"]
    assert checked(answer.data, key).differences == []
    lines = lines_of(answer.data)
    assert {line["shop_id"] for line in lines if "shop_id" in line} == {mine.id}
    assert not [line for line in lines if str(line.get("provider_message_id", "")).startswith("B")]


@pytest.mark.parametrize("query", ["from=yesterday", "to=2026-13-01T00:00:00Z"])
def test_a_time_that_is_none_is_refused(app: Flask, client: FlaskClient, query: str):
    shop = build.a_shop()

    assert client.get(f"/billing/ledger/export?{query}", headers=build.auth(shop)).status_code == 400
