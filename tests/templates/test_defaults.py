"""A shop's own set: made once, kept up to date, never taken out of the shop's hands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from app.core.uow import across_shops, unit_of_work
from app.shops.models import EshopType
from app.templates import service
from app.templates.library import LIBRARY_VERSION, SHARED_LIBRARY, SHOP_SETS
from tests.audiences.people import Caller
from tests.templates.together import at_once

ENSURE = "/templates/ensure-defaults"
NEWER = [replace(entry, content=f"{entry.content} Now.") for entry in SHOP_SETS[EshopType.SPORTS]]


def counts(done: dict[str, Any] | service.Seeded) -> tuple[int, int, int, int]:
    """Created, updated, repaired, skipped."""
    names = ("created", "updated", "repaired", "skipped")
    return tuple(done[name] if isinstance(done, dict) else getattr(done, name) for name in names)  # type: ignore[return-value]


def own(caller: Caller, eshop_type: str) -> dict[str, dict[str, Any]]:
    """The shop's own templates of a type, by category."""
    functional = {entry.category for entry in SHOP_SETS[EshopType(eshop_type)]}
    items = caller.data("GET", f"/templates?pageSize=100&eshopType={eshop_type}")["items"]
    return {item["category"]: item for item in items if item["category"] in functional}


def versions(template: dict[str, Any]) -> list[tuple[int, str]]:
    with across_shops("the test looks at everything") as session:
        rows = session.execute(
            text("SELECT version, content FROM template_versions WHERE template_id = :id ORDER BY version"),
            {"id": int(template["id"])},
        )
        return [(row.version, row.content) for row in rows]


def newer_release(caller: Caller) -> service.Seeded:
    with unit_of_work(caller.shop.id):
        return service.seed(caller.shop.id, NEWER, library_version=LIBRARY_VERSION + 1)


def test_a_shop_gets_its_set_once(merchant: Caller) -> None:
    first = merchant.data("POST", f"{ENSURE}?eshopType=sports")
    again = merchant.data("POST", f"{ENSURE}?eshopType=sports")

    assert first == {
        "created": 5,
        "updated": 0,
        "repaired": 0,
        "skipped": 0,
        "total": 5,
        "message": "5 added, 0 updated, 0 repaired.",
    }
    assert (counts(again), again["message"]) == ((0, 0, 0, 5), "The templates are up to date.")
    assert len(own(merchant, "sports")) == 5


@pytest.mark.parametrize("eshop_type", list(EshopType))
def test_there_is_a_set_for_every_type(merchant: Caller, eshop_type: str) -> None:
    assert counts(merchant.data("POST", f"{ENSURE}?eshopType={eshop_type}")) == (5, 0, 0, 0)
    assert {item["eshopType"] for item in own(merchant, eshop_type).values()} == {eshop_type}


def test_the_type_may_come_in_the_query_in_the_body_or_from_the_shop(merchant: Caller) -> None:
    in_body = merchant.data("POST", ENSURE, {"eshopType": "books"})
    of_nobody = merchant.data("POST", ENSURE)
    with unit_of_work(merchant.shop.id) as session:
        session.execute(text("UPDATE shops SET eshop_type = 'home'"))
    of_shop = merchant.data("POST", ENSURE)

    assert {counts(done) for done in (in_body, of_nobody, of_shop)} == {(5, 0, 0, 0)}
    assert len(own(merchant, "books")) == len(own(merchant, "generic")) == len(own(merchant, "home")) == 5


