"""A payment becomes credits: once, and only if it is what was asked."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.core.uow import unit_of_work
from app.integrations.stripe.errors import StripeFailed
from app.purchases.service import alerting, fulfilling
from tests import build
from tests.core.conftest import Line, lines  # noqa: F401  # a fixture
from tests.purchases.buying import balance, differences, hear, pay, purchase, purchases_of, top_up
from tests.stripe_world import DECLINED, SECURE, SEPA, StripeWorld


def test_a_paid_page_credits_the_wallet(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    bought = pay(stripe_world, client, shop)
    assert balance(shop).wallet == 0

    heard = hear(stripe_world)

    assert heard.count("credited") == 1
    assert balance(shop).wallet == 1_000
    row = purchase(bought)
    assert (row.status, row.stripe_payment_intent_id) == ("paid", bought.payment)
    shown = client.get("/billing/balance", headers=build.auth(shop)).json["data"]
    assert shown["credits"] == 1_000
    assert differences() == {}


def test_every_event_twice_in_any_order_credits_once(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    pay(stripe_world, client, shop)
    events = stripe_world.pull()

    hear(stripe_world, [*reversed(events), *events, *events])

    assert balance(shop).wallet == 1_000
    assert differences() == {}


def test_twenty_at_once_credit_once(stripe_world: StripeWorld, app: Flask):
    shop = build.a_shop()
    bought = pay(stripe_world, app.test_client(), shop)

    def ask(_: int) -> str:
        with app.app_context():
            return fulfilling.fulfil(bought.session)

    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(ask, range(20)))

    assert sorted(set(said)) == ["credited", "credited_before"]
    assert said.count("credited") == 1
    assert balance(shop).wallet == 1_000
    assert differences() == {}


def test_a_crash_before_the_sessions_id_was_kept_is_repaired_by_the_payment(
    stripe_world: StripeWorld, client: FlaskClient, owner: sa.Engine
):
    shop = build.a_shop()
    bought = pay(stripe_world, client, shop)
    with owner.connect() as connection:
        connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
        connection.exec_driver_sql("UPDATE purchases SET stripe_session_id = NULL")

    assert "credited" in hear(stripe_world)
    assert purchase(bought).stripe_session_id == bought.session


@pytest.mark.parametrize(
    "change", ["gross_cents = gross_cents + 1, tax_cents = tax_cents + 1", "currency = 'USD'"]
)
def test_what_was_not_asked_is_not_credited(
    stripe_world: StripeWorld,
    client: FlaskClient,
    owner: sa.Engine,
    lines: Callable[[], list[Line]],  # noqa: F811
    change: str,
):
    shop = build.a_shop()
    bought = pay(stripe_world, client, shop)
    with owner.connect() as connection:
        connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
        connection.exec_driver_sql(f"UPDATE purchases SET {change}")
    lines()

    heard = [*hear(stripe_world), fulfilling.fulfil(bought.session)]

    assert "mismatched" in heard
    assert "credited" not in heard
    assert (balance(shop).wallet, purchase(bought).status) == (0, "mismatched")
    errors = [line["event"] for line in lines() if line["level"] == "error"]
    assert errors == ["purchase_mismatched"]
    assert [alert.kind for alert in alerting.alerts_of(shop.id)] == ["payment_mismatched"]
    assert differences() == {}


def test_a_refused_card_leaves_the_page_open_for_another(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    begun = top_up(client, shop)

    stripe_world.pay(begun["checkoutUrl"], card=DECLINED)
    hear(stripe_world)
    assert [one.status for one in purchases_of(shop)] == ["pending"]
    stripe_world.pay(begun["checkoutUrl"], card=SECURE)
    hear(stripe_world)

    assert [one.status for one in purchases_of(shop)] == ["paid"]
    assert balance(shop).wallet == 1_000


@pytest.mark.parametrize(("comes", "status", "credits"), [(True, "paid", 1_000), (False, "failed", 0)])
def test_a_payment_that_takes_days_is_credited_when_it_comes(
    stripe_world: StripeWorld, client: FlaskClient, comes: bool, status: str, credits: int
):
    shop = build.a_shop()
    begun = top_up(client, shop)

    stripe_world.pay(begun["checkoutUrl"], card=SEPA)
    assert "waiting" in hear(stripe_world)
    assert [one.status for one in purchases_of(shop)] == ["pending"]
    stripe_world.settle(begun["sessionId"], succeeded=comes)
    hear(stripe_world)

    assert [one.status for one in purchases_of(shop)] == [status]
    assert balance(shop).wallet == credits


def test_a_session_of_nobody_we_know_is_unmatched(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    session = {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {"currency": "eur", "unit_amount": 900, "product_data": {"name": "x"}},
            }
        ],
        "success_url": "https://app.example.com",
    }
    api = stripe_world.client().v1.checkout.sessions
    strange = {"shopId": str(shop.id), "purchaseId": "99999", "type": "credit_topup"}
    ours = api.create(session | {"metadata": strange})
    other = api.create(session | {"metadata": {"type": "subscription"}})
    for made in (ours, other):
        stripe_world.pay(made.url)

    assert fulfilling.fulfil(ours.id) == "unmatched"
    assert fulfilling.fulfil(other.id) == "not_a_purchase"
    assert fulfilling.fulfil("cs_test_nothing") == "unmatched"
    assert balance(shop).wallet == 0


def test_while_stripe_is_away_the_event_stays_to_be_tried_again(
    stripe_world: StripeWorld, client: FlaskClient
):
    shop = build.a_shop()
    pay(stripe_world, client, shop)
    events = stripe_world.pull()
    for _ in range(3):
        stripe_world.fault("http_500", on="GET /v1/checkout/sessions/*")

    with pytest.raises(StripeFailed):
        hear(stripe_world, [one for one in events if one["type"] == "checkout.session.completed"])
    stripe_world.heal()
    hear(stripe_world, events)

    assert balance(shop).wallet == 1_000


def test_what_is_paid_is_told_to_the_log_and_kept_as_evidence(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    bought = pay(stripe_world, client, shop)
    hear(stripe_world)

    with unit_of_work(shop.id) as session:
        done = session.scalars(sa.text("SELECT action FROM activity ORDER BY id")).all()
        kept = session.execute(sa.text("SELECT sale_kind, sale_id, net_cents FROM tax_evidence")).all()

    assert done == ["purchase.begun", "purchase.paid"]
    assert [tuple(row) for row in kept] == [("purchase", str(bought.id), 4_500)]
