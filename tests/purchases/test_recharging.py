"""Credits are bought for a shop that lets us: when few are left, within its cap, one at a time, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import clock
from app.purchases import jobs
from app.purchases.models import PurchaseKind
from app.purchases.service import alerting, recharging
from app.shops.models import Shop
from tests import build
from tests.purchases.buying import balance, differences, hear, purchases_of, top_up
from tests.stripe_world import CARD, StripeWorld

FAILS_LATER = "4000000000000341"  # taken when it is saved, refused when it is charged later


def choose(client: FlaskClient, shop: Shop, **chosen: Any) -> dict[str, Any]:
    answer = client.put("/billing/recharge", json=chosen, headers=build.auth(shop))
    assert answer.status_code == 200, answer.text
    return dict(answer.json["data"])


def a_recharging_shop(
    stripe_world: StripeWorld, client: FlaskClient, *, card: str = CARD, **chosen: Any
) -> Shop:
    """A shop that has switched it on and bought 100 credits by hand, with which its card stays at Stripe."""
    shop = build.a_shop(plan=None)
    choose(client, shop, **{"enabled": True, "threshold": 500, "credits": 1_000, **chosen})
    stripe_world.pay(top_up(client, shop, 100)["checkoutUrl"], card=card)
    hear(stripe_world)
    return shop


def recharges_of(shop: Shop) -> list[str]:
    return [one.status for one in purchases_of(shop) if one.kind == PurchaseKind.RECHARGE]


def alerts(shop: Shop) -> list[str]:
    return [alert.kind for alert in alerting.alerts_of(shop.id)]


def test_it_is_off_until_the_shop_chooses_it(client: FlaskClient):
    headers = build.auth(build.a_shop())

    shown = client.get("/billing/recharge", headers=headers).json["data"]

    assert shown == {
        "enabled": False, "threshold": 100, "credits": 1_000, "monthlyCapCents": None,
        "lowBalanceThreshold": None, "hasCard": False, "suspendedAt": None,
    }  # fmt: skip


def test_what_is_not_said_stays_as_it_is(client: FlaskClient):
    shop = build.a_shop()
    choose(client, shop, enabled=True, monthlyCapCents=10_000)

    shown = choose(client, shop, lowBalanceThreshold=50)

    assert (shown["enabled"], shown["monthlyCapCents"], shown["lowBalanceThreshold"]) == (True, 10_000, 50)


@pytest.mark.parametrize(
    "chosen", [{"credits": 0}, {"threshold": -1}, {"monthlyCapCents": -1}, {"credits": "many"}]
)
def test_nonsense_is_refused(client: FlaskClient, chosen: dict[str, Any]):
    answer = client.put("/billing/recharge", json=chosen, headers=build.auth(build.a_shop()))

    assert answer.status_code == 400


def test_the_card_is_kept_only_where_the_shop_lets_us_buy(stripe_world: StripeWorld, client: FlaskClient):
    shop = a_recharging_shop(stripe_world, client)
    other = build.a_shop(plan=None)
    top_up(client, other)

    assert recharging.settings_of(shop.id).stripe_payment_method_id
    wanted = [one["wish"] for one in stripe_world.requests(method="POST") if "checkout" in one["path"]]
    assert ["setup_future_usage" in str(wish) for wish in wanted] == [True, False]


def test_few_credits_are_recharged_once(stripe_world: StripeWorld, client: FlaskClient):
    shop = a_recharging_shop(stripe_world, client)

    assert recharging.due_shops() == [shop.id]
    assert recharging.recharge(shop.id) == "credited"
    hear(stripe_world)

    assert balance(shop).wallet == 1_100
    assert (recharging.due_shops(), recharging.recharge(shop.id)) == ([], "not_due")
    assert recharges_of(shop) == ["paid"]
    assert differences() == {}


def test_the_webhook_alone_credits_it_too(stripe_world: StripeWorld, client: FlaskClient):
    shop = a_recharging_shop(stripe_world, client)
    for _ in range(3):
        stripe_world.fault("http_500_after", on="POST /v1/payment_intents")
    for _ in range(3):
        stripe_world.fault("http_500", on="GET /v1/payment_intents")

    assert recharging.recharge(shop.id) == "unanswered"
    stripe_world.heal()
    assert balance(shop).wallet == 100
    hear(stripe_world)

    assert balance(shop).wallet == 1_100
    assert recharges_of(shop) == ["paid"]


def test_an_answer_that_was_lost_is_asked_for_again_and_charges_once(
    stripe_world: StripeWorld, client: FlaskClient
):
    shop = a_recharging_shop(stripe_world, client)
    for _ in range(3):
        stripe_world.fault("drop_after_accept", on="POST /v1/payment_intents")
    for _ in range(3):
        stripe_world.fault("http_500", on="GET /v1/payment_intents")
    assert recharging.recharge(shop.id) == "unanswered"
    stripe_world.heal()
    assert (recharging.due_shops(), recharging.unanswered()) == ([], [])

    with clock.moved(timedelta(minutes=2)):
        ((shop_id, purchase_id),) = recharging.unanswered()
        assert recharging.charge(shop_id, purchase_id) == "credited"

    assert balance(shop).wallet == 1_100
    taken = [one for one in stripe_world.objects("charge") if one["paid"]]
    assert len(taken) == 2  # by hand, and the recharge
    assert differences() == {}


def test_twenty_sweeps_at_once_buy_once(stripe_world: StripeWorld, app: Flask):
    shop = a_recharging_shop(stripe_world, app.test_client())

    def ask(_: int) -> str:
        with app.app_context():
            return recharging.recharge(shop.id)

    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(ask, range(20)))

    assert said.count("credited") == 1
    assert balance(shop).wallet == 1_100
    assert differences() == {}


def test_the_cap_of_the_month_holds(stripe_world: StripeWorld, client: FlaskClient):
    shop = a_recharging_shop(stripe_world, client, threshold=5_000, monthlyCapCents=4_600)

    assert recharging.recharge(shop.id) == "credited"  # 45.00, no VAT: nobody knows the country
    assert recharging.recharge(shop.id) == "not_due"
    assert recharging.recharge(shop.id) == "not_due"

    assert alerts(shop) == ["recharge_cap_reached"]
    choose(client, shop, monthlyCapCents=10_000)
    assert alerts(shop) == []
    assert recharging.recharge(shop.id) == "credited"
    with clock.moved(timedelta(days=32)):
        assert recharging.recharge(shop.id) == "credited"


def test_a_refused_card_stops_it_until_the_shop_acts(stripe_world: StripeWorld, client: FlaskClient):
    shop = a_recharging_shop(stripe_world, client, card=FAILS_LATER)

    assert recharging.recharge(shop.id) == "refused"
    hear(stripe_world)

    assert recharges_of(shop) == ["failed"]
    assert alerts(shop) == ["recharge_failed"]
    assert (recharging.due_shops(), recharging.recharge(shop.id)) == ([], "not_due")
    assert choose(client, shop)["suspendedAt"] is None
    assert (alerts(shop), recharging.due_shops()) == ([], [shop.id])


def test_paying_by_hand_lets_it_go_on_with_the_new_card(stripe_world: StripeWorld, client: FlaskClient):
    shop = a_recharging_shop(stripe_world, client, card=FAILS_LATER)
    recharging.recharge(shop.id)

    stripe_world.pay(top_up(client, shop, 100)["checkoutUrl"])
    hear(stripe_world)

    assert alerts(shop) == []
    assert recharging.recharge(shop.id) == "credited"
    assert balance(shop).wallet == 1_200


def test_the_sweep_does_it_all(stripe_world: StripeWorld, client: FlaskClient):
    shop = a_recharging_shop(stripe_world, client)

    jobs.sweep()
    jobs.recharge(shop.id)  # the bell that it rang

    assert balance(shop).wallet == 1_100


def test_without_stripe_nothing_is_swept(client: FlaskClient):
    choose(client, build.a_shop(plan=None), enabled=True)

    assert (recharging.due_shops(), recharging.unanswered()) == ([], [])
