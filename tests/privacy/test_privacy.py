"""People's data: shown to those who ask, erased for those who want it, with the books still right."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.contacts import consent as consents
from app.contacts.models import ConsentSource
from app.core.queue import bell_key
from app.core.redis import redis_client
from app.core.uow import unit_of_work
from app.integrations.mitto.types import Accepted, Rejected
from app.messaging.models import Message
from app.messaging.provider import CallResult
from app.messaging.service import sending
from app.messaging.service.runs import reopen
from app.messaging.states import MessageState
from app.privacy import jobs, tables
from app.privacy.service import carrying_out
from app.shops.models import Shop
from app.webhooks import jobs as webhook_jobs
from tests import build, build_contacts, build_messages
from tests.contracts.belongings import tenant_tables
from tests.contracts.rows import a_row_of, parents_first
from tests.links.rows import rows, value
from tests.webhooks.posts import INBOUND
from tests.webhooks.posts import post as post_as_carrier
from tests.webhooks.shopify_posts import post

CUSTOMER = 207119551
ORDER = 299938
PHONE = "+306984303406"
EMAIL = "maria@example.com"
SECRETS = ("6984303406", "maria@", "Papadopoulou", "Τσιμισκή")
PLACED = sa.text("""
    INSERT INTO orders (shop_id, shopify_id, contact_id, name, placed_at, currency, total_cents, city,
      landing_site, source_updated_at)
    VALUES (:shop_id, :order_id, :contact_id, '#1001', now(), 'EUR', 4990, 'Τσιμισκή', '/?who=maria@',
      now())""")


@pytest.fixture
def shop(app: Flask) -> Shop:
    return build.a_shop()


def a_customer(shop: Shop, **columns: Any) -> int:
    """A consenting contact whom Shopify knows, with an order; the contact's id."""
    known = {"phone": PHONE, "email": EMAIL, "first_name": "Maria", "last_name": "Papadopoulou"}
    contact = build_contacts.a_contact(shop, **{**known, "shopify_customer_id": CUSTOMER, **columns})
    with unit_of_work(shop.id) as session:
        values = {"shop_id": shop.id, "order_id": ORDER, "contact_id": contact.id}
        session.execute(PLACED, values)
    return contact.id


def ask(client: FlaskClient, shop: Shop, topic: str, **members: object) -> None:
    """Shopify asks, and the inbox is worked off."""
    customer = {"id": CUSTOMER, "email": EMAIL, "phone": PHONE}
    payload = {"shop_id": 1, "shop_domain": shop.domain, "customer": customer, **members}
    assert post(client, shop, topic, payload).status_code == 200
    webhook_jobs.apply_shopify(shop.id)


def erase(client: FlaskClient, shop: Shop) -> None:
    ask(client, shop, "customers/redact", orders_to_redact=[ORDER])
    jobs.carry_out(shop.id)


def sent_to(shop: Shop, message: str = "Hello {{firstName}}!") -> list[Message]:
    """Every consenting contact has been sent a text, and the carrier has accepted it."""
    run = build_messages.a_run(shop, message)
    accept_all(shop, run.run_id)
    return build_messages.messages_of(shop, run.run_id)


def accept_all(shop: Shop, run_id: int) -> None:
    batch = sending.claim(shop.id, run_id)
    assert batch is not None
    outcomes = [Accepted(f"m-{run_id}-{message.id}") for message in batch.messages]
    sending.settle(shop.id, run_id, batch, CallResult(outcomes, "accepted"))


def everything_written(owner: sa.Engine) -> str:
    """The text of every row of every table."""
    with owner.connect() as connection:
        connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
        found = []
        for table in tenant_tables(connection):
            found += connection.exec_driver_sql(f"SELECT CAST(t AS text) FROM {table} t").scalars()
        return "\n".join(found)


def the_request() -> dict[str, Any]:
    return rows("SELECT * FROM privacy_requests ORDER BY id DESC LIMIT 1")[0]


