"""Pages by number, as both clients ask for them."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.core.http import Page
from tests import build, build_contacts

BAD = ("page=0", "page=-1", "page=x", "page=1.5", "page=99999999999", "pageSize=0", "pageSize=101", "limit=x")


def page(client: FlaskClient, query: str = "") -> dict[str, object]:
    shop = build.a_shop()
    for _ in range(5):
        build_contacts.a_suppression(shop)
    answer = client.get(f"/suppressions{query}", headers=build.auth(shop))
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json["data"]
    return body


def test_a_page_has_twenty_items_unless_told(client: FlaskClient):
    assert page(client)["pagination"] == {
        "page": 1, "pageSize": 20, "total": 5, "totalPages": 1, "hasNextPage": False, "hasPrevPage": False,
    }  # fmt: skip


@pytest.mark.parametrize("query", ["?pageSize=2&page=2", "?limit=2&page=2", "?pageSize=2&limit=50&page=2"])
def test_a_page_in_the_middle_has_neighbours(client: FlaskClient, query: str):
    assert page(client, query)["pagination"] == {
        "page": 2, "pageSize": 2, "total": 5, "totalPages": 3, "hasNextPage": True, "hasPrevPage": True,
    }  # fmt: skip


def test_the_list_is_there_twice_and_the_totals_too(client: FlaskClient):
    body = page(client, "?pageSize=3")

    assert body["items"] == body["suppressions"]
    assert len(body["items"]) == 3  # type: ignore[arg-type]
    assert (body["total"], body["page"], body["pageSize"]) == (5, 1, 3)


def test_a_page_past_the_end_is_empty(client: FlaskClient):
    body = page(client, "?page=9&pageSize=2")

    assert body["items"] == []
    assert body["pagination"]["hasNextPage"] is False  # type: ignore[index]


@pytest.mark.parametrize("size", [1, 100])
def test_the_limits_of_a_page_are_allowed(client: FlaskClient, size: int):
    assert page(client, f"?pageSize={size}")["pageSize"] == size


@pytest.mark.parametrize("query", BAD)
def test_a_page_outside_the_limits_is_refused_by_name(client: FlaskClient, query: str):
    refused = client.get(f"/suppressions?{query}", headers=build.auth(build.a_shop()))

    assert (refused.status_code, refused.json["code"]) == (400, "VALIDATION_ERROR")
    assert refused.json["details"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize(("total", "pages"), [(0, 0), (1, 1), (20, 1), (21, 2), (40, 2)])
def test_the_last_page_may_be_short(total: int, pages: int):
    assert Page([], total, 1, 20).pagination["totalPages"] == pages
