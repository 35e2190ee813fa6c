"""What a shop is told about its money: once while it lasts, and again when it comes again."""

from __future__ import annotations

from flask.testing import FlaskClient

from app.core.uow import unit_of_work
from app.credits import service as credits
from app.purchases.models import AlertKind
from app.purchases.service import alerting, recharging
from app.shops.models import Shop
from tests import build, build_messages


def shown(client: FlaskClient, shop: Shop) -> list[dict[str, object]]:
    return list(client.get("/billing/alerts", headers=build.auth(shop)).json["data"]["alerts"])


def test_a_low_balance_is_told_once_and_closed_when_it_is_over(client: FlaskClient):
    shop, quiet = build.a_shop(plan=None), build.a_shop(plan=None)
    recharging.choose(shop.id, {"low_balance_threshold": 50})
    build_messages.credit(shop, 49)

    alerting.watch()
    alerting.watch()

    (alert,) = shown(client, shop)
    assert (alert["kind"], alert["dismissed"]) == ("low_balance", False)
    assert alert["figures"] == {"available": 49, "threshold": 50}
    assert shown(client, quiet) == []
    build_messages.credit(shop, 1)
    alerting.watch()
    assert shown(client, shop) == []
    build_messages.people(shop, 1)
    build_messages.a_run(shop)
    alerting.watch()
    assert [one["id"] != alert["id"] for one in shown(client, shop)] == [True]


def test_a_debt_is_told(client: FlaskClient):
    shop = build.a_shop(plan=None)
    with unit_of_work(shop.id):
        credits.purchase(shop.id, 10, key="a", reason="test")
        credits.reverse(shop.id, 25, key="b", reason="test")

    alerting.watch()
    assert [(one["kind"], one["figures"]) for one in shown(client, shop)] == [("debt", {"credits": 15})]
    with unit_of_work(shop.id):
        credits.purchase(shop.id, 15, key="c", reason="test")
    alerting.watch()

    assert shown(client, shop) == []


def test_a_dismissed_alert_stays_dismissed_while_it_lasts(client: FlaskClient):
    shop = build.a_shop(plan=None)
    with unit_of_work(shop.id):
        assert alerting.tell(shop.id, AlertKind.RECHARGE_FAILED, credits=5)
        assert not alerting.tell(shop.id, AlertKind.RECHARGE_FAILED, credits=6)
    (alert,) = shown(client, shop)

    for _ in range(2):
        answer = client.post(f"/billing/alerts/{alert['id']}/dismiss", headers=build.auth(shop))
        assert answer.json["data"]["dismissed"] is True

    assert [one["dismissed"] for one in shown(client, shop)] == [True]
    other = client.post(f"/billing/alerts/{alert['id']}/dismiss", headers=build.auth(build.a_shop()))
    assert other.status_code == 404