def test_a_request_is_kept_once_however_often_it_comes_and_its_bell_is_rung(
    client: FlaskClient, shop: Shop
) -> None:
    ask(client, shop, "customers/redact")
    first = the_request()
    event = value("SELECT id FROM webhook_inbox WHERE topic = 'customers/redact'")
    client.application.test_cli_runner().invoke(args=["webhooks", "replay", str(event)])
    webhook_jobs.apply_shopify(shop.id)

    assert redis_client().exists(bell_key("privacy.carry_out", shop.id))
    assert value("SELECT count(*) FROM privacy_requests") == 1
    assert (first["kind"], first["status"], first["shop_id"]) == ("customer_redact", "waiting", shop.id)


def test_a_merchant_fetches_all_that_is_kept_of_the_person_who_asked(client: FlaskClient, shop: Shop) -> None:
    build_messages.credit(shop)
    contact_id = a_customer(shop)
    message = sent_to(shop)[0]
    ask(client, shop, "customers/data_request", orders_requested=[ORDER], data_request={"id": 9999})

    listed = client.get("/privacy/requests", headers=build.auth(shop)).json["data"]
    request_id = listed[0]["id"]
    answer = client.get(f"/privacy/requests/{request_id}/export", headers=build.auth(shop))

    assert (listed[0]["kind"], listed[0]["status"]) == ("data_request", "waiting")
    found = answer.json["data"]
    assert [(one["id"], one["phone"], one["email"]) for one in found["contacts"]] == [
        (str(contact_id), PHONE, EMAIL)
    ]
    assert [(one["id"], one["text"].split("\n")[0]) for one in found["messages"]] == [
        (str(message.id), "Hello Maria!")
    ]
    assert [one["action"] for one in found["consentEvents"]] == ["grant"]
    assert [one["name"] for one in found["orders"]] == ["#1001"]
    assert the_request()["status"] == "done" and the_request()["fetched_at"] is not None
    assert not any(secret in json.dumps(the_request(), default=str) for secret in SECRETS)


def test_no_shop_sees_another_ones_requests_and_only_requests_for_data_are_exported(
    client: FlaskClient, shop: Shop
) -> None:
    other = build.a_shop()
    a_customer(shop)
    ask(client, shop, "customers/redact")
    path = f"/privacy/requests/{the_request()['id']}/export"

    assert client.get("/privacy/requests", headers=build.auth(other)).json["data"] == []
    assert client.get(path, headers=build.auth(other)).status_code == 404
    assert client.get(path, headers=build.auth(shop)).json["code"] == "NOTHING_TO_EXPORT"


def test_an_erased_customer_is_in_no_row_any_more_and_the_books_balance(
    client: FlaskClient, shop: Shop, owner: sa.Engine
) -> None:
    build_messages.credit(shop)
    build_messages.people(shop, 3)
    a_customer(shop)
    sent_to(shop)
    waiting = build_messages.a_run(shop, "Hello {{firstName}} {{lastName}}, how are you?")
    held_before = build_messages.balance_of(shop).held
    post_as_carrier(client, INBOUND, {"from": PHONE, "to": "Astronote", "text": "I am Maria Papadopoulou"})
    webhook_jobs.receive_replies()
    post(client, shop, "customers/update", {"id": CUSTOMER, "phone": PHONE, "last_name": "Papadopoulou"})
    post(client, shop, "checkouts/update", {"token": "t-1", "email": EMAIL, "phone": PHONE})

    erase(client, shop)

    written = everything_written(owner)
    assert [secret for secret in SECRETS if secret in written] == []
    assert (the_request()["status"], the_request()["counts"]["contacts"]) == ("done", 1)
    assert the_request()["counts"]["messages"] == 2
    assert build_messages.states_of(shop, waiting.run_id) == {"pending": 3, "skipped": 1}
    assert build_messages.balance_of(shop).held < held_before
    assert value("SELECT total_cents FROM orders") == 4990
    build_messages.assert_books_balance()


def test_erasing_again_changes_nothing(client: FlaskClient, shop: Shop, owner: sa.Engine) -> None:
    build_messages.credit(shop)
    a_customer(shop)
    sent_to(shop)
    erase(client, shop)
    before = the_request()["counts"]
    with unit_of_work(shop.id) as session:
        session.execute(sa.text("UPDATE privacy_requests SET status = 'waiting'"))

    jobs.carry_out(shop.id)

    assert (the_request()["status"], the_request()["counts"]) == ("done", before)
    build_messages.assert_books_balance()


