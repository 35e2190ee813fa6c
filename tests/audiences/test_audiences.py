"""What audiences are called and whom they reach."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.audiences import queries, service
from app.audiences.errors import AudienceNotFound, InvalidAudience
from app.core.database import db
from app.core.uow import unit_of_work
from tests.audiences.people import Caller, a_contact, suppress

SYSTEM_KEYS = [
    "gender_male",
    "gender_female",
    "gender_unknown",
    "age_18_24",
    "age_25_34",
    "age_35_44",
    "age_45_54",
    "age_55_plus",
]


def test_a_shop_sees_three_predefined_audiences_and_its_eight_system_segments(merchant: Caller) -> None:
    listed = merchant.data("GET", "/audiences")

    ids = [one["id"] for one in listed["audiences"]]
    assert ids[:3] == ["all", "men", "women"]
    assert len(ids) == 11 and all(one.startswith("segment:") for one in ids[3:])
    assert listed["summary"] == {"total": 0, "men": 0, "women": 0, "segments": 8}


def test_the_list_counts_only_people_who_may_be_texted(merchant: Caller) -> None:
    a_contact(merchant.shop, gender="male")
    a_contact(merchant.shop, gender="female", consent="opted_out")
    a_contact(merchant.shop, gender="female", consent="unknown")
    a_contact(merchant.shop, gender="female", phone="+306955555555")
    suppress(merchant.shop, "+306955555555")

    listed = merchant.data("GET", "/audiences")

    by_id = {one["id"]: one for one in listed["audiences"]}
    assert listed["totalContacts"] == 1
    assert (by_id["men"]["contactCount"], by_id["men"]["isAvailable"]) == (1, True)
    assert (by_id["women"]["contactCount"], by_id["women"]["isAvailable"]) == (0, False)


def test_predefined_audiences_carry_no_segment_id_and_segments_do(merchant: Caller) -> None:
    audiences = merchant.data("GET", "/audiences")["audiences"]

    assert "segmentId" not in audiences[0] and audiences[0]["type"] == "predefined"
    assert audiences[3]["id"] == f"segment:{audiences[3]['segmentId']}" and audiences[3]["type"] == "segment"


def test_system_segments_are_made_once_however_often_they_are_listed(merchant: Caller) -> None:
    first = merchant.data("GET", "/audiences/segments")
    merchant.data("GET", "/audiences")
    again = merchant.data("GET", "/audiences/segments")

    assert [one["key"] for one in first["segments"]] == SYSTEM_KEYS
    assert [one["id"] for one in first["segments"]] == [one["id"] for one in again["segments"]]
    assert again["total"] == 8


def test_a_system_segment_shows_its_criteria(merchant: Caller) -> None:
    segments = {one["key"]: one for one in merchant.data("GET", "/audiences/segments")["segments"]}

    assert segments["age_18_24"]["criteria"] == {"age": {"gte": 18, "lte": 24}}
    assert segments["age_55_plus"]["criteriaJson"] == {"age": {"gte": 55}}
    assert segments["gender_unknown"]["criteria"] == {"gender": None}
    assert segments["gender_male"]["type"] == "system" and segments["gender_male"]["isActive"] is True


def test_system_segments_count_the_contacts_that_fit_them(merchant: Caller) -> None:
    a_contact(merchant.shop, gender="male")
    a_contact(merchant.shop, gender="other")
    a_contact(merchant.shop)

    segments = merchant.data("GET", "/audiences/segments")["segments"]

    counts = {one["key"]: one["estimatedCount"] for one in segments}
    assert (counts["gender_male"], counts["gender_female"], counts["gender_unknown"]) == (1, 0, 1)


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("all", "all"),
        ("men", "men"),
        ("male", "men"),
        ("women", "women"),
        ("female", "women"),
        ("segment:12", "segment:12"),
        ({"type": "all"}, "all"),
        ({"type": "all", "segmentId": None}, "all"),
        ({"type": "segment", "segmentId": "12"}, "segment:12"),
        ({"type": "segment", "segmentId": "segment:12"}, "segment:12"),
    ],
)
def test_every_spelling_of_an_audience_has_one_canonical_form(raw: Any, canonical: str) -> None:
    assert service.canonical(service.parse_audience(raw)) == canonical


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "12",
        12,
        None,
        True,
        [],
        {},
        "ALL",
        "everybody",
        "segment:",
        "segment:x",
        "segment:-1",
        "segment:1 ",
        "segment:١",
        "segment:9999999999999999999",
        {"type": "segment"},
        {"type": "segment", "segmentId": ""},
        {"type": "segment", "segmentId": "all"},
        {"type": "segment", "segmentId": "men"},
        {"type": "segment", "segmentId": 12},
        {"type": "all", "segmentId": "12"},
        {"type": ["all"]},
        {"segmentId": "12"},
    ],
)
def test_anything_else_is_refused_and_never_means_everybody(raw: Any) -> None:
    with pytest.raises(InvalidAudience) as refusal:
        service.parse_audience(raw)

    assert refusal.value.status == 400 and refusal.value.code == "VALIDATION_ERROR"
    assert refusal.value.details[0]["field"] == "audience"


def test_details_list_the_recipients_newest_first_page_by_page(merchant: Caller) -> None:
    old = a_contact(merchant.shop, first_name="Old", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    new = a_contact(
        merchant.shop, first_name="New", created_at=datetime(2026, 1, 2, tzinfo=UTC), gender="male"
    )
    a_contact(merchant.shop, consent="unknown")

    first = merchant.data("GET", "/audiences/all/details?page=1&limit=1")
    second = merchant.data("GET", "/audiences/all/details?page=2&limit=1")

    assert [one["id"] for one in first["contacts"]] == [new]
    assert [one["id"] for one in second["items"]] == [old]
    assert first["items"] == first["contacts"] and first["audienceId"] == "all"
    assert first["pagination"] == {
        "page": 1,
        "pageSize": 1,
        "total": 2,
        "totalPages": 2,
        "hasNextPage": True,
        "hasPrevPage": False,
    }
    assert first["contacts"][0].keys() == {
        "id",
        "phoneE164",
        "firstName",
        "lastName",
        "email",
        "gender",
        "createdAt",
    }
    assert first["contacts"][0]["gender"] == "male"


def test_details_hold_fifty_contacts_unless_told_otherwise(merchant: Caller) -> None:
    assert merchant.data("GET", "/audiences/all/details")["pagination"]["pageSize"] == 50
    assert merchant.refused("GET", "/audiences/all/details?limit=101") == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("colon", [":", "%3A", "%3a"])
def test_a_segments_colon_may_be_encoded_in_the_path(merchant: Caller, colon: str) -> None:
    one = a_contact(merchant.shop)
    segment = merchant.a_segment(contactIds=[one])

    assert merchant.reached(f"segment{colon}{segment['id']}") == [one]


def test_details_of_what_is_no_audience_are_refused(merchant: Caller) -> None:
    assert merchant.refused("GET", "/audiences/everybody/details") == (400, "VALIDATION_ERROR")
    assert merchant.refused("GET", "/audiences/7/details") == (400, "VALIDATION_ERROR")
    assert merchant.refused("GET", "/audiences/segment:7/details") == (404, "NOT_FOUND")


def test_validating_says_whether_an_audience_exists_and_how_many_it_reaches(merchant: Caller) -> None:
    a_contact(merchant.shop, gender="female")

    known = merchant.data("POST", "/audiences/validate", {"audienceId": "female"})
    unknown = merchant.data("POST", "/audiences/validate", {"audienceId": "segment:99"})
    nonsense = merchant.data("POST", "/audiences/validate", {"audienceId": "99"})

    assert known == {"audienceId": "women", "isValid": True, "contactCount": 1, "error": None}
    assert (unknown["isValid"], unknown["contactCount"], unknown["audienceId"]) == (False, 0, "segment:99")
    assert nonsense["isValid"] is False and nonsense["error"]
    assert merchant.refused("POST", "/audiences/validate", {}) == (400, "VALIDATION_ERROR")


def test_two_shops_see_nothing_of_each_other(merchant: Caller, stranger: Caller) -> None:
    a_contact(merchant.shop, gender="male", tags=["vip"])
    segment = merchant.a_segment(rule={"any": [{"field": "tags", "op": "anyOf", "value": ["vip"]}]})
    theirs = f"/audiences/segments/{segment['id']}"

    assert stranger.data("GET", "/audiences")["totalContacts"] == 0
    assert stranger.data("GET", "/audiences/segments")["total"] == 8
    for method, path, body in [
        ("GET", theirs, None),
        ("GET", f"{theirs}/preview", None),
        ("GET", f"/audiences/segment:{segment['id']}/details", None),
        ("PUT", theirs, {"name": "Stolen"}),
        ("DELETE", theirs, None),
        ("POST", f"{theirs}/members", {"contactIds": []}),
        ("DELETE", f"{theirs}/members", {"contactIds": []}),
    ]:
        assert stranger.refused(method, path, body) == (404, "NOT_FOUND")
    checked = stranger.data("POST", "/audiences/validate", {"audienceId": f"segment:{segment['id']}"})
    assert checked["isValid"] is False
    assert merchant.data("GET", theirs)["name"] == "Mine"


def test_an_audience_whose_segment_is_gone_or_switched_off_cannot_be_sent_to(merchant: Caller) -> None:
    segment = merchant.a_segment(contactIds=[])
    merchant.data("PUT", f"/audiences/segments/{segment['id']}", {"isActive": False})

    for raw in (f"segment:{segment['id']}", "segment:99"):
        with pytest.raises(AudienceNotFound) as refusal, unit_of_work(merchant.shop.id):
            service.require_audience(merchant.shop.id, raw)
        assert (refusal.value.status, refusal.value.code) == (400, "AUDIENCE_RESOLUTION_FAILED")
        with pytest.raises(AudienceNotFound), unit_of_work(merchant.shop.id):
            queries.recipients(merchant.shop.id, service.parse_audience(raw))


def test_audiences_are_counted_with_the_same_number_of_statements_however_many_there_are(
    merchant: Caller,
) -> None:
    one = a_contact(merchant.shop, gender="male", tags=["t1"])
    a_contact(merchant.shop)
    silent = a_contact(merchant.shop, consent="unknown")
    rules = [{"all": [{"field": "tags", "op": "anyOf", "value": [f"t{n}"]}]} for n in range(5)]
    ids = [merchant.a_segment(f"S{n}", rule=rule)["id"] for n, rule in enumerate(rules)]
    ids.append(merchant.a_segment("Listed", contactIds=[one, silent])["id"])
    audiences = {service.parse_audience(raw) for raw in ["all", "men", "segment:99"]}
    segments = {service.parse_audience(f"segment:{one}") for one in ids}

    few, of_few = _counted(merchant, audiences | {service.parse_audience(f"segment:{ids[0]}")})
    many, of_many = _counted(merchant, audiences | segments)

    assert of_few == of_many
    assert {str(audience): count for audience, count in many.items() if count} == {
        "all": 2,
        "men": 1,
        f"segment:{ids[1]}": 1,
        f"segment:{ids[5]}": 1,
    }
    assert many.keys() == audiences | segments and len(few) == 4


def _counted(merchant: Caller, audiences: set[Any]) -> tuple[dict[Any, int], int]:
    statements: list[str] = []

    def remember(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", remember)
    try:
        with unit_of_work(merchant.shop.id):
            counts = service.audience_counts(merchant.shop.id, audiences)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", remember)
    return counts, len(statements)


def test_recipients_keep_the_columns_that_pricing_needs(merchant: Caller) -> None:
    a_contact(merchant.shop, first_name="Νίκος", gender="male")

    with unit_of_work(merchant.shop.id) as session:
        row = session.execute(queries.recipients(merchant.shop.id, service.parse_audience("men"))).one()

    assert (row.first_name, row.first_name_utf16, row.first_name_septets) == ("Νίκος", 5, -1)
