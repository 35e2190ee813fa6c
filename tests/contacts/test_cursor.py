"""Going through the list by cursor."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.contacts.walking import SORTABLE
from app.shops.models import Shop
from tests import build
from tests.build_contacts import a_contact, contacts

NAMES = ["Beta", None, "alpha", "Beta", "Ώμέγα", None, "Zeta", "Beta", "O'Neil"]


def listed(client: FlaskClient, shop: Shop, **query: Any) -> dict[str, Any]:
    response = client.get("/contacts", query_string=query, headers=build.auth(shop))
    assert response.status_code == 200, response.json
    return dict(response.json["data"])


def through(client: FlaskClient, shop: Shop, **query: Any) -> list[str]:
    """The ids on all pages, by cursor."""
    page = listed(client, shop, **query)
    ids = [item["id"] for item in page["items"]]
    while page["nextCursor"]:
        page = listed(client, shop, **query, cursor=page["nextCursor"])
        assert page["pagination"]["hasPrevPage"] is True
        ids += [item["id"] for item in page["items"]]
        assert len(ids) <= page["total"], "the list goes round"
    return ids


def mixed(shop: Shop) -> None:
    for number, name in enumerate(NAMES):
        born = date(1990, 1, 1 + number % 3) if number % 4 else None
        a_contact(shop, first_name=name, last_name=name and name[::-1], birth_date=born, tags=["tag"])


@pytest.mark.parametrize("sort_order", ["asc", "desc"])
@pytest.mark.parametrize("sort_by", SORTABLE)
@pytest.mark.parametrize("page_size", [1, 2, 4, 9, 20])
def test_cursors_and_numbers_lead_through_the_same_list(client, shop, sort_by, sort_order, page_size):
    mixed(shop)
    query = {"sortBy": sort_by, "sortOrder": sort_order, "pageSize": page_size}
    whole = [item["id"] for item in listed(client, shop, **{**query, "pageSize": 100})["items"]]

    by_number = [
        item["id"] for page in range(1, 11) for item in listed(client, shop, **query, page=page)["items"]
    ]

    assert sorted(whole) == sorted(set(whole))
    assert len(whole) == len(NAMES)
    assert through(client, shop, **query) == by_number == whole


def test_rows_of_one_instant_are_neither_repeated_nor_left_out(client, shop):
    ids = contacts(shop, 25)  # one statement: all were created at the same instant

    assert through(client, shop, pageSize=4) == [str(contact_id) for contact_id in reversed(ids)]


def test_a_cursor_goes_through_a_search_too(client, shop):
    mixed(shop)

    assert len(through(client, shop, q="beta", pageSize=2)) == 3
    assert len(through(client, shop, tagsAny="tag", sortBy="firstName", pageSize=2)) == len(NAMES)


def test_who_comes_or_goes_meanwhile_moves_nobody_else(client, shop):
    ids = contacts(shop, 6)
    first = listed(client, shop, pageSize=2)

    contacts(shop, 3)
    client.delete(f"/contacts/{ids[-1]}", headers=build.auth(shop))  # on the page that was read
    client.delete(f"/contacts/{ids[-2]}", headers=build.auth(shop))  # where the cursor stands
    second = listed(client, shop, pageSize=2, cursor=first["nextCursor"])

    assert [item["id"] for item in second["items"]] == [str(ids[-3]), str(ids[-4])]


def test_the_last_page_leads_nowhere(client, shop):
    contacts(shop, 4)

    first = listed(client, shop, pageSize=2)
    last = listed(client, shop, pageSize=2, cursor=first["nextCursor"])

    assert (last["nextCursor"], last["pagination"]["hasNextPage"]) == (None, False)
    assert (last["total"], last["isTotalExact"]) == (4, True)


def a_cursor(*content: object) -> str:
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "é",
        "!!!!",
        "bnVsbA",
        a_cursor(),
        a_cursor("list", "2026-01-01", 1, 1, True),
        a_cursor("list", "2026-01-01T00:00:00", 1, 1, True),
        a_cursor("list", "2026-01-01T00:00:00+00:00", -1, 1, True),
        a_cursor("list", "2026-01-01T00:00:00+00:00", 2**70, 1, True),
        a_cursor("list", None, 1, 1, True),
        a_cursor("list", "2026-01-01T00:00:00+00:00", 1, 1, True),
        "W" * 1001,
    ],
)
def test_a_made_up_cursor_is_refused_by_name(client, shop, cursor):
    response = client.get("/contacts", query_string={"cursor": cursor}, headers=build.auth(shop))

    assert (response.status_code, response.json["code"]) == (400, "VALIDATION_ERROR")
    assert [detail["field"] for detail in response.json["details"]] == ["cursor"]


@pytest.mark.parametrize("other", [{"sortBy": "firstName"}, {"sortOrder": "asc"}, {"q": "maria"}])
def test_a_cursor_of_another_list_is_refused(client, shop, other):
    contacts(shop, 3)
    cursor = listed(client, shop, pageSize=2)["nextCursor"]

    response = client.get("/contacts", query_string={**other, "cursor": cursor}, headers=build.auth(shop))

    assert response.status_code == 400
    assert response.json["details"][0]["message"] == "belongs to a list with other filters or another order"


def test_a_cursor_of_another_shop_shows_ones_own_contacts_only(client, shop, stranger):
    contacts(stranger, 3)
    mine = contacts(shop, 3)
    cursor = listed(client, stranger, pageSize=1)["nextCursor"]

    page = listed(client, shop, cursor=cursor)

    assert {item["id"] for item in page["items"]} <= set(map(str, mine))
