"""A shop's own segments: by rule or by list, made, changed and deleted."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from app.audiences import service
from app.audiences.errors import SegmentInUse, SegmentNotFound
from app.audiences.service import segments as segments_module
from app.contacts.models import Contact
from app.core.database import db
from app.core.uow import unit_of_work
from tests.audiences.people import Caller, a_campaign, a_contact

VIP = {"all": [{"field": "tags", "op": "anyOf", "value": ["vip"]}]}


def test_a_segment_by_rule_follows_its_contacts(merchant: Caller) -> None:
    segment = merchant.a_segment("VIPs", rule=VIP)
    assert (segment["estimatedCount"], segment["rule"], segment["criteria"]) == (0, VIP, VIP)

    a_contact(merchant.shop, tags=["vip"])

    path = f"/audiences/segments/{segment['id']}"
    assert merchant.data("GET", path)["estimatedCount"] == 1
    assert merchant.data("GET", f"{path}/preview") == {"segmentId": segment["id"], "estimatedCount": 1}


def test_a_segment_by_list_holds_the_listed_contacts_and_counts_those_who_may_be_texted(
    merchant: Caller,
) -> None:
    inside = a_contact(merchant.shop)
    silent = a_contact(merchant.shop, consent="unknown")
    a_contact(merchant.shop)

    segment = merchant.a_segment("Friends", contactIds=[inside, silent])

    assert (segment["type"], segment["key"], segment["rule"]) == ("custom", None, None)
    assert segment["estimatedCount"] == 1 and segment["unknown"] == []
    assert merchant.reached(f"segment:{segment['id']}") == [inside]


def test_ids_that_are_not_the_shops_are_reported_and_never_added(merchant: Caller, stranger: Caller) -> None:
    mine, theirs = a_contact(merchant.shop), a_contact(stranger.shop)

    segment = merchant.a_segment("Friends", contactIds=[mine, theirs, "424242"])
    added = merchant.data(
        "POST", f"/audiences/segments/{segment['id']}/members", {"contactIds": [theirs, mine]}
    )

    assert segment["unknown"] == [theirs, "424242"] and segment["estimatedCount"] == 1
    assert added == {"segmentId": segment["id"], "changed": 0, "unknown": [theirs], "estimatedCount": 1}


def test_members_come_and_go_as_sets(merchant: Caller) -> None:
    first, second, third = (a_contact(merchant.shop) for _ in range(3))
    segment = merchant.a_segment("Friends", contactIds=[first])
    members = f"/audiences/segments/{segment['id']}/members"

    added = merchant.data("POST", members, {"contactIds": [first, second, third, third]})
    removed = merchant.data("DELETE", members, {"contactIds": [first, second, "999"]})

    assert (added["changed"], added["estimatedCount"]) == (2, 3)
    assert (removed["changed"], removed["estimatedCount"], removed["unknown"]) == (2, 1, ["999"])
    assert merchant.reached(f"segment:{segment['id']}") == [third]


def test_a_list_replaces_the_rule_and_a_rule_replaces_the_list(merchant: Caller) -> None:
    vip, other = a_contact(merchant.shop, tags=["vip"]), a_contact(merchant.shop)
    segment = merchant.a_segment("Mixed", rule=VIP)
    path, audience = f"/audiences/segments/{segment['id']}", f"segment:{segment['id']}"

    merchant.data("PUT", path, {"contactIds": [other]})
    assert merchant.reached(audience) == [other]

    merchant.data("PUT", path, {"rule": VIP})
    assert merchant.reached(audience) == [vip]

    merchant.data("PUT", path, {"contactIds": []})
    assert merchant.reached(audience) == []


def test_what_a_change_does_not_mention_stays(merchant: Caller) -> None:
    one = a_contact(merchant.shop)
    segment = merchant.a_segment("Friends", contactIds=[one])

    changed = merchant.data("PUT", f"/audiences/segments/{segment['id']}", {"name": "  Best friends "})

    assert (changed["name"], changed["estimatedCount"], changed["isActive"]) == ("Best friends", 1, True)


def test_a_name_is_taken_only_once_per_shop(merchant: Caller, stranger: Caller) -> None:
    merchant.a_segment("Friends", contactIds=[])
    other = merchant.a_segment("Others", contactIds=[])

    again = {"name": "Friends", "contactIds": []}
    assert merchant.refused("POST", "/audiences/segments", again) == (409, "DUPLICATE_NAME")
    assert merchant.refused("PUT", f"/audiences/segments/{other['id']}", {"name": "Friends"}) == (
        409,
        "DUPLICATE_NAME",
    )
    assert stranger.a_segment("Friends", contactIds=[])["name"] == "Friends"


def test_no_segment_takes_the_name_of_a_system_segment(merchant: Caller) -> None:
    body = {"name": "Age 18-24", "contactIds": []}

    assert merchant.refused("POST", "/audiences/segments", body) == (409, "DUPLICATE_NAME")
    assert merchant.data("GET", "/audiences/segments")["total"] == 8


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"contactIds": []}, "name"),
        ({"name": "  ", "contactIds": []}, "name"),
        ({"name": "n" * 101, "contactIds": []}, "name"),
        ({"name": 5, "contactIds": []}, "name"),
        ({"name": "Both", "contactIds": [], "rule": VIP}, "rule"),
        ({"name": "Neither"}, "rule"),
        ({"name": "Bad id", "contactIds": ["1", "abc"]}, "contactIds.1"),
        ({"name": "Bad ids", "contactIds": "1"}, "contactIds"),
        ({"name": "Empty rule", "rule": {}}, "rule"),
    ],
)
def test_a_malformed_segment_is_refused_by_field(merchant: Caller, body: dict[str, Any], field: str) -> None:
    answer = merchant.call("POST", "/audiences/segments", body)

    assert (answer.status_code, answer.json["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json["details"][0]["field"] == field


def test_system_segments_are_read_only(merchant: Caller) -> None:
    system = merchant.data("GET", "/audiences/segments")["segments"][0]
    path = f"/audiences/segments/{system['id']}"

    assert merchant.refused("PUT", path, {"name": "Mine now"}) == (409, "CONFLICT")
    assert merchant.refused("DELETE", path) == (409, "CONFLICT")
    assert merchant.refused("POST", f"{path}/members", {"contactIds": []}) == (409, "CONFLICT")


def test_a_segment_with_a_rule_takes_no_members_by_hand(merchant: Caller) -> None:
    segment = merchant.a_segment("VIPs", rule=VIP)
    members = f"/audiences/segments/{segment['id']}/members"

    assert merchant.refused("POST", members, {"contactIds": []}) == (409, "CONFLICT")
    assert merchant.refused("DELETE", members, {"contactIds": []}) == (409, "CONFLICT")


def test_a_deleted_segment_is_gone_and_its_contacts_stay(merchant: Caller) -> None:
    one = a_contact(merchant.shop)
    segment = merchant.a_segment("Friends", contactIds=[one])
    path = f"/audiences/segments/{segment['id']}"

    assert merchant.data("DELETE", path) is None

    assert merchant.refused("GET", path) == (404, "NOT_FOUND")
    assert merchant.refused("DELETE", path) == (404, "NOT_FOUND")
    assert merchant.reached("all") == [one]


@pytest.mark.parametrize("status", ["scheduled", "sending"])
def test_a_segment_that_a_campaign_is_about_to_use_stays(merchant: Caller, status: str) -> None:
    segment = merchant.a_segment("Friends", contactIds=[])
    a_campaign(merchant.shop, audience=f"segment:{segment['id']}", status=status)
    path = f"/audiences/segments/{segment['id']}"

    assert merchant.refused("DELETE", path) == (409, "CONFLICT")
    assert merchant.refused("PUT", path, {"isActive": False}) == (409, "CONFLICT")
    assert merchant.data("GET", path)["isActive"] is True


def test_a_draft_does_not_keep_a_segment(merchant: Caller) -> None:
    segment = merchant.a_segment("Friends", contactIds=[])
    a_campaign(merchant.shop, audience=f"segment:{segment['id']}", status="draft")

    assert merchant.data("DELETE", f"/audiences/segments/{segment['id']}") is None


def test_a_segment_switched_off_is_offered_to_no_campaign(merchant: Caller) -> None:
    segment = merchant.a_segment("Friends", contactIds=[])

    merchant.data("PUT", f"/audiences/segments/{segment['id']}", {"isActive": False})

    offered = [one["id"] for one in merchant.data("GET", "/audiences")["audiences"]]
    assert f"segment:{segment['id']}" not in offered
    assert merchant.data("GET", "/audiences/segments")["total"] == 9


def test_a_shop_has_a_bounded_number_of_segments(merchant: Caller) -> None:
    for number in range(segments_module.MAX_CUSTOM_SEGMENTS):
        service.create_segment(merchant.shop.id, name=f"Segment {number}", contact_ids=[])

    body = {"name": "One more", "contactIds": []}
    assert merchant.refused("POST", "/audiences/segments", body) == (409, "CONFLICT")
    assert len(merchant.data("GET", "/audiences")["audiences"]) == 211


def test_deleting_a_contact_takes_it_out_of_its_segments(merchant: Caller) -> None:
    one = a_contact(merchant.shop)
    segment = merchant.a_segment("Friends", contactIds=[one])

    with unit_of_work(merchant.shop.id) as session:
        session.delete(session.get(Contact, int(one)))

    assert merchant.data("GET", f"/audiences/segments/{segment['id']}")["estimatedCount"] == 0


def test_a_segments_members_can_filter_the_contacts_list_whatever_their_consent(
    merchant: Caller, stranger: Caller
) -> None:
    silent, _ = a_contact(merchant.shop, consent="unknown"), a_contact(merchant.shop)
    segment = merchant.a_segment("Friends", contactIds=[silent])
    merchant.data("PUT", f"/audiences/segments/{segment['id']}", {"isActive": False})

    with unit_of_work(merchant.shop.id) as session:
        inside = service.segment_members(merchant.shop.id, int(segment["id"]))
        found = session.scalars(select(Contact.id).where(Contact.id.in_(inside))).all()
    assert found == [int(silent)]

    with unit_of_work(stranger.shop.id), pytest.raises(SegmentNotFound):
        service.segment_members(stranger.shop.id, int(segment["id"]))


def test_a_segment_cannot_vanish_under_a_campaign_that_is_being_saved(app: Flask, merchant: Caller) -> None:
    segment = merchant.a_segment("Friends", contactIds=[])
    shop_id, segment_id = merchant.shop.id, int(segment["id"])
    refusals: list[BaseException] = []

    def delete() -> None:
        with app.app_context():
            try:
                service.delete_segment(shop_id, segment_id)
            except SegmentInUse as refusal:
                refusals.append(refusal)
            finally:
                db.session.remove()

    with unit_of_work(shop_id) as session:
        service.require_audience(shop_id, f"segment:{segment_id}")
        deleter = Thread(target=delete)
        deleter.start()
        _wait_until_somebody_waits(session)
        session.execute(
            text(
                "INSERT INTO campaigns (shop_id, name, message, audience, status, schedule_at)"
                " VALUES (:shop_id, 'Sale', 'Hello', :audience, 'scheduled', now())"
            ),
            {"shop_id": shop_id, "audience": f"segment:{segment_id}"},
        )
    deleter.join()

    assert len(refusals) == 1
    assert merchant.data("GET", f"/audiences/segments/{segment_id}")["name"] == "Friends"


def _wait_until_somebody_waits(session: Any) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    while not session.scalar(waiting):
        pass


def test_routes_need_a_credential(merchant: Caller) -> None:
    merchant.headers = {}

    assert merchant.refused("GET", "/audiences") == (401, "AUTHENTICATION_REQUIRED")
    assert merchant.refused("POST", "/audiences/segments", {}) == (401, "AUTHENTICATION_REQUIRED")
