"""Searching and filtering contacts by index, and what the counters know."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.contacts import finding, search
from app.contacts.finding import FoundPage, Limits
from app.contacts.models import ConsentSource
from app.contacts.queries import ContactFilter
from app.core.uow import unit_of_work
from app.shops.models import Shop
from tests import build
from tests.build_contacts import a_contact, contacts

REALLY = sa.text("""
SELECT consent, coalesce(gender, ''), birth_date IS NOT NULL, orders_count > 0, count(*) FROM contacts
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4""")
BY_COUNTERS = sa.text("""
SELECT consent, gender, has_birth_date, has_purchased, n FROM contact_counts
WHERE n <> 0 ORDER BY 1, 2, 3, 4""")

MAY_BE_TEXTED = sa.text("""
SELECT gender, birth_date, count(*) FROM contacts WHERE consent = 'opted_in'
GROUP BY 1, 2 ORDER BY 1, 2""")
BY_BIRTH_DATE = sa.text("SELECT gender, birth_date, n FROM audience_counts WHERE n <> 0 ORDER BY 1, 2")


def listed(client: FlaskClient, shop: Shop, **query: Any) -> dict[str, Any]:
    response = client.get("/contacts", query_string=query, headers=build.auth(shop))
    assert response.status_code == 200, response.json
    return dict(response.json["data"])


def found_page(shop: Shop, wanted: ContactFilter, page_size: int, limits: Limits) -> FoundPage:
    with unit_of_work(shop.id):
        return finding.find(shop.id, wanted, [], page=1, page_size=page_size, after=None, limits=limits)


def names(client: FlaskClient, shop: Shop, **query: Any) -> list[str]:
    return [item["firstName"] for item in listed(client, shop, **query)["items"]]


def test_a_changed_or_deleted_contact_is_found_by_what_it_is_now(client, shop):
    contact = a_contact(shop, first_name="Eleni", tags=["VIP"])
    change = {"firstName": "Sofia", "tags": ["Gold_Club"], "phoneE164": "+306977777777"}
    client.put(f"/contacts/{contact.id}", json=change, headers=build.auth(shop))

    assert names(client, shop, q="eleni") == []
    assert names(client, shop, q="VIP") == []
    assert [names(client, shop, q=q) for q in ("sof", "Gold_Club", "69 77 77 77 77")] == [["Sofia"]] * 3

    client.delete(f"/contacts/{contact.id}", headers=build.auth(shop))
    assert names(client, shop, q="sofia") == []


def test_no_piece_is_found_across_fields(client, shop):
    a_contact(shop, phone="+306912345678", first_name="Maria", email="anna@example.com", tags=["abc", "def"])

    assert [names(client, shop, q=q) for q in ("678 maria", "maria anna", "abc def", "bcd")] == [[]] * 4


def test_one_or_two_letters_are_looked_for_where_words_begin(client, shop):
    a_contact(shop, first_name="Zoe", last_name="Pizza-Azzi", email="maria.xe@azure.example")
    a_contact(shop, first_name="Ξένη", last_name="O'Zzo", tags=["zz"])
    a_contact(shop, first_name="Pizzo", phone="+306912345678", email="buzz_zz@mail.example")

    assert names(client, shop, q="zz") == ["Pizzo", "Ξένη"]
    assert [names(client, shop, q=q) for q in ("z", "XE", "az", "ex", "ξέ", "q")] == [
        ["Pizzo", "Ξένη", "Zoe"],
        ["Zoe"],
        ["Zoe"],
        ["Pizzo", "Zoe"],
        ["Ξένη"],
        [],
    ]


def test_two_digits_and_two_signs_are_found_anywhere(client, shop):
    a_contact(shop, first_name="Zoe", phone="+306912345678", email="zoe@mail.example")

    assert [names(client, shop, q=q) for q in ("34", "e@", "7 8", "99", "@m")] == [
        ["Zoe"],
        ["Zoe"],
        ["Zoe"],
        [],
        ["Zoe"],
    ]


@pytest.mark.parametrize("few", [0, 2000])
def test_many_matches_and_few_are_found_alike(app: Flask, shop, few):
    ids = [a_contact(shop, first_name=name, tags=tags).id for name, tags in SPELLINGS]

    def found(**wanted: Any) -> list[int]:
        page = found_page(shop, ContactFilter(sort_order="asc", **wanted), 20, Limits(few=few))
        return [ids.index(contact.id) for contact in page.contacts]

    assert found(q="papa") == [0, 1]
    assert found(q="pap%") == [2]
    assert found(q="PAPA_S") == [1]
    assert found(q="papa", tags_any=("VIP",)) == [1]
    assert found(tags_any=("VIP", "Gold")) == [1, 2]
    assert found(tags_all=("VIP", "Gold")) == [2]
    assert found(tags_any=("vip",)) == []
    assert found(tags_any=("ab",)) == [3]
    assert found(q="papa", tags_all=("Gold",)) == []


SPELLINGS = [("Papadopoulou", []), ("papa_s", ["VIP"]), ("Pap%", ["VIP", "Gold"]), ("Xenia", ["ab"])]


def test_filters_about_orders_sources_and_days(client, shop):
    a_contact(shop, first_name="old", orders_count=2, last_order_at=datetime(2026, 1, 1, tzinfo=UTC))
    a_contact(shop, first_name="new", orders_count=1, last_order_at=datetime(2026, 6, 1, tzinfo=UTC))
    a_contact(shop, first_name="none", source=ConsentSource.SHOPIFY)
    a_contact(shop, first_name="past", created_at=datetime(2020, 5, 1, 12, tzinfo=UTC))

    assert names(client, shop, hasPurchased="true") == ["new", "old"]
    assert names(client, shop, hasPurchased="false") == ["none", "past"]
    assert names(client, shop, lastOrderBefore="2026-06-01") == ["old"]
    assert names(client, shop, lastOrderAfter="2026-06-01T00:00:00Z") == ["new"]
    assert names(client, shop, consentSource="shopify") == ["none"]
    assert names(client, shop, createdFrom="2020-05-01", createdTo="2020-05-02") == ["past"]
    page = listed(client, shop, hasPurchased="true", lastOrderAfter="2026-03-01", tagsAny="a, b ,a")
    assert page["filters"]["applied"] == {
        "hasPurchased": True,
        "lastOrderAfter": "2026-03-01T00:00:00.000Z",
        "tagsAny": ["a", "b"],
        "sortBy": "createdAt",
        "sortOrder": "desc",
    }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"hasPurchased": "maybe"}, "hasPurchased"),
        ({"lastOrderBefore": "yesterday"}, "lastOrderBefore"),
        ({"lastOrderAfter": "2026-13-01"}, "lastOrderAfter"),
        ({"lastOrderAfter": "2026-02-01", "lastOrderBefore": "2026-01-01"}, "lastOrderBefore"),
        ({"createdFrom": "2026-01-01", "createdTo": "2026-01-01"}, "createdTo"),
        ({"createdTo": "0001-01-01T00:00:00+14:00"}, "createdTo"),
        ({"tagsAny": "x" * 51}, "tagsAny"),
        ({"tagsAll": ",".join(map(str, range(21)))}, "tagsAll"),
        ({"consentSource": "hearsay"}, "consentSource"),
    ],
)
def test_a_malformed_filter_is_refused_by_name(client, shop, query, field):
    response = client.get("/contacts", query_string=query, headers=build.auth(shop))

    assert (response.status_code, response.json["code"]) == (400, "VALIDATION_ERROR")
    assert [detail["field"] for detail in response.json["details"]] == [field]


def test_the_counters_follow_every_way_of_writing(client, shop, stranger):
    first = contacts(shop, 30)
    contacts(shop, 3, consent="opted_out")
    a_contact(shop, gender="male", birth_date=date(1990, 1, 1), orders_count=1)
    a_contact(stranger)
    rows = [{"phone": "+306955555555", "gender": "female"}, {"phone": "+306955555556"}]
    client.post("/contacts/import", json={"contacts": rows}, headers=build.auth(shop))
    for contact_id in first[:2]:
        client.delete(f"/contacts/{contact_id}", headers=build.auth(shop))
    client.put(f"/contacts/{first[2]}", json={"gender": "other"}, headers=build.auth(shop))
    client.put(f"/contacts/{first[3]}", json={"isSubscribed": False}, headers=build.auth(shop))

    with unit_of_work(shop.id) as session:
        really, counted = session.execute(REALLY).all(), session.execute(BY_COUNTERS).all()

        may_be_texted = session.execute(MAY_BE_TEXTED).all()
        counted_by_date = session.execute(BY_BIRTH_DATE).all()

    assert counted == really
    assert counted_by_date == may_be_texted
    assert sum(row.n for row in counted) == 34


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"smsConsent": "opted_in"},
        {"filter": "nonconsented"},
        {"gender": "male", "hasBirthDate": "false"},
        {"isSubscribed": "true", "hasPurchased": "true"},
    ],
)
def test_a_total_by_the_counters_is_the_number_of_items(client, shop, wanted):
    a_contact(shop, gender="male", orders_count=3)
    a_contact(shop, gender="male", consent="opted_out", birth_date=date(1990, 1, 1))
    a_contact(shop, consent="unknown")

    page = listed(client, shop, **wanted)

    assert (page["total"], page["isTotalExact"]) == (len(page["items"]), True)


def test_beyond_some_number_matches_are_not_counted(app: Flask, shop):
    contacts(shop, 6)

    for wanted in (ContactFilter(q="papado"), ContactFilter(created_from=datetime(2020, 1, 1, tzinfo=UTC))):
        page = found_page(shop, wanted, 5, Limits(few=2, counted=4))

        assert (len(page.contacts), page.total, page.is_exact) == (5, 4, False)
        assert page.leads_to is not None


def test_a_search_of_one_shop_shows_no_other_shops_words(app: Flask, shop, stranger):
    a_contact(stranger, first_name="Penelope")
    mine = a_contact(shop, first_name="Penelope")

    with unit_of_work(shop.id):
        found = search.find(shop.id, ["%penelope%"])
        theirs = search.find(stranger.id, ["%penelope%"])

    assert (found.ids, theirs.ids) == ([mine.id], [])


def test_a_search_leaves_the_words_readable_for_the_rest_of_the_transaction(app: Flask, shop):
    a_contact(shop, first_name="Penelope")

    with unit_of_work(shop.id) as session:
        assert not search.find(shop.id, ["%nobody%"]).ids
        assert session.scalar(sa.text("SELECT count(*) FROM contact_words")) == 1


def test_the_search_policy_can_use_the_trigram_index(app: Flask, shop):
    contacts(shop, 200)

    with unit_of_work(shop.id) as session:
        session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        session.execute(search.SEEK, {"patterns": "%papadopoulou 7%"})
        # without the shop's own condition the key of the table does not help
        plan = session.scalars(sa.text("EXPLAIN SELECT contact_id FROM contact_words")).all()

    assert any("ix_contact_words_words" in line for line in plan), plan


def test_a_filter_counts_as_countable_only_when_the_counters_know_its_columns():
    assert ContactFilter(gender="male", sort_by="firstName").is_countable
    assert not ContactFilter(tags_any=("VIP",)).is_countable
    assert not ContactFilter(q="x").is_countable