@pytest.mark.parametrize(("query", "body"), [("?eshopType=shoes", None), ("", {"eshopType": "Sports"})])
def test_an_unknown_type_is_refused_by_name(merchant: Caller, query: str, body: Any) -> None:
    answer = merchant.call("POST", f"{ENSURE}{query}", body)

    assert (answer.status_code, answer.json["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json["details"][0]["field"] == "eshopType"


def test_each_shop_has_its_own_set(merchant: Caller, stranger: Caller) -> None:
    merchant.data("POST", f"{ENSURE}?eshopType=toys")
    assert own(stranger, "toys") == {}

    assert counts(stranger.data("POST", f"{ENSURE}?eshopType=toys")) == (5, 0, 0, 0)

    mine = {item["id"] for item in own(merchant, "toys").values()}
    assert mine.isdisjoint(item["id"] for item in own(stranger, "toys").values())


def test_many_clicks_at_the_same_moment_make_one_set(app: Flask, merchant: Caller) -> None:
    answers = at_once(
        app, 8, lambda client: client.post(f"{ENSURE}?eshopType=food", headers=merchant.headers)
    )

    assert sorted(counts(answer.json["data"]) for answer in answers) == [(0, 0, 0, 5)] * 7 + [(5, 0, 0, 0)]
    assert len(own(merchant, "food")) == 5


def test_a_shop_edits_its_own_words(merchant: Caller, stranger: Caller) -> None:
    merchant.data("POST", f"{ENSURE}?eshopType=sports")
    mine = own(merchant, "sports")["welcome"]
    path = f"/templates/{mine['id']}"

    edited = merchant.data("PUT", path, {"content": "  Hi {{first_name}}, run with us.  "})

    assert (edited["text"], edited["title"]) == ("Hi {{first_name}}, run with us.", mine["title"])
    assert merchant.data("GET", path) == edited
    assert versions(mine) == [(1, mine["text"]), (2, edited["text"])]
    assert stranger.refused("PUT", path, {"content": "Mine now"}) == (404, "NOT_FOUND")


def test_a_change_that_changes_nothing_is_no_version(merchant: Caller) -> None:
    merchant.data("POST", f"{ENSURE}?eshopType=sports")
    mine = own(merchant, "sports")["welcome"]

    same = merchant.data("PUT", f"/templates/{mine['id']}", {"content": mine["content"]})
    nothing = merchant.data("PUT", f"/templates/{mine['id']}", {})

    assert same == nothing == mine
    assert len(versions(mine)) == 1


@pytest.mark.parametrize("body", [{"content": " "}, {"content": "x" * 1601}, {"title": None}, {"title": 5}])
def test_words_that_are_none_are_refused_by_name(merchant: Caller, body: dict[str, Any]) -> None:
    merchant.data("POST", f"{ENSURE}?eshopType=sports")
    mine = own(merchant, "sports")["welcome"]

    answer = merchant.call("PUT", f"/templates/{mine['id']}", body)

    assert (answer.status_code, answer.json["details"][0]["field"]) == (400, next(iter(body)))


def test_edits_at_the_same_moment_are_all_kept_as_versions(app: Flask, merchant: Caller) -> None:
    merchant.data("POST", f"{ENSURE}?eshopType=sports")
    mine = own(merchant, "sports")["welcome"]
    words = iter([f"Text {number}" for number in range(6)])

    answers = at_once(
        app,
        6,
        lambda client: client.put(
            f"/templates/{mine['id']}", json={"content": next(words)}, headers=merchant.headers
        ),
    )

    assert {answer.status_code for answer in answers} == {200}
    kept = versions(mine)
    assert [version for version, _ in kept] == [1, 2, 3, 4, 5, 6, 7]
    assert merchant.data("GET", f"/templates/{mine['id']}")["content"] == kept[-1][1]


def test_a_shared_template_is_not_the_shops_to_edit(merchant: Caller) -> None:
    shared = merchant.data("GET", "/templates")["items"][0]

    assert merchant.refused("PUT", f"/templates/{shared['id']}", {"content": "Mine"}) == (409, "CONFLICT")
    assert merchant.data("GET", f"/templates/{shared['id']}") == shared


def test_new_words_of_the_library_reach_a_shop_as_a_new_version(merchant: Caller) -> None:
    merchant.data("POST", f"{ENSURE}?eshopType=sports")
    before = own(merchant, "sports")["loyalty"]

    done = newer_release(merchant)

    after = own(merchant, "sports")["loyalty"]
    assert counts(done) == (0, 5, 0, 0)
    assert after == {
        **before,
        "text": after["text"],
        "content": after["text"],
        "updatedAt": after["updatedAt"],
    }
    assert versions(after) == [(1, before["text"]), (2, f"{before['text']} Now.")]


def test_words_that_a_shop_edited_are_never_overwritten(merchant: Caller) -> None:
    merchant.data("POST", f"{ENSURE}?eshopType=sports")
    mine = own(merchant, "sports")["welcome"]
    merchant.data("PUT", f"/templates/{mine['id']}", {"content": "My own words"})

    again = merchant.data("POST", f"{ENSURE}?eshopType=sports")
    newer = newer_release(merchant)

    assert counts(again) == (0, 0, 0, 5)
    assert counts(newer) == (0, 4, 0, 1)
    assert own(merchant, "sports")["welcome"]["text"] == "My own words"
    assert versions(mine) == [(1, mine["text"]), (2, "My own words")]


def test_an_edited_template_is_repaired_around_its_words(merchant: Caller) -> None:
    merchant.data("POST", f"{ENSURE}?eshopType=sports")
    mine = own(merchant, "sports")["welcome"]
    merchant.data("PUT", f"/templates/{mine['id']}", {"content": "My own words"})
    newer = [replace(entry, goal="Another goal.") for entry in SHOP_SETS[EshopType.SPORTS]]

    with unit_of_work(merchant.shop.id):
        done = service.seed(merchant.shop.id, newer, library_version=LIBRARY_VERSION + 1)

    repaired = own(merchant, "sports")["welcome"]
    assert counts(done) == (0, 4, 1, 0)
    assert (repaired["text"], repaired["goal"]) == ("My own words", "Another goal.")


def test_a_process_that_still_runs_the_old_library_does_not_bring_it_back(merchant: Caller) -> None:
    merchant.data("POST", f"{ENSURE}?eshopType=sports")
    newer_release(merchant)
    newest = own(merchant, "sports")

    assert counts(merchant.data("POST", f"{ENSURE}?eshopType=sports")) == (0, 0, 0, 5)
    assert own(merchant, "sports") == newest


def test_the_shared_library_keeps_its_versions_too(merchant: Caller) -> None:
    before = merchant.data("GET", "/templates")["items"][0]
    newer = [replace(SHARED_LIBRARY[0], content="Quite another text."), *SHARED_LIBRARY[1:]]

    with across_shops("a release brings new texts"):
        done = service.seed(None, newer, library_version=LIBRARY_VERSION + 1)

    after = merchant.data("GET", "/templates")["items"][0]
    assert counts(done) == (0, 1, 0, 49)
    assert (after["id"], after["text"]) == (before["id"], "Quite another text.")
    assert versions(before) == [(1, before["text"]), (2, after["text"])]
    assert service.sync_library().skipped == 50
