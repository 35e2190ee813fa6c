"""What a shop sees of the templates, and how its use is counted."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.uow import across_shops, unit_of_work
from app.templates import service
from app.templates.library import STORE_CATEGORIES
from app.templates.queries import TemplateFilter
from tests.audiences.people import Caller
from tests.templates.together import at_once

STORES = sorted(category.name for category in STORE_CATEGORIES)
STATISTICS = {
    "conversionRate",
    "productViewsIncrease",
    "clickThroughRate",
    "averageOrderValue",
    "customerRetention",
}


def templates(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = caller.data("GET", f"/templates?pageSize=100&{query}")["items"]
    return items


def types_of(items: list[dict[str, Any]]) -> set[str]:
    return {item["eshopType"] for item in items}


def test_the_first_visitor_finds_the_whole_library(merchant: Caller) -> None:
    page = merchant.data("GET", "/templates")

    assert page["items"] == page["templates"]
    assert (len(page["items"]), page["total"], page["page"], page["pageSize"]) == (50, 50, 1, 50)
    assert page["pagination"]["totalPages"] == 1
    assert page["categories"] == STORES
    assert [item["title"] for item in page["items"][:2]] == [
        "Fashion & Apparel: welcome",
        "Fashion & Apparel: cart reminder",
    ]


def test_a_template_has_every_field_that_the_clients_check(merchant: Caller) -> None:
    for item in templates(merchant):
        texts = {"id", "name", "title", "category", "text", "content", "eshopType", "createdAt", "updatedAt"}
        assert all(isinstance(item[field], str) and item[field] for field in texts)
        assert (item["name"], item["text"], item["language"]) == (item["title"], item["content"], "en")
        assert item["tags"] == [] and item["previewImage"] is None
        assert item["useCount"] == 0 and type(item["useCount"]) is int
        assert item["goal"] and item["suggestedMetrics"]
        assert {item[field] for field in STATISTICS} == {None}


def test_a_shop_of_one_type_sees_its_templates_and_the_generic_ones(merchant: Caller) -> None:
    assert types_of(templates(merchant, "eshopType=beauty")) == {"beauty", "generic"}
    assert len(templates(merchant, "eshopType=fashion")) == 15
    assert merchant.data("GET", "/templates?eshopType=books")["categories"] == ["Pet Supplies"]


def test_generic_means_all_types_and_no_type_means_the_shops_own(merchant: Caller) -> None:
    assert len(templates(merchant, "eshopType=generic")) == 50

    with unit_of_work(merchant.shop.id) as session:
        session.execute(text("UPDATE shops SET eshop_type = 'food'"))

    assert types_of(templates(merchant)) == {"food", "generic"}
    assert len(templates(merchant, "eshopType=generic")) == 50


def test_category_and_search_narrow_the_list_but_not_the_choice_of_categories(merchant: Caller) -> None:
    page = merchant.data("GET", "/templates?category=Baby%20%26%20Kids&search=")
    found = merchant.data("GET", "/templates?search=SPARKLE")

    assert {item["category"] for item in page["items"]} == {"Baby & Kids"} and page["total"] == 5
    assert page["categories"] == STORES
    assert [item["category"] for item in found["items"]] == ["Jewelry & Accessories"]
    assert merchant.data("GET", "/templates?search=%25")["total"] == 0


def test_pages_by_number_and_by_offset_give_each_template_once(merchant: Caller) -> None:
    everything = [item["id"] for item in templates(merchant)]

    by_offset = [merchant.data("GET", f"/templates?limit=20&offset={start}") for start in (0, 20, 40)]
    by_page = [merchant.data("GET", f"/templates?pageSize=12&page={page}") for page in (1, 2, 3, 4, 5)]
    uneven = merchant.data("GET", "/templates?limit=20&offset=7")

    assert [item["id"] for page in by_offset for item in page["items"]] == everything
    assert [item["id"] for page in by_page for item in page["items"]] == everything
    assert [page["page"] for page in by_offset] == [1, 2, 3]
    assert [item["id"] for item in uneven["items"]] == everything[7:27]
    assert merchant.data("GET", "/templates?page=9")["items"] == []


def test_the_page_wins_over_the_offset(merchant: Caller) -> None:
    both = merchant.data("GET", "/templates?page=2&pageSize=12&limit=12&offset=0")

    assert (both["page"], both["items"][0]["id"]) == (2, templates(merchant)[12]["id"])


@pytest.mark.parametrize(
    "query",
    [
        "language=el",
        "eshopType=shoes",
        "page=0",
        "page=x",
        "pageSize=101",
        "limit=0",
        "offset=-1",
        "offset=1000000000",
    ],
)
def test_a_query_that_cannot_be_meant_is_refused_by_name(merchant: Caller, query: str) -> None:
    answer = merchant.call("GET", f"/templates?{query}")

    assert (answer.status_code, answer.json["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json["details"][0]["field"] == query.partition("=")[0]


def test_categories_are_a_bare_list(merchant: Caller) -> None:
    assert merchant.data("GET", "/templates/categories") == STORES

    merchant.data("POST", "/templates/ensure-defaults?eshopType=books")

    own = ["loyalty", "promotion", "reminder", "special", "welcome"]
    assert merchant.data("GET", "/templates/categories") == sorted([*STORES, *own])


def test_one_template_can_be_read_by_its_id(merchant: Caller) -> None:
    first = templates(merchant)[0]

    assert merchant.data("GET", f"/templates/{first['id']}") == first
    assert merchant.refused("GET", "/templates/999999") == (404, "NOT_FOUND")
    assert merchant.refused("GET", "/templates/none") == (404, "NOT_FOUND")


def test_use_is_counted_for_each_shop_apart(merchant: Caller, stranger: Caller) -> None:
    first, second = templates(merchant)[:2]

    answers = [merchant.call("POST", f"/templates/{first['id']}/track") for _ in range(3)]
    stranger.data("POST", f"/templates/{first['id']}/track")

    assert [answer.json["data"] for answer in answers] == [None, None, None]
    assert merchant.data("GET", f"/templates/{first['id']}")["useCount"] == 3
    assert stranger.data("GET", f"/templates/{first['id']}")["useCount"] == 1
    assert merchant.data("GET", f"/templates/{second['id']}")["useCount"] == 0
    assert [item["useCount"] for item in templates(merchant)[:2]] == [3, 0]


def test_uses_at_the_same_moment_are_all_counted(app: Flask, merchant: Caller) -> None:
    path = f"/templates/{templates(merchant)[0]['id']}"

    answers = at_once(app, 8, lambda client: client.post(f"{path}/track", headers=merchant.headers))

    assert {answer.status_code for answer in answers} == {200}
    assert merchant.data("GET", path)["useCount"] == 8


def test_what_a_shop_cannot_see_it_cannot_use(merchant: Caller, stranger: Caller) -> None:
    stranger.data("POST", "/templates/ensure-defaults?eshopType=toys")
    theirs = next(item for item in templates(stranger) if item["category"] == "upsell")

    assert merchant.refused("GET", f"/templates/{theirs['id']}") == (404, "NOT_FOUND")
    assert merchant.refused("POST", f"/templates/{theirs['id']}/track") == (404, "NOT_FOUND")
    assert theirs["id"] not in {item["id"] for item in templates(merchant)}
    assert templates(merchant, "search=matching%20pieces") == []
    assert "upsell" not in merchant.data("GET", "/templates/categories")


def test_first_visits_at_the_same_moment_make_the_library_once(app: Flask, merchant: Caller) -> None:
    answers = at_once(app, 8, lambda client: client.get("/templates", headers=merchant.headers))

    assert [answer.json["data"]["total"] for answer in answers] == [50] * 8
    with across_shops("the test looks at everything") as session:
        assert session.scalar(text("SELECT count(*) FROM template_versions")) == 50


def test_the_command_makes_the_library_and_may_be_repeated(app: Flask, merchant: Caller) -> None:
    run = app.test_cli_runner().invoke

    assert run(args=["templates", "sync"]).output == "50 added, 0 updated, 0 repaired.\n"
    assert run(args=["templates", "sync"]).output == "The templates are up to date.\n"
    assert service.list_templates(merchant.shop.id, TemplateFilter(), offset=0, page_size=1).total == 50


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE templates SET content = 'mine' WHERE shop_id IS NULL",
        "UPDATE templates SET shop_id = :shop_id WHERE shop_id IS NULL",
        "DELETE FROM templates WHERE shop_id IS NULL AND :shop_id > 0",
        "INSERT INTO templates (eshop_type, key, title, category, content)"
        " VALUES ('generic', 'mine', 'Mine', 'Mine', 'For all')",
    ],
)
def test_the_database_lets_no_shop_change_what_is_shared(merchant: Caller, change: str) -> None:
    before = templates(merchant)

    # Refused, or without effect because no shared row can be seen for a change.
    with suppress(DBAPIError), unit_of_work(merchant.shop.id) as session:
        session.execute(text(change), {"shop_id": merchant.shop.id} if ":shop_id" in change else {})

    assert templates(merchant) == before
