"""The audit log: who did what to which object, from where."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.access.service import reading
from app.campaigns.service import sweeping
from app.core.activity import Actor, ActorKind, acting_as, network_of, record
from app.core.uow import NoUnitOfWork, unit_of_work
from tests import build, build_contacts, build_messages
from tests.access.calls import a_key, call
from tests.build_campaigns import Merchant, a_merchant


def entries(merchant: Merchant, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = merchant.data("GET", f"/activity?pageSize=100&{query}")["items"]
    return found


def actions(merchant: Merchant, query: str = "") -> list[str]:
    """What was done, in the order of doing."""
    return [entry["action"] for entry in reversed(entries(merchant, query))]


def exported(merchant: Merchant, query: str = "") -> list[list[str]]:
    answer = merchant.call("GET", f"/activity/export?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/csv"
    return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def write(merchant: Merchant, count: int) -> None:
    with unit_of_work(merchant.shop.id):
        for number in range(count):
            record(merchant.shop.id, "thing.done", "thing", number)


def test_an_entry_says_who_did_what_to_which_object_from_where(client: FlaskClient, merchant: Merchant):
    answer = client.post(
        "/campaigns",
        json={"name": "Spring", "message": "Hi"},
        headers={**merchant.headers, "X-Request-ID": "req-1"},
        environ_base={"REMOTE_ADDR": "203.0.113.77"},
    )

    (entry,) = entries(merchant, "action=campaign.created")
    assert entry.pop("id")
    assert entry.pop("at").endswith("Z")
    assert entry == {
        "action": "campaign.created",
        "actorKind": "user",
        "actorId": None,
        "objectKind": "campaign",
        "objectId": answer.json["data"]["id"],
        "requestId": "req-1",
        "network": "203.0.113.0/24",
        "details": {"status": "draft"},
    }


def test_the_life_of_a_campaign_is_on_record(merchant: Merchant):
    build_messages.credit(merchant.shop, 50)
    build_contacts.a_contact(merchant.shop, consent="opted_in")
    campaign = merchant.a_campaign()
    merchant.data("PUT", f"/campaigns/{campaign}", {"name": "Another"})
    merchant.data(
        "PUT",
        f"/campaigns/{campaign}/schedule",
        {"scheduleType": "scheduled", "scheduleAt": "2099-01-01T10:00"},
    )
    for action in ("enqueue", "pause", "resume", "cancel"):
        assert merchant.do(action, campaign).status_code in {200, 201, 202}, action
    merchant.data("DELETE", f"/campaigns/{campaign}")

    assert actions(merchant, f"objectKind=campaign&objectId={campaign}") == [
        "campaign.created",
        "campaign.updated",
        "campaign.scheduled",
        "campaign.enqueued",
        "campaign.paused",
        "campaign.resumed",
        "campaign.cancelled",
        "campaign.deleted",
    ]


def test_what_a_merchant_does_to_contacts_segments_and_settings_is_on_record(merchant: Merchant):
    contact = build_contacts.a_contact(merchant.shop)
    merchant.data("DELETE", f"/contacts/{contact.id}")
    merchant.data("POST", "/suppressions", {"phones": ["+306912345678", "nonsense"]})
    merchant.data("DELETE", "/suppressions/+306912345678")
    merchant.data("POST", "/contacts/import", {"contacts": [{"phone": "+306912345679"}]})
    segment = merchant.data("POST", "/audiences/segments", {"name": "Few", "contactIds": []})["id"]
    merchant.data("PUT", f"/audiences/segments/{segment}", {"name": "Fewer"})
    merchant.data("POST", f"/audiences/segments/{segment}/members", {"contactIds": ["1"]})
    merchant.data("DELETE", f"/audiences/segments/{segment}")
    merchant.data("PUT", "/settings", {"timezone": "Europe/Rome"})

    assert [(entry["action"], entry["details"]) for entry in reversed(entries(merchant))][-9:] == [
        ("contact.deleted", {}),
        ("suppression.added", {"given": 1, "added": 1}),
        ("suppression.lifted", {}),
        ("import.started", {"rows": 1}),
        ("segment.created", {}),
        ("segment.updated", {}),
        ("segment.members_changed", {"members": 0}),
        ("segment.deleted", {}),
        ("settings.changed", {"changed": ["timezone"]}),
    ]


def test_no_entry_holds_a_phone_or_a_text(merchant: Merchant, owner: sa.Engine):
    merchant.data("POST", "/suppressions", {"phones": ["+306912345678"]})
    merchant.a_campaign(name="Secret name", message="Secret text")
    with owner.connect() as connection:
        connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
        everything = str(connection.exec_driver_sql("SELECT * FROM activity").all())

    assert "6912345678" not in everything
    assert "Secret" not in everything


def test_what_a_key_does_is_on_record_under_the_key(client: FlaskClient, merchant: Merchant):
    key_id, secret = a_key(merchant, "campaigns:write")
    call(client, secret, "POST", "/campaigns", json={"name": "By till", "message": "Hi"})
    merchant.data("POST", f"/api-keys/{key_id}/rotate")
    merchant.data("DELETE", f"/api-keys/{key_id}")

    assert actions(merchant, f"objectKind=api_key&objectId={key_id}&actorKind=user") == [
        "api_key.created",
        "api_key.rotated",
        "api_key.revoked",
    ]
    assert actions(merchant, f"actorKind=api_key&actorId={key_id}") == ["campaign.created"]


def test_what_the_schedule_starts_was_done_by_the_system(merchant: Merchant):
    build_messages.credit(merchant.shop, 50)
    build_contacts.a_contact(merchant.shop, consent="opted_in")
    campaign = merchant.a_campaign(scheduleType="scheduled", scheduleAt="2099-01-01T10:00")
    with unit_of_work(merchant.shop.id) as session:
        session.execute(sa.text("UPDATE campaigns SET schedule_at = now() - interval '1 minute'"))

    assert sweeping.start_due() == 1

    (entry,) = entries(merchant, f"objectId={campaign}&action=campaign.enqueued")
    assert (entry["actorKind"], entry["requestId"], entry["network"]) == ("system", None, None)


def test_credits_that_an_operator_gives_are_on_record(app: Flask, merchant: Merchant):
    for _ in range(2):  # the second time nothing is granted
        app.test_cli_runner().invoke(args=["credits", "grant", merchant.shop.domain, "7", "--key", "k"])

    (entry,) = entries(merchant, "action=credits.granted&actorKind=operator")
    assert entry["details"] == {"amount": 7}


def test_a_change_that_is_refused_or_fails_leaves_no_entry(merchant: Merchant):
    merchant.a_campaign(name="Taken")
    before = actions(merchant)

    assert merchant.refused("POST", "/campaigns", {"name": "Taken", "message": "Hi"})[0] == 409
    with pytest.raises(ZeroDivisionError), unit_of_work(merchant.shop.id):
        record(merchant.shop.id, "thing.done", "thing")
        raise ZeroDivisionError

    assert actions(merchant) == before


def test_an_entry_needs_the_unit_of_work_of_its_change(app: Flask):
    with pytest.raises(NoUnitOfWork):
        record(1, "thing.done", "thing")


@pytest.mark.parametrize("typed", ["Eva P", "+306912345678", "6912345678", "a@b.gr", "", "Εύα"])
def test_what_a_person_typed_does_not_get_into_the_log(app: Flask, typed: str):
    shop = build.a_shop()

    for value in (typed, ["fine", typed]):
        with pytest.raises(ValueError, match="no free text"), unit_of_work(shop.id):
            record(shop.id, "thing.done", "thing", about=value)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", None),
        (None, None),
        ("localhost", None),
    ],
)
def test_of_an_address_only_the_network_is_kept(address: str | None, network: str | None):
    assert network_of(address) == network


def test_an_actor_acts_for_a_while_only(merchant: Merchant):
    with acting_as(Actor(ActorKind.OPERATOR)):
        write(merchant, 1)
    write(merchant, 1)

    assert [one["actorKind"] for one in entries(merchant, "action=thing.done")] == ["system", "operator"]


def test_pages_and_filters(client: FlaskClient, merchant: Merchant):
    write(a_merchant(client), 2)
    write(merchant, 5)
    with unit_of_work(merchant.shop.id) as session:
        session.execute(
            sa.text(
                "INSERT INTO activity (shop_id, at, actor_kind, action, object_kind)"
                " VALUES (:shop, '2020-01-01T12:00Z', 'system', 'thing.done', 'thing')"
            ),
            {"shop": merchant.shop.id},
        )

    page = merchant.data("GET", "/activity?page=2&pageSize=2&action=thing.done")
    assert [one["objectId"] for one in page["activity"]] == ["2", "1"]
    assert page["pagination"]["total"] == 6
    day = "action=thing.done&from=2020-01-01T12:00:00Z&to="
    assert len(entries(merchant, f"{day}2020-01-01T12:00:01Z")) == 1
    assert len(entries(merchant, f"{day}2020-01-01T12:00:00Z")) == 0
    assert len(entries(merchant, "objectKind=thing&objectId=3")) == 1
    assert entries(merchant, "action=nothing") == []
    assert merchant.fault("GET", "/activity?actorKind=nobody") == "actorKind"


def test_the_export_has_everything_in_the_order_of_the_list(client: FlaskClient, merchant: Merchant):
    write(a_merchant(client), 1)
    write(merchant, reading.PORTION + 2)

    header, *rows = exported(merchant, "objectKind=thing")

    assert header == list(reading.HEADER)
    assert [row[5] for row in rows] == [str(number) for number in reversed(range(reading.PORTION + 2))]
    assert exported(merchant, "action=nothing") == [header]


def test_no_cell_of_the_export_is_a_formula(client: FlaskClient, merchant: Merchant):
    client.post(
        "/campaigns",
        json={"name": "Spring", "message": "Hi"},
        headers={**merchant.headers, "X-Request-ID": "-1.cmd"},
    )

    rows = exported(merchant, "action=campaign.created")

    assert rows[1][6] == "'-1.cmd"
