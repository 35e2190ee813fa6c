"""The whole life of a shop, over real HTTP with a Shopify, a carrier and phones."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.uow import across_shops, unit_of_work
from app.credits import service as credits
from app.shops.models import Shop
from tests.build_messages import assert_books_balance
from tests.life.conftest import FRONTEND, Life
from tests.sandbox.shopify.world import ShopWorld
from tests.sandbox.waiting import eventually

DOMAIN, CUSTOMERS = "blue-door.myshopify.com", 50_000
ELENI, NIKOS, MARIA = "+306948500001", "+306948500002", "+306948500003"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.mark.timeout(900)  # fifty thousand customers come twice
def test_shop_life_from_its_installation_to_its_reinstallation(app: Flask, life: Life) -> None:
    store = life.shopify.shop(DOMAIN, customers=CUSTOMERS)
    token = install(life)
    shop_id = subscribe()
    all_customers_come(life, token)

    switch_on(life, token, "welcome", "order_placed", "order_fulfilled", "review_request", "cart_abandoned")
    somebody_subscribes_and_orders(life, store, token)
    carts_are_left_and_one_is_bought(life, store)
    somebody_leaves(life, store)
    somebody_is_forgotten(life, store, token)
    assert_books_balance()

    the_shop_leaves(life, store, token)
    token = install(life)
    life.work()
    assert find_shop().id == shop_id
    who_had_left_stays_away(life, store, token)
    assert_books_balance()


def all_customers_come(life: Life, token: str) -> None:
    eventually(lambda: _import_is_over(life, token), within_seconds=120)
    done = life.ask("GET", "/customers/import", token=token)
    assert (done["status"], done["expected"], done["unreadable"]) == ("completed", CUSTOMERS, 0)
    assert done["created"] + done["updated"] + done["skipped"] == CUSTOMERS
    stats = life.ask("GET", "/contacts/stats", token=token)
    assert stats["total"] == done["created"] > CUSTOMERS / 2


def _import_is_over(life: Life, token: str) -> bool:
    life.work()
    return life.ask("GET", "/customers/import", token=token)["status"] in {"completed", "failed"}


def the_shop_leaves(life: Life, store: ShopWorld, token: str) -> None:
    store.do("uninstall")
    life.work()
    answer = life.call("GET", "/contacts", token=token)
    assert (answer.status_code, answer.json()["code"]) == (401, "STORE_NOT_FOUND")
    before = len(life.texts(MARIA))
    store_order(store, MARIA)
    life.work()
    assert len(life.texts(MARIA)) == before


def who_had_left_stays_away(life: Life, store: ShopWorld, token: str) -> None:
    """The import after the reinstallation has revived nobody."""
    eventually(lambda: _import_is_over(life, token), within_seconds=120)
    assert one_contact(life, token, ELENI)["smsConsent"] == "opted_out"
    before = life.texts(ELENI)
    store_order(store, ELENI)
    life.work()
    assert life.texts(ELENI) == before


def install(life: Life) -> str:
    """As a merchant's browser does it; the token that the client gets in the end."""
    answer = life.session.get(f"{life.api}/auth/shopify?shop={DOMAIN}", allow_redirects=False, timeout=10)
    while not (url := answer.headers["Location"]).startswith(FRONTEND):
        answer = life.session.get(url, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
    query = parse_qs(urlsplit(url).query)
    assert query.get("shop") == [DOMAIN], url
    return query["token"][0]


def find_shop() -> Shop:
    with across_shops("a test looks for its shop") as session:
        return session.scalars(sa.select(Shop).where(Shop.domain == DOMAIN)).one()


def subscribe() -> int:
    """A plan and credits: payments are another story."""
    shop_id = find_shop().id
    with unit_of_work(shop_id) as session:
        session.execute(
            sa.text(
                """INSERT INTO subscriptions (shop_id, plan, billing_interval, status)
                   VALUES (:id, 'starter', 'month', 'active') ON CONFLICT DO NOTHING"""
            ),
            {"id": shop_id},
        )
        credits.grant(shop_id, 1000, key="life", reason="for a test")
    return shop_id


def switch_on(life: Life, token: str, *triggers: str) -> None:
    for one in life.ask("GET", "/automations", token=token):
        if one["trigger"] in triggers:
            life.ask("PUT", f"/automations/{one['id']}", {"status": "active"}, token=token)


def somebody_subscribes_and_orders(life: Life, store: ShopWorld, token: str) -> None:
    form = {"phone": ELENI, "consent": True, "shopDomain": DOMAIN, "firstName": "Eleni"}
    assert life.call("POST", "/api/opt-in", form).ok
    life.work()
    assert len(life.texts(ELENI)) == 1
    assert life.texts(ELENI)[0].startswith("Hi Eleni, welcome to")

    order = store_order(store, ELENI, first_name="Eleni")
    life.work()
    assert f"has received your order {order['name']}" in life.texts(ELENI)[1]
    store.do("fulfil", order_id=order["id"])
    life.work()
    assert "is on its way" in life.texts(ELENI)[2]
    with life.later(6 * DAY - HOUR):
        life.work()
        assert len(life.texts(ELENI)) == 3
    with life.later(6 * DAY + 2 * HOUR):  # two hours: the clocks may change in between
        life.work()
    assert "A short review would help" in life.texts(ELENI)[3]
    assert one_contact(life, token, ELENI)["hasPurchased"]


def carts_are_left_and_one_is_bought(life: Life, store: ShopWorld) -> None:
    for phone, name in ((NIKOS, "Nikos"), (MARIA, "Maria")):
        form = {"phone": phone, "consent": True, "shopDomain": DOMAIN, "firstName": name}
        assert life.call("POST", "/api/opt-in", form).ok
    life.work()
    people = {
        phone: store.do("create-customer", phone=phone, first_name=name, sms_state="subscribed")
        for phone, name in ((NIKOS, "Nikos"), (MARIA, "Maria"))
    }
    carts = {phone: store.do("checkout", customer_id=people[phone]["id"]) for phone in people}
    life.work()
    store.do("order", token=carts[NIKOS]["token"])
    life.work()
    with life.later(90 * MINUTE):
        life.work()
    assert not any("is waiting" in text for text in life.texts(NIKOS))
    assert sum("is waiting" in text for text in life.texts(MARIA)) == 1


def somebody_leaves(life: Life, store: ShopWorld) -> None:
    before = len(life.texts(ELENI))
    life.reply(ELENI, "STOP")
    life.work()
    told = life.shopify.requests(operation="UpdateSmsConsent")
    assert told, "Shopify was not told of the opt-out"
    store_order(store, ELENI)
    life.work()
    later = [text for text in life.texts(ELENI)[before:] if "order" in text]
    assert later == []


def somebody_is_forgotten(life: Life, store: ShopWorld, token: str) -> None:
    number = next(one["id"] for one in _customers(store, NIKOS))
    store.do("redact", customer_id=number)
    life.work()
    found = life.ask("GET", f"/contacts?q={NIKOS[1:]}", token=token)
    assert found["items"] == []
    requests = life.ask("GET", "/privacy/requests", token=token)
    assert [(one["kind"], one["status"]) for one in requests] == [("customer_redact", "done")]


def store_order(store: ShopWorld, phone: str, **person: str) -> dict[str, str]:
    known = _customers(store, phone)
    customer = known[0] if known else store.do("create-customer", phone=phone, **person)
    order: dict[str, str] = store.do("order", customer_id=customer["id"])
    return order


def _customers(store: ShopWorld, phone: str) -> list[dict[str, str]]:
    path = f"/sandbox/shopify/shops/{store.domain}/customers"
    answer = store.world.session.get(store.world.url + path, params={"phone": phone}, timeout=30)
    return list(answer.json()["customers"])


def one_contact(life: Life, token: str, phone: str) -> dict[str, object]:
    found = life.ask("GET", f"/contacts?q={phone[1:]}", token=token)["items"]
    assert len(found) == 1
    contact: dict[str, object] = found[0]
    return contact