def test_a_text_that_is_on_its_way_is_erased_when_its_fate_is_known(client: FlaskClient, shop: Shop) -> None:
    build_messages.credit(shop)
    a_customer(shop)
    run = build_messages.a_run(shop)
    batch = sending.claim(shop.id, run.run_id)
    assert batch is not None

    erase(client, shop)
    assert the_request()["status"] == "waiting"
    sending.settle(
        shop.id,
        run.run_id,
        batch,
        CallResult([Accepted("m-1")], "accepted"),
    )
    redis_client().flushdb()
    jobs.sweep()
    assert redis_client().exists(bell_key("privacy.carry_out", shop.id))
    jobs.carry_out(shop.id)

    assert the_request()["status"] == "done"
    assert value("SELECT phone FROM messages").startswith("redacted:")
    build_messages.assert_books_balance()


def test_what_was_erased_is_never_made_ready_to_send_again(client: FlaskClient, shop: Shop) -> None:
    build_messages.credit(shop)
    a_customer(shop)
    run = build_messages.a_run(shop)
    batch = sending.claim(shop.id, run.run_id)
    assert batch is not None
    sending.settle(shop.id, run.run_id, batch, CallResult([Rejected("refused")], "refused"))
    erase(client, shop)

    with unit_of_work(shop.id):
        assert reopen(shop.id, run.run_id, MessageState.FAILED) == 0


@pytest.mark.parametrize("way", ["import", "form", "list", "shopify"])
def test_an_erased_persons_opt_out_still_holds_when_the_number_comes_back(
    client: FlaskClient, shop: Shop, owner: sa.Engine, way: str
) -> None:
    a_customer(shop, consent="opted_out")
    erase(client, shop)
    assert build_contacts.suppressed_phones(shop) == set()
    assert value("SELECT count(*) FROM suppressed_hashes") == 1
    assert "6984303406" not in everything_written(owner)

    BACK[way](client, shop)

    assert build_contacts.suppressed_phones(shop) == {PHONE}
    assert value("SELECT consent FROM contacts") != "opted_in"
    build_messages.assert_books_balance()


def by_import(client: FlaskClient, shop: Shop) -> None:
    body = {"contacts": [{"phoneE164": PHONE, "smsConsent": "opted_in", "firstName": "Maria"}]}
    answer = client.post("/contacts/import", json=body, headers=build.auth(shop))
    assert answer.status_code in {200, 201, 202}, answer.text


def by_form(client: FlaskClient, shop: Shop) -> None:
    body = {"phoneE164": PHONE, "smsConsent": "opted_in"}
    assert client.post("/contacts", json=body, headers=build.auth(shop)).status_code == 201


def by_list(_client: FlaskClient, shop: Shop) -> None:
    with unit_of_work(shop.id) as session:
        session.execute(
            sa.text("INSERT INTO contacts (shop_id, phone) VALUES (:shop_id, :phone)"),
            {"shop_id": shop.id, "phone": PHONE},
        )
        assert consents.grant_by_phones(shop.id, [PHONE], source=ConsentSource.IMPORT) == set()


def by_asking(_client: FlaskClient, shop: Shop) -> None:
    with unit_of_work(shop.id) as session:
        assert consents.is_suppressed(shop.id, PHONE)
        session.execute(
            sa.text("INSERT INTO contacts (shop_id, phone) VALUES (:shop_id, :phone)"),
            {"shop_id": shop.id, "phone": PHONE},
        )


BACK: dict[str, Callable[[FlaskClient, Shop], None]] = {
    "import": by_import,
    "form": by_form,
    "list": by_list,
    "shopify": by_asking,
}


