"""One object of every kind in a shop, so that another shop can be refused each of them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import sqlalchemy as sa
from flask.testing import FlaskClient

from app.campaigns.models import Campaign
from app.core.uow import unit_of_work
from app.shops.models import Shop
from tests import build, build_contacts, build_messages

Make = Callable[[FlaskClient, Shop], str]


def a_contact(_client: FlaskClient, shop: Shop) -> str:
    return str(build_contacts.a_contact(shop).id)


def a_suppressed_phone(_client: FlaskClient, shop: Shop) -> str:
    return build_contacts.a_suppression(shop)


def an_import(client: FlaskClient, shop: Shop) -> str:
    file = (BytesIO("phone,name\n+306900000001,Εύα\n".encode()), "people.csv")
    answer = client.post("/contacts/import", data={"file": file}, headers=build.auth(shop))
    assert answer.status_code == 202, answer.text
    imported: str = answer.json["data"]["importId"]
    return imported


def a_segment(client: FlaskClient, shop: Shop) -> str:
    body = {"name": f"Segment {next(build.counter)}", "contactIds": [a_contact(client, shop)]}
    answer = client.post("/audiences/segments", json=body, headers=build.auth(shop))
    assert answer.status_code == 201, answer.text
    segment: str = answer.json["data"]["id"]
    return segment


def an_audience(client: FlaskClient, shop: Shop) -> str:
    return f"segment:{a_segment(client, shop)}"


def a_campaign(_client: FlaskClient, shop: Shop) -> str:
    name = f"Campaign {next(build.counter)}"
    campaign = Campaign(shop_id=shop.id, name=name, message="Hello {{firstName}}")
    with unit_of_work(shop.id) as session:
        session.add(campaign)
        session.flush()
        return str(campaign.id)


def a_template(client: FlaskClient, shop: Shop) -> str:
    answer = client.post("/templates/ensure-defaults", headers=build.auth(shop))
    assert answer.status_code == 200, answer.text
    with unit_of_work(shop.id) as session:
        own = sa.text("SELECT min(id) FROM templates WHERE shop_id = :shop_id")
        return str(session.scalar(own, {"shop_id": shop.id}))


def a_message(client: FlaskClient, shop: Shop) -> str:
    a_contact(client, shop)
    build_messages.credit(shop, 10)
    run = build_messages.a_run(shop, "Hello!")
    return str(build_messages.messages_of(shop, run.run_id)[0].id)


def an_api_key(client: FlaskClient, shop: Shop) -> str:
    body = {"name": f"Key {next(build.counter)}", "scopes": ["contacts:read"]}
    answer = client.post("/api-keys", json=body, headers=build.auth(shop))
    assert answer.status_code == 201, answer.text
    key: str = answer.json["data"]["key"]["id"]
    return key


def a_pool_of_codes(client: FlaskClient, shop: Shop) -> str:
    body = {"title": "Ten off", "percentage": 10, "count": 1}
    answer = client.post("/discount-pools", json=body, headers=build.auth(shop))
    assert answer.status_code == 201, answer.text
    pool: str = answer.json["data"]["id"]
    return pool


def a_privacy_request(_client: FlaskClient, shop: Shop) -> str:
    with unit_of_work(shop.id) as session:
        kept = sa.text(
            "INSERT INTO privacy_requests (shop_id, inbox_id, kind)"
            " VALUES (:shop_id, :inbox_id, 'data_request') RETURNING id"
        )
        return str(session.scalar(kept, {"shop_id": shop.id, "inbox_id": next(build.counter)}))


def an_alert(_client: FlaskClient, shop: Shop) -> str:
    with unit_of_work(shop.id) as session:
        kept = sa.text("INSERT INTO billing_alerts (shop_id, kind) VALUES (:shop_id, 'debt') RETURNING id")
        return str(session.scalar(kept, {"shop_id": shop.id}))


# By the name of the path parameter. A new kind of object needs a line here.
def an_automation(client: FlaskClient, shop: Shop) -> str:
    body = {"name": "Ours", "trigger": "welcome", "message": "Welcome to us!"}
    made = client.post("/automations", json=body, headers=build.auth(shop))
    return str(made.get_json()["data"]["id"])


MAKERS: dict[str, Make] = {
    "automation_id": an_automation,
    "contact_id": a_contact,
    "phone": a_suppressed_phone,
    "import_id": an_import,
    "segment_id": a_segment,
    "audience_id": an_audience,
    "campaign_id": a_campaign,
    "template_id": a_template,
    "message_id": a_message,
    "key_id": an_api_key,
    "request_id": a_privacy_request,
    "pool_id": a_pool_of_codes,
    "alert_id": an_alert,
}
# What is asked of Shopify, not of our tables. Nobody has any as long as no shop is connected.
# And a trigger is a word that every shop knows, as a month is.
NOT_KEPT_HERE = {"discount_id", "code", "trigger", "month"}

ROWS_OF_SHOP = """
SELECT md5(string_agg(CAST(t AS text), '|' ORDER BY CAST(t AS text))) FROM {table} t
WHERE {column} = {shop_id}"""


def tenant_tables(connection: sa.Connection) -> dict[str, str]:
    """Every tenant table, and the column that names the shop."""
    tables = connection.exec_driver_sql(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'shop_id'"
    ).scalars()
    return {"shops": "id", **dict.fromkeys(sorted(tables), "shop_id")}


def everything_of(owner: sa.Engine, shop: Shop) -> dict[str, str | None]:
    """A fingerprint of all rows of a shop, table by table."""
    with owner.connect() as connection:
        connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
        return {
            table: connection.exec_driver_sql(
                ROWS_OF_SHOP.format(table=table, column=column, shop_id=shop.id)
            ).scalar()
            for table, column in tenant_tables(connection).items()
        }
