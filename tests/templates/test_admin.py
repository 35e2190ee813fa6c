"""The administrator of the shared templates, and those who are not."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.templates import service
from tests import build
from tests.audiences.people import Caller
from tests.templates.conftest import Admin

NEW = {"title": "Summer", "category": "Season", "content": "Hi {{first_name}}, summer is here."}
CALLS = [
    ("GET", "/admin/templates", None),
    ("POST", "/admin/templates", NEW),
    ("PUT", "/admin/templates/1", {"content": "Mine"}),
    ("DELETE", "/admin/templates/1", None),
    ("GET", "/admin/templates/1/stats", None),
    ("GET", "/admin/templates/1/versions", None),
]


def shown(caller: Caller) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = caller.data("GET", "/templates?pageSize=100")["items"]
    return items


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
@pytest.mark.parametrize("token", [None, "", "x", "ä", "a-secret-for-tests-only"])
def test_without_the_administrators_token_there_is_no_way_in(
    client: FlaskClient, method: str, path: str, body: Any, token: str | None
) -> None:
    merchant = Caller(client, build.a_shop())
    before = shown(merchant)
    merchant.headers |= {"X-Admin-Token": token} if token is not None else {}

    assert merchant.refused(method, path, body) == (403, "FORBIDDEN")
    assert shown(merchant) == before


def test_the_administrators_token_opens_no_tenant_route(admin: Admin) -> None:
    assert admin.refused("GET", "/templates") == (401, "AUTHENTICATION_REQUIRED")


def test_the_list_shows_shared_templates_only(admin: Admin, merchant: Caller) -> None:
    merchant.data("POST", "/templates/ensure-defaults?eshopType=toys")

    page = admin.data("GET", "/admin/templates?limit=20&offset=40")
    found = admin.data("GET", "/admin/templates?category=Pet%20Supplies&search=wag")

    assert (page["total"], len(page["items"]), page["page"]) == (50, 10, 3)
    assert page["items"] == page["templates"]
    assert [item["templateKey"] for item in found["items"]] == ["pet_supplies_promo_01"]
    assert found["items"][0]["isPublic"] is True and found["items"][0]["version"] == 1


def test_a_new_template_is_there_for_every_shop(admin: Admin, merchant: Caller, stranger: Caller) -> None:
    answer = admin.call("POST", "/admin/templates", {**NEW, "tags": ["sun"], "previewImage": None})

    made = answer.json["data"]
    assert answer.status_code == 201
    assert (made["eshopType"], made["isPublic"], made["version"], made["useCount"]) == ("generic", True, 1, 0)
    for caller in (merchant, stranger):
        seen = caller.data("GET", f"/templates/{made['id']}")
        assert (seen["name"], seen["text"], seen["tags"]) == (NEW["title"], NEW["content"], ["sun"])
    assert "Season" in merchant.data("GET", "/templates/categories")


def test_a_template_that_is_not_public_is_shown_to_no_shop(admin: Admin, merchant: Caller) -> None:
    draft = admin.data("POST", "/admin/templates", {**NEW, "isPublic": False})

    assert merchant.refused("GET", f"/templates/{draft['id']}") == (404, "NOT_FOUND")
    assert merchant.refused("POST", f"/templates/{draft['id']}/track") == (404, "NOT_FOUND")
    assert "Season" not in merchant.data("GET", "/templates/categories")

    admin.data("PUT", f"/admin/templates/{draft['id']}", {"isPublic": True})

    assert merchant.data("GET", f"/templates/{draft['id']}")["title"] == "Summer"


def test_a_key_is_taken_once_for_each_type_of_shop(admin: Admin) -> None:
    body = {**NEW, "templateKey": "summer", "eshopType": "food"}
    made = admin.data("POST", "/admin/templates", body)

    assert made["templateKey"] == "summer"
    assert admin.refused("POST", "/admin/templates", body) == (409, "DUPLICATE_KEY")
    assert admin.data("POST", "/admin/templates", {**body, "eshopType": "home"})["eshopType"] == "home"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": None}, "title"),
        ({"title": "x" * 101}, "title"),
        ({"content": ""}, "content"),
        ({"category": 5}, "category"),
        ({"eshopType": "shoes"}, "eshopType"),
        ({"templateKey": "Not a key"}, "templateKey"),
        ({"previewImage": "javascript:alert(1)"}, "previewImage"),
        ({"tags": ["x"] * 21}, "tags"),
        ({"tags": [""]}, "tags.0"),
        ({"goal": "x" * 201}, "goal"),
        ({"isPublic": "perhaps"}, "isPublic"),
    ],
)
def test_a_malformed_template_is_refused_by_field(admin: Admin, change: dict[str, Any], field: str) -> None:
    answer = admin.call("POST", "/admin/templates", {**NEW, **change})

    assert (answer.status_code, answer.json["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json["details"][0]["field"] == field


def test_changed_words_are_a_new_version_and_the_old_one_stays(admin: Admin, merchant: Caller) -> None:
    old = shown(merchant)[0]
    path = f"/admin/templates/{old['id']}"

    changed = admin.data("PUT", path, {"content": "Better words", "tags": ["new"]})
    admin.data("PUT", path, {"tags": ["newer"]})

    history = admin.data("GET", f"{path}/versions")
    assert (changed["version"], changed["text"], changed["title"]) == (2, "Better words", old["title"])
    assert merchant.data("GET", f"/templates/{old['id']}")["tags"] == ["newer"]
    assert history["templateId"] == old["id"]
    assert [(one["version"], one["content"]) for one in history["versions"]] == [
        (2, "Better words"),
        (1, old["text"]),
    ]


def test_the_library_does_not_take_back_what_the_administrator_did(admin: Admin, merchant: Caller) -> None:
    changed, deleted = shown(merchant)[:2]
    admin.data("PUT", f"/admin/templates/{changed['id']}", {"content": "Better words"})
    admin.data("DELETE", f"/admin/templates/{deleted['id']}")

    service.sync_library()

    assert merchant.data("GET", f"/templates/{changed['id']}")["text"] == "Better words"
    assert deleted["id"] not in {item["id"] for item in shown(merchant)}
    assert len(shown(merchant)) == 49


def test_a_deleted_template_is_gone_for_everybody(admin: Admin, merchant: Caller) -> None:
    made = admin.data("POST", "/admin/templates", NEW)

    answer = admin.call("DELETE", f"/admin/templates/{made['id']}")

    assert (answer.status_code, answer.json["data"]) == (200, None) and answer.json["message"]
    assert merchant.refused("GET", f"/templates/{made['id']}") == (404, "NOT_FOUND")
    for method, path in [("PUT", ""), ("DELETE", ""), ("GET", "/stats"), ("GET", "/versions")]:
        assert admin.refused(method, f"/admin/templates/{made['id']}{path}", {}) == (404, "NOT_FOUND")


def test_figures_tell_how_many_shops_but_not_which(admin: Admin, merchant: Caller, stranger: Caller) -> None:
    made = admin.data("POST", "/admin/templates", NEW)
    for caller in (merchant, merchant, stranger):
        caller.data("POST", f"/templates/{made['id']}/track")

    figures = admin.data("GET", f"/admin/templates/{made['id']}/stats")

    assert figures == {
        "template": {"id": made["id"], **NEW},
        "stats": {"timesUsed": 3, "uniqueShops": 2},
        "metrics": {},
    }
    assert admin.data("GET", "/admin/templates?search=summer")["items"][0]["useCount"] == 3


def test_a_shops_own_template_is_not_the_administrators(admin: Admin, merchant: Caller) -> None:
    merchant.data("POST", "/templates/ensure-defaults?eshopType=toys")
    own = next(item for item in shown(merchant) if item["category"] == "upsell")

    for method, path in [("PUT", ""), ("DELETE", ""), ("GET", "/stats"), ("GET", "/versions")]:
        assert admin.refused(method, f"/admin/templates/{own['id']}{path}", {}) == (404, "NOT_FOUND")
    assert merchant.data("GET", f"/templates/{own['id']}") == own