def test_the_evidence_of_consent_loses_the_person_and_nothing_else_can_change_it(
    client: FlaskClient, shop: Shop
) -> None:
    a_customer(shop)
    erase(client, shop)

    (event,) = build_contacts.consent_events(shop)
    assert (event.action, event.source, event.contact_id) == ("grant", "manual", None)
    assert event.phone == f"redacted:{event.id}"
    with pytest.raises(sa.exc.DBAPIError), unit_of_work(shop.id) as session:
        session.execute(sa.text("SELECT set_config('app.redacting', 'on', true)"))
        session.execute(sa.text("UPDATE consent_events SET action = 'withdraw'"))
    other = build.a_shop()
    with pytest.raises(sa.exc.DBAPIError), unit_of_work(other.id) as session:
        session.execute(sa.text("SELECT redact_consent_events(:shop, NULL, 10)"), {"shop": shop.id})


def test_every_table_says_what_becomes_of_it_when_a_shop_is_erased(app: Flask, owner: sa.Engine) -> None:
    with owner.connect() as connection:
        named = [*tables.EMPTIED, *tables.KEPT]
        assert sorted(named) == sorted(tenant_tables(connection))


def uninstall(shop: Shop) -> None:
    with unit_of_work(shop.id) as session:
        session.execute(sa.text("UPDATE shops SET status = 'uninstalled'"))


def test_an_erased_shop_keeps_its_books_and_nothing_else(
    client: FlaskClient, shop: Shop, owner: sa.Engine
) -> None:
    build_messages.credit(shop)
    build_messages.people(shop, 5)
    a_customer(shop)
    build_contacts.a_suppression(shop)
    sent_to(shop)
    build_messages.a_run(shop, "Never to be sent, {{firstName}}")
    spent = build_messages.balance_of(shop).spent
    other = build.a_shop()
    kept_by_other = build_contacts.a_contact(other)
    uninstall(shop)

    ask(client, shop, "shop/redact", customer=None)
    carrying_out.carry_out(shop.id, most=2)  # many rounds, as in a large shop

    assert (the_request()["status"], the_request()["counts"]["contacts"]) == ("done", 6)
    assert [secret for secret in (*SECRETS, "Never to be sent") if secret in everything_written(owner)] == []
    assert value("SELECT count(*) FROM messages WHERE phone LIKE '+%'") == 0
    assert (build_messages.balance_of(shop).spent, build_messages.balance_of(shop).held) == (spent, 0)
    assert build_contacts.reload_contact(other, kept_by_other.id) is not None
    build_messages.assert_books_balance()


def test_a_shop_that_was_erased_has_no_row_left_in_any_table_that_is_not_kept(
    client: FlaskClient, shop: Shop, owner: sa.Engine
) -> None:
    with owner.connect() as connection:
        connection.exec_driver_sql(f"SELECT set_config('app.shop_id', '{shop.id}', false)")
        for table in parents_first(connection):
            if table in tables.EMPTIED and table != "contact_words":
                connection.exec_driver_sql(a_row_of(connection, table, shop.id))
    uninstall(shop)
    ask(client, shop, "shop/redact", customer=None)
    jobs.carry_out(shop.id)

    left = {
        table: count
        for table in tables.EMPTIED
        if (count := value(f"SELECT count(*) FROM {table} WHERE shop_id = :shop_id", shop_id=shop.id))
    }
    assert left == {"webhook_inbox": 1}  # the request itself, scrubbed
    assert value("SELECT payload FROM webhook_inbox WHERE topic = 'shop/redact'") == {"redacted": True}


def test_a_shop_that_has_come_back_is_not_erased(client: FlaskClient, shop: Shop) -> None:
    contact_id = a_customer(shop)

    ask(client, shop, "shop/redact", customer=None)
    jobs.carry_out(shop.id)

    assert (the_request()["status"], the_request()["reason"]) == ("declined", carrying_out.REINSTALLED)
    assert build_contacts.reload_contact(shop, contact_id) is not None


def test_a_large_erasure_goes_on_where_its_time_ran_out(client: FlaskClient, shop: Shop) -> None:
    build_messages.credit(shop)
    a_customer(shop)
    sent_to(shop)
    ask(client, shop, "customers/redact")

    assert carrying_out.carry_out(shop.id, seconds=-1) is True
    assert the_request()["status"] == "waiting"
    assert carrying_out.carry_out(shop.id) is False

    assert the_request()["status"] == "done"
