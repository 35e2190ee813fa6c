"""The account page: the same facts where each of the two clients looks for them."""

from __future__ import annotations

from flask.testing import FlaskClient

from app.billing import service as billing
from app.campaigns.models import Campaign
from app.core.uow import unit_of_work
from app.messaging.service import freezing
from app.messaging.states import Source
from app.messaging.wording import word
from app.shops.models import Shop
from tests import build, build_contacts


def two_campaigns(shop: Shop) -> None:
    with unit_of_work(shop.id) as session:
        session.add_all(Campaign(shop_id=shop.id, name=name, message="Hello") for name in ("May", "June"))


def test_both_clients_find_what_they_show(client: FlaskClient, shop: Shop):
    billing.grant_credits(shop.id, 40, key="gift", reason="test")
    client.put("/settings", json={"senderId": "Kalamata"}, headers=build.auth(shop))

    data = client.get("/settings/account", headers=build.auth(shop)).json["data"]

    facts = {key: data[key] for key in ("shopId", "shopDomain", "shopName", "credits")}
    name = shop.domain.partition(".")[0]
    assert facts == {"shopId": str(shop.id), "shopDomain": shop.domain, "shopName": name, "credits": 40}
    assert data["settings"] == {"senderId": "Kalamata", "timezone": "Europe/Athens", "currency": "EUR"}
    assert data["account"] == {
        "shopDomain": shop.domain,
        "credits": 40,
        "createdAt": data["createdAt"],
        "senderNumber": None,
        "senderName": "Kalamata",
    }
    assert data["updatedAt"] > data["createdAt"]


def test_a_new_shop_has_used_nothing(client: FlaskClient, shop: Shop):
    usage = client.get("/settings/account", headers=build.auth(shop)).json["data"]["usage"]

    assert usage == {
        "totalContacts": 0,
        "totalCampaigns": 0,
        "totalAutomations": 0,
        "totalMessages": 0,
        "totalSpent": 0,
    }


def test_each_shop_counts_its_own(client: FlaskClient, shop: Shop, stranger: Shop):
    build_contacts.contacts(shop, 3)
    two_campaigns(shop)
    build_contacts.contacts(stranger, 5)

    mine = client.get("/settings/account", headers=build.auth(shop)).json["data"]["usage"]
    theirs = client.get("/settings/account", headers=build.auth(stranger)).json["data"]["usage"]

    assert (mine["totalContacts"], mine["totalCampaigns"]) == (3, 2)
    assert (theirs["totalContacts"], theirs["totalCampaigns"]) == (5, 0)


def test_a_message_counts_when_the_provider_has_taken_it(client: FlaskClient, shop: Shop):
    wording = word("Hello", constants={}, link_base="https://sms.example.com")
    with unit_of_work(shop.id):
        run_id = freezing.open_run(shop.id, Source.TEST, 1, wording, sender="Kalamata")
        freezing.freeze_one(shop.id, run_id, phone="+306900000001", values={})

    usage = client.get("/settings/account", headers=build.auth(shop)).json["data"]["usage"]

    assert usage["totalMessages"] == 0, "it is waiting"
