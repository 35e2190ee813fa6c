"""Automations as a merchant keeps them."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.build_campaigns import Merchant, a_merchant

NEW = {"name": "Ours", "trigger": "welcome", "message": "Welcome to us, {{firstName}}!"}


@pytest.fixture
def merchant(client: FlaskClient) -> Merchant:
    return a_merchant(client)


@pytest.fixture
def stranger(client: FlaskClient) -> Merchant:
    return a_merchant(client)


def test_a_new_shop_has_every_default_switched_off(merchant: Merchant) -> None:
    found = merchant.data("GET", "/automations")

    assert [one["trigger"] for one in found] == [
        "welcome",
        "order_placed",
        "order_fulfilled",
        "review_request",
        "birthday",
        "cross_sell",
        "reorder_reminder",
        "cart_abandoned",
        "customer_inactive",
    ]
    assert {one["status"] for one in found} == {"draft"}
    assert all(one["isSystemDefault"] and one["userMessage"] is None for one in found)
    assert merchant.data("GET", "/automations") == found


def test_an_automation_is_made_paused_changed_and_deleted(merchant: Merchant) -> None:
    made = merchant.data("POST", "/automations", NEW)
    assert (made["status"], made["isActive"], made["messagesSent"]) == ("draft", False, 0)

    active = merchant.data("PUT", f"/automations/{made['id']}", {"status": "active"})
    assert active["isActive"]
    paused = merchant.data("PUT", f"/automations/{made['id']}", {"isActive": False})
    assert paused["status"] == "paused"
    changed = merchant.data("PUT", f"/automations/{made['id']}", {"message": "A text that is new."})
    assert (changed["message"], changed["status"]) == ("A text that is new.", "paused")
    assert merchant.data("DELETE", f"/automations/{made['id']}") is None
    assert merchant.refused("GET", f"/automations/{made['id']}") == (404, "NOT_FOUND")


def test_several_steps_are_kept_in_order(merchant: Merchant) -> None:
    steps = [{"message": "First text of all."}, {"message": "The second text.", "delayMinutes": 1440}]
    made = merchant.data("POST", "/automations", {**NEW, "steps": steps})

    assert [(one["stepNo"], one["delayMinutes"]) for one in made["steps"]] == [(1, 0), (2, 1440)]
    assert made["message"] == "First text of all."


def test_a_default_cannot_be_deleted(merchant: Merchant) -> None:
    default = merchant.data("GET", "/automations")[0]

    assert merchant.refused("DELETE", f"/automations/{default['id']}") == (409, "SYSTEM_DEFAULT")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"trigger": "full_moon"}, "trigger"),
        ({"message": "too short"}, "message"),
        ({"status": "on"}, "status"),
        ({"triggerConditions": {"days": "ninety"}}, "triggerConditions"),
        ({"triggerConditions": {"localHour": 24}}, "triggerConditions"),
        ({"steps": []}, "steps"),
    ],
)
def test_bad_input_names_its_field(merchant: Merchant, change: dict[str, object], field: str) -> None:
    assert merchant.fault("POST", "/automations", {**NEW, **change}).startswith(field)


def test_one_shop_does_not_see_the_automations_of_another(merchant: Merchant, stranger: Merchant) -> None:
    made = merchant.data("POST", "/automations", NEW)

    for method, body in (("GET", None), ("PUT", {"status": "active"}), ("DELETE", None)):
        assert stranger.refused(method, f"/automations/{made['id']}", body) == (404, "NOT_FOUND")
    assert made["id"] not in {one["id"] for one in stranger.data("GET", "/automations")}


def test_figures_and_sync_are_of_the_shop_alone(merchant: Merchant, stranger: Merchant) -> None:
    stranger.data("POST", "/automations", {**NEW, "status": "active"})

    assert merchant.data("POST", "/automations/sync")["synced"] == 9
    assert merchant.data("POST", "/automations/sync") == {
        "syncedCount": 0,
        "synced": 0,
        "totalShops": 1,
        "totalAutomations": 9,
    }
    figures = merchant.data("GET", "/automations/stats")
    assert (figures["total"], figures["draft"], figures["active"], figures["messagesSent"]) == (9, 9, 0, 0)


def test_variables_are_objects_with_examples(merchant: Merchant) -> None:
    found = merchant.data("GET", "/automations/variables/order_placed")

    assert "order.name" in found["names"]
    assert all(variable["example"] for variable in found["variables"])
    assert merchant.refused("GET", "/automations/variables/full_moon") == (400, "VALIDATION_ERROR")
