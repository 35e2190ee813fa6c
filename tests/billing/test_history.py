"""What the billing page lists: invoices, and the history over purchases, charges and included SMS."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.billing.service import events, invoices
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.integrations.stripe.events import StripeEvent
from app.purchases.service import events as purchases
from tests import build
from tests.build_campaigns import statements
from tests.stripe_world import StripeWorld
from tests.subscriptions.subscriber import Subscriber, a_subscriber, rung


def hear(subscriber: Subscriber, told: list[dict[str, Any]] | None = None) -> list[str]:
    """Tell everybody who listens."""
    heard = subscriber.world.pull() if told is None else told
    for event in heard:
        if event["type"] in purchases.HANDLERS:
            purchases.HANDLERS[event["type"]](StripeEvent.from_payload(event))
    subscriber.hear(heard)
    ours = [one for one in heard if one["type"] in events.HANDLERS]
    return [events.HANDLERS[one["type"]](StripeEvent.from_payload(one)) for one in ours]


def invoice_list(subscriber: Subscriber, query: str = "") -> Any:
    return subscriber.data("GET", f"/billing/invoices{query}")


def history(subscriber: Subscriber, query: str = "") -> Any:
    return subscriber.data("GET", f"/billing/history{query}")


def buy(subscriber: Subscriber, credits: int) -> None:
    session = subscriber.data("POST", "/billing/topup", {"credits": credits})["sessionId"]
    subscriber.world.pay(session)
    hear(subscriber)


def test_the_summary_is_strict_about_numbers_for_a_shop_with_nothing(client: FlaskClient):
    shop = build.a_shop(plan=None)

    data = client.get("/billing/summary", headers=build.auth(shop)).json["data"]

    assert data["allowance"] == {
        "includedPerPeriod": 0,
        "usedThisPeriod": 0,
        "remainingThisPeriod": 0,
        "currentPeriodStart": None,
        "currentPeriodEnd": None,
        "interval": None,
    }
    assert data["credits"] == {"balance": 0, "currency": "EUR"}
    assert (data["billingCurrency"], data["subscription"]["status"]) == ("EUR", "inactive")


def test_the_summary_shows_what_is_left_of_the_period(subscriber: Subscriber):
    subscriber.pay_for("starter")
    hear(subscriber)
    subscriber.spend(20)

    data = subscriber.data("GET", "/billing/summary")

    allowance = data["allowance"]
    assert (allowance["includedPerPeriod"], allowance["usedThisPeriod"]) == (100, 20)
    assert (allowance["remainingThisPeriod"], allowance["interval"]) == (80, "month")
    assert allowance["currentPeriodStart"] == data["subscription"]["currentPeriodStart"]
    assert subscriber.data("GET", "/billing/balance")["subscription"] == data["subscription"]


def test_an_invoice_is_listed_in_major_units_and_with_its_pages(subscriber: Subscriber):
    subscriber.pay_for("starter")
    assert "invoice_paid" in hear(subscriber)

    listed = invoice_list(subscriber)

    assert listed["invoices"] == listed["items"]
    only = listed["items"][0]
    assert (only["subtotal"], only["total"], only["currency"], only["status"]) == (40, 40, "EUR", "paid")
    assert only["stripeInvoiceId"].startswith("in_")
    assert isinstance(only["id"], str)
    assert only["hostedInvoiceUrl"].startswith("http")
    assert only["invoiceNumber"]
    assert listed["pagination"]["total"] == 1


@pytest.mark.parametrize("seed", range(6))
def test_invoices_end_the_same_whatever_the_order_of_their_events(subscriber: Subscriber, seed: int):
    chance = Random(seed)  # noqa: S311
    subscriber.pay_for("starter")
    with subscriber.later(months=2, days=1):
        told = subscriber.world.pull()
        chance.shuffle(told)
        hear(subscriber, told + told[:5])

        assert [one["status"] for one in invoice_list(subscriber)["items"]] == ["paid"] * 3
        assert len(history(subscriber)["items"]) >= 4


def test_invoices_are_filtered_by_status(subscriber: Subscriber):
    subscriber.pay_for("starter")
    hear(subscriber)

    assert invoice_list(subscriber, "?status=paid")["pagination"]["total"] == 1
    assert invoice_list(subscriber, "?status=open")["items"] == []
    assert subscriber.refused("GET", "/billing/invoices?status=sent") == (400, "INVALID_FILTER")


def test_a_shop_whose_invoices_we_never_heard_of_gets_them_in_the_background(subscriber: Subscriber):
    subscriber.subscribe("starter")  # the events are lost

    assert invoice_list(subscriber)["items"] == []
    assert f"billing.fetch_invoices:{subscriber.shop.id}" in rung()
    for _ in range(2):
        invoices.fetch_all(subscriber.shop.id)

    assert [one["total"] for one in invoice_list(subscriber)["items"]] == [40]


def test_the_history_holds_purchases_charges_and_included_sms_once_each(subscriber: Subscriber):
    subscriber.pay_for("starter")
    hear(subscriber)
    buy(subscriber, 1000)

    items = history(subscriber)["items"]

    assert sorted(one["id"].partition("-")[0] for one in items) == ["included", "invoice", "purchase"]
    by_type = {one["type"]: one for one in items}
    charge = by_type["subscription_charge"]
    assert (charge["amount"], charge["packageType"], charge["status"]) == (40, "subscription", "completed")
    assert charge["linkUrl"].startswith("http")
    assert charge["stripeInvoiceId"].startswith("in_")
    included = by_type["subscription_included_credits"]
    assert (included["amount"], included["credits"]) == (0, 100)
    assert included["packageType"] == "subscription_included_starter"
    bought = by_type["credit_pack_purchase"]
    assert (bought["credits"], bought["creditsAdded"], bought["package"]["credits"]) == (1000, 1000, 1000)
    assert bought["amount"] == bought["price"] == bought["amountCents"] / 100
    assert (bought["status"], bought["packageType"]) == ("completed", "credit_topup")


def test_the_history_is_paged_and_filtered(subscriber: Subscriber):
    subscriber.pay_for("starter")
    hear(subscriber)
    buy(subscriber, 500)
    subscriber.data("POST", "/billing/topup", {"credits": 70})

    first = history(subscriber, "?page=1&pageSize=3")
    second = history(subscriber, "?page=2&pageSize=3")
    assert (first["pagination"]["total"], len(first["items"]), len(second["items"])) == (4, 3, 1)
    assert not {one["id"] for one in first["items"]} & {one["id"] for one in second["items"]}
    assert first["transactions"] == first["items"]
    by_status = "/billing/billing-history?status="
    assert [one["credits"] for one in subscriber.data("GET", f"{by_status}pending")["items"]] == [70]
    assert subscriber.data("GET", f"{by_status}completed")["pagination"]["total"] == 3
    assert subscriber.data("GET", f"{by_status}refunded")["items"] == []
    assert {one["type"] for one in history(subscriber, "?type=purchase")["items"]} == {"credit_pack_purchase"}
    assert history(subscriber, "?endDate=2020-01-01")["items"] == []
    assert len(history(subscriber, "?startDate=2020-01-01&endDate=2999-12-31")["items"]) == 4


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("/billing/billing-history?status=done", "INVALID_FILTER"),
        ("/billing/history?type=gift", "INVALID_FILTER"),
        ("/billing/history?startDate=2026-02-02&endDate=2026-01-01", "VALIDATION_ERROR"),
        ("/billing/history?startDate=2026-02-31", "VALIDATION_ERROR"),
        ("/billing/history?pageSize=1000", "VALIDATION_ERROR"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(subscriber: Subscriber, query: str, code: str):
    assert subscriber.refused("GET", query) == (400, code)


def test_movements_of_credits_are_listed_by_kind_with_their_sign(subscriber: Subscriber):
    with unit_of_work(subscriber.shop.id):
        credits.grant(subscriber.shop.id, 50, key="gift", reason="a gift")
    subscriber.spend(20)

    debits = history(subscriber, "?type=debit")["items"]
    given = history(subscriber, "?type=credit")["items"]
    assert [(one["credits"], one["amount"], one["type"]) for one in debits] == [(-20, 0, "credit_movement")]
    assert [(one["credits"], one["description"]) for one in given] == [(50, "a gift")]
    assert history(subscriber, "?type=refund")["items"] == []


def test_the_three_lists_do_not_answer_for_each_other_and_change_with_what_they_show(subscriber: Subscriber):
    subscriber.pay_for("starter")
    hear(subscriber)
    pages = ("/billing/history", "/billing/billing-history", "/billing/invoices")
    before = {page: subscriber.call("GET", f"{page}?page=1&pageSize=5") for page in pages}
    again = subscriber.call("GET", f"{pages[0]}?page=1&pageSize=5")
    assert again.headers["X-Cache"] == "hit"
    assert "invoices" in before[pages[2]].json["data"]
    assert "invoices" not in before[pages[0]].json["data"]

    buy(subscriber, 100)

    after = subscriber.call("GET", f"{pages[0]}?page=1&pageSize=5")
    assert after.json["data"]["pagination"]["total"] == 3
    assert after.headers["ETag"] != before[pages[0]].headers["ETag"]


def test_no_shop_sees_what_another_one_was_billed(
    subscriber: Subscriber, stripe_world: StripeWorld, client: FlaskClient
):
    subscriber.pay_for("starter")
    hear(subscriber)
    other = a_subscriber(stripe_world, client)

    assert history(other)["items"] == []
    assert invoice_list(other)["items"] == []


def test_the_lists_take_few_statements(subscriber: Subscriber, app: Flask):
    subscriber.pay_for("starter")
    hear(subscriber)
    for page in ("/billing/history", "/billing/invoices", "/billing/summary", "/billing/balance"):
        with statements(app) as seen:
            subscriber.data("GET", f"{page}?page=1")
        assert len(seen) <= 8, (page, seen)
