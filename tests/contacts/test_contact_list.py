"""Finding contacts: search, filters, order, pages."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy import select

from app.contacts import service
from app.contacts.models import Contact
from app.contacts.queries import ContactFilter, explicit_members
from app.core.uow import unit_of_work
from app.shops.models import Shop
from tests import build
from tests.build_contacts import a_contact, contacts


def listed(client: FlaskClient, shop: Shop, query: Any = "") -> dict[str, Any]:
    response = client.get("/contacts", query_string=query, headers=build.auth(shop))
    assert response.status_code == 200, response.json
    return response.json["data"]


def names(client: FlaskClient, shop: Shop, **query: Any) -> list[str]:
    return [item["firstName"] for item in listed(client, shop, query)["items"]]


def a_list(shop: Shop, *members: Contact) -> int:
    """A segment with explicit members; gives its id."""
    with unit_of_work(shop.id) as session:
        list_id = session.execute(
            sa.text(
                "INSERT INTO segments (shop_id, name, kind) VALUES (:s, 'A list', 'custom') RETURNING id"
            ),
            {"s": shop.id},
        ).scalar_one()
        for contact in members:
            session.execute(
                sa.text("INSERT INTO segment_members (shop_id, segment_id, contact_id) VALUES (:s, :l, :c)"),
                {"s": shop.id, "l": list_id, "c": contact.id},
            )
    return int(list_id)


def test_a_page_has_every_key_that_the_clients_read(client, shop):
    contacts(shop, 5)

    page = listed(client, shop, "page=2&pageSize=2&smsConsent=opted_in")

    assert len(page["items"]) == 2
    assert page["contacts"] == page["items"]
    assert (page["total"], page["page"], page["pageSize"]) == (5, 2, 2)
    assert page["pagination"] == {
        "page": 2,
        "pageSize": 2,
        "total": 5,
        "totalPages": 3,
        "hasNextPage": True,
        "hasPrevPage": True,
    }
    assert page["filters"] == {
        "applied": {"smsConsent": "opted_in", "sortBy": "createdAt", "sortOrder": "desc"},
        "available": {
            "genders": ["male", "female", "other"],
            "smsConsent": ["opted_in", "opted_out", "unknown"],
            "filters": ["all", "male", "female", "consented", "nonconsented"],
        },
    }
    assert {"isSubscribed", "smsConsentAt", "tags", "birthDate"} <= page["items"][0].keys()


def test_a_shop_without_contacts_has_an_empty_list(client, shop):
    page = listed(client, shop)

    assert (page["items"], page["total"], page["pagination"]["totalPages"]) == ([], 0, 0)


def test_a_page_past_the_end_is_empty_and_still_knows_the_total(client, shop):
    contacts(shop, 3)

    page = listed(client, shop, "page=50")

    assert (page["items"], page["total"]) == ([], 3)


@pytest.mark.parametrize("query", ["", "?", "?search=&q=&filter=&smsConsent="])
def test_empty_queries_list_everything_twenty_a_page(client, shop, query):
    contacts(shop, 21)

    response = client.get(f"/contacts{query}", headers=build.auth(shop))

    assert len(response.json["data"]["items"]) == 20
    assert response.json["data"]["total"] == 21


def test_the_pages_together_are_the_list_without_gaps_or_repeats(client, shop):
    ids = contacts(shop, 25)  # one statement: all were created at the same instant

    seen = [
        item["id"] for page in (1, 2, 3) for item in listed(client, shop, f"page={page}&limit=10")["items"]
    ]

    assert seen == [str(contact_id) for contact_id in reversed(ids)]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("mari", ["Maria"]),
        ("PAPA", ["Maria"]),
        ("maria papa", ["Maria"]),
        ("ria  pap", ["Maria"]),
        ("maria@example", ["Maria"]),
        ("6912345678", ["Maria"]),
        ("+30 691 234", ["Maria"]),
        ("VIP", ["Maria"]),
        ("VI", []),
        ("γιώργος", ["Γιώργος"]),
        ("ΓΙΏΡΓ", ["Γιώργος"]),
        ("😀", ["😀"]),
        ("100%", ["100%"]),
        ("%", ["100%"]),
        ("_", []),
        ("\\", []),
        ("'; DROP TABLE contacts; --", []),
        ("   ", ["100%", "😀", "Γιώργος", "Maria"]),
    ],
)
def test_search_looks_at_names_email_phone_and_tags(client, shop, q, found):
    a_contact(
        shop,
        phone="+306912345678",
        first_name="Maria",
        last_name="Papadopoulou",
        email="maria@example.com",
        tags=["VIP"],
    )
    a_contact(shop, phone="+306987654321", first_name="Γιώργος")
    a_contact(shop, phone="+306987654322", first_name="😀")
    a_contact(shop, phone="+306987654323", first_name="100%")

    assert names(client, shop, q=q) == found
    assert names(client, shop, search=q) == found


def test_filters_narrow_the_list(client, shop):
    a_contact(shop, first_name="her", gender="female", birth_date=date(1990, 1, 1))
    a_contact(shop, first_name="him", gender="male", consent="opted_out")
    a_contact(shop, first_name="them", gender="other", consent="unknown")
    a_contact(shop, first_name="none", consent="unknown")

    assert names(client, shop, gender="female") == ["her"]
    assert names(client, shop, filter="male") == ["him"]
    assert names(client, shop, filter="female") == ["her"]
    assert names(client, shop, filter="all") == ["none", "them", "him", "her"]
    assert names(client, shop, filter="consented") == ["her"]
    assert names(client, shop, filter="nonconsented") == ["none", "them", "him"]
    assert names(client, shop, smsConsent="unknown") == ["none", "them"]
    assert names(client, shop, isSubscribed="false") == ["him"]
    assert names(client, shop, isSubscribed="true") == ["none", "them", "her"]
    assert names(client, shop, hasBirthDate="true") == ["her"]
    assert names(client, shop, hasBirthDate="false") == ["none", "them", "him"]
    assert names(client, shop, gender="other", smsConsent="opted_in") == []


def test_the_list_can_be_ordered_and_missing_values_come_last(client, shop):
    a_contact(shop, first_name="Beta", last_name="Z", birth_date=date(1980, 1, 1))
    a_contact(shop, first_name="Alpha", last_name=None, birth_date=None)
    a_contact(shop, first_name="Gamma", last_name="Y", birth_date=date(1990, 1, 1))

    assert names(client, shop, sortBy="firstName", sortOrder="asc") == ["Alpha", "Beta", "Gamma"]
    assert names(client, shop, sortBy="lastName", sortOrder="asc") == ["Gamma", "Beta", "Alpha"]
    assert names(client, shop, sortBy="lastName") == ["Beta", "Gamma", "Alpha"]
    assert names(client, shop, sortBy="birthDate", sortOrder="desc") == ["Gamma", "Beta", "Alpha"]
    assert names(client, shop, sortBy="createdAt", sortOrder="asc") == ["Beta", "Alpha", "Gamma"]
    assert names(client, shop, sortBy="updatedAt") == ["Gamma", "Alpha", "Beta"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("page", "0"),
        ("page", "-1"),
        ("page", "many"),
        ("pageSize", "0"),
        ("pageSize", "101"),
        ("limit", "1e3"),
        ("smsConsent", "maybe"),
        ("filter", "robots"),
        ("gender", "unicorn"),
        ("hasBirthDate", "sometimes"),
        ("isSubscribed", "2"),
        ("listId", "abc"),
        ("sortBy", "phone; DROP TABLE contacts"),
        ("sortOrder", "sideways"),
        ("q", "x" * 201),
        ("q", "\x00"),
    ],
)
def test_a_malformed_query_is_refused_by_name(client, shop, field, value):
    response = client.get("/contacts", query_string={field: value}, headers=build.auth(shop))

    assert (response.status_code, response.json["code"]) == (400, "VALIDATION_ERROR")
    assert response.json["details"][0]["field"].startswith(field)


def test_a_list_shows_its_members_only(client, shop):
    member, _other = a_contact(shop, first_name="in"), a_contact(shop, first_name="out")
    list_id = a_list(shop, member)

    assert names(client, shop, listId=str(list_id)) == ["in"]
    assert listed(client, shop, {"listId": str(list_id)})["filters"]["applied"]["listId"] == str(list_id)


def test_another_shops_list_is_not_found(client, shop, stranger):
    list_id = a_list(stranger, a_contact(stranger))

    for wanted in (str(list_id), "999999"):
        response = client.get(f"/contacts?listId={wanted}", headers=build.auth(shop))
        assert (response.status_code, response.json["code"]) == (404, "NOT_FOUND")


def test_the_feature_that_knows_segments_may_say_who_is_on_a_list(client, shop):
    a_contact(shop, first_name="her", gender="female")
    a_contact(shop, first_name="him", gender="male")

    service.resolve_lists_with(
        lambda shop_id, list_id: select(Contact.id).where(Contact.gender == "male") if list_id == 7 else None
    )
    try:
        assert names(client, shop, listId="7") == ["him"]
        assert client.get("/contacts?listId=8", headers=build.auth(shop)).status_code == 404
    finally:
        service.resolve_lists_with(explicit_members)


def test_a_caller_may_narrow_the_list_to_a_selectable(shop):
    her = a_contact(shop, gender="female")
    a_contact(shop, gender="male")

    page = service.list_contacts(
        shop.id, ContactFilter(), page=1, page_size=10, within=select(Contact.id).where(Contact.id == her.id)
    )

    assert [contact.id for contact in page.items] == [her.id]
    assert page.total == 1


def test_a_shop_lists_its_own_contacts_only(client, shop, stranger):
    a_contact(stranger, first_name="Theirs")

    assert names(client, shop) == []
    assert names(client, shop, q="Theirs") == []
