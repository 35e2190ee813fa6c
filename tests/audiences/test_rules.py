"""Which contacts a rule finds, and what is said about a rule that is none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select

from app.audiences.rules import parse_rule, rule_condition
from app.contacts.models import Contact
from app.core.clock import now
from app.core.errors import ValidationFailed
from app.core.uow import unit_of_work
from app.shops.models import Shop
from tests import build
from tests.audiences.people import Caller, a_contact


def only(field: str, op: str, value: Any = None) -> dict[str, Any]:
    leaf = {"field": field, "op": op}
    return {"all": [leaf if value is None else {**leaf, "value": value}]}


@pytest.fixture
def people(merchant: Caller) -> dict[str, str]:
    """Three contacts that differ in everything; ids to names. The third one tells nothing."""
    shop, today = merchant.shop, now()
    return {
        a_contact(
            shop,
            first_name="Άννα",
            last_name="O'Neil_50%",
            email="anna@example.com",
            gender="female",
            tags=["vip", "Athens"],
            birth_date=date(1990, 5, 15),
            orders_count=3,
            last_order_at=today - timedelta(days=10),
            created_at=datetime(2026, 1, 31, 21, 59, tzinfo=UTC),  # 23:59 in Athens
            region="GR",
        ): "anna",
        a_contact(
            shop,
            first_name="Bob",
            last_name="O'Neilx50y",
            email="bob@example.org",
            gender="male",
            tags=["vip"],
            birth_date=date(2001, 12, 1),
            orders_count=1,
            last_order_at=today - timedelta(days=100),
            created_at=datetime(2026, 1, 31, 22, 0, tzinfo=UTC),  # 1 February in Athens
            region="DE",
        ): "bob",
        a_contact(shop, created_at=datetime(2026, 3, 1, tzinfo=UTC)): "nobody",
    }


@pytest.mark.parametrize(
    ("field", "op", "value", "found"),
    [
        ("consent", "is", "opted_in", "anna bob nobody"),
        ("consent", "is", "opted_out", ""),
        ("consent", "isNot", "opted_in", ""),
        ("firstName", "is", "ΆΝΝΑ", "anna"),
        ("firstName", "isNot", "bob", "anna nobody"),
        ("firstName", "contains", "ΝΝ", "anna"),
        ("firstName", "startsWith", "b", "bob"),
        ("firstName", "endsWith", "B", "bob"),
        ("firstName", "isEmpty", None, "nobody"),
        ("firstName", "isNotEmpty", None, "anna bob"),
        ("lastName", "contains", "o'neil", "anna bob"),
        ("lastName", "contains", "_50%", "anna"),
        ("lastName", "contains", "%", "anna"),
        ("lastName", "startsWith", "o_", ""),
        ("lastName", "endsWith", "_50%", "anna"),
        ("lastName", "is", "o'neil_50%", "anna"),
        ("lastName", "contains", "' OR 1=1 --", ""),
        ("lastName", "contains", "\\", ""),
        ("email", "is", "ANNA@example.com", "anna"),
        ("email", "endsWith", ".org", "bob"),
        ("email", "isEmpty", None, "nobody"),
        ("tags", "anyOf", ["Athens", "other"], "anna"),
        ("tags", "anyOf", ["VIP"], ""),
        ("tags", "allOf", ["vip", "Athens"], "anna"),
        ("tags", "allOf", ["vip"], "anna bob"),
        ("tags", "noneOf", ["Athens"], "bob nobody"),
        ("gender", "is", "female", "anna"),
        ("gender", "isNot", "female", "bob nobody"),
        ("gender", "isUnknown", None, "nobody"),
        ("age", "between", [18, 30], "bob"),
        ("age", "atLeast", 30, "anna"),
        ("age", "atMost", 30, "bob"),
        ("age", "atLeast", 0, "anna bob"),
        ("birthMonth", "is", 5, "anna"),
        ("birthMonth", "anyOf", [5, 12], "anna bob"),
        ("ordersCount", "atLeast", 1, "anna bob"),
        ("ordersCount", "atMost", 1, "bob nobody"),
        ("ordersCount", "equals", 3, "anna"),
        ("hasPurchased", "is", True, "anna bob"),
        ("hasPurchased", "is", False, "nobody"),
        ("lastOrderAt", "inLastDays", 30, "anna"),
        ("lastOrderAt", "inLastDays", 101, "anna bob"),
        ("lastOrderAt", "notInLastDays", 30, "bob nobody"),
        ("lastOrderAt", "before", "2200-01-01", "anna bob"),
        ("lastOrderAt", "after", "1900-01-01", "anna bob"),
        ("createdAt", "before", "2026-02-01", "anna"),
        ("createdAt", "after", "2026-01-31", "bob nobody"),
        ("createdAt", "after", "2026-02-01", "nobody"),
        ("createdAt", "before", "2026-01-31T22:00:00Z", "anna"),
        ("createdAt", "after", "2026-01-31T23:59:00+02:00", "bob nobody"),
        ("createdAt", "inLastDays", 36500, "anna bob nobody"),
        ("region", "is", "gr", "anna"),
        ("region", "isNot", "GR", "bob nobody"),
        ("region", "anyOf", ["GR", "DE"], "anna bob"),
    ],
)
def test_a_condition_finds_its_contacts(
    merchant: Caller, people: dict[str, str], field: str, op: str, value: Any, found: str
) -> None:
    segment = merchant.a_segment(rule=only(field, op, value))

    reached = merchant.reached(f"segment:{segment['id']}")

    assert [people[one] for one in reached] == found.split()
    assert segment["estimatedCount"] == len(reached)


def test_groups_nest(merchant: Caller, people: dict[str, str]) -> None:
    buyers_of_athens = {
        "all": [
            {"field": "hasPurchased", "op": "is", "value": True},
            {"any": [*only("tags", "anyOf", ["Athens"])["all"], *only("region", "is", "FR")["all"]]},
        ]
    }
    rule = {"any": [buyers_of_athens, *only("gender", "isUnknown")["all"]]}

    segment = merchant.a_segment(rule=rule)

    reached = merchant.reached(f"segment:{segment['id']}")
    assert [people[one] for one in reached] == ["anna", "nobody"]


def test_a_rule_reaches_nobody_who_may_not_be_texted(merchant: Caller) -> None:
    a_contact(merchant.shop, consent="opted_out", tags=["vip"])
    a_contact(merchant.shop, consent="unknown", tags=["vip"])

    rule = {"any": [*only("tags", "anyOf", ["vip"])["all"], *only("consent", "isNot", "opted_in")["all"]]}
    segment = merchant.a_segment(rule=rule)

    assert segment["estimatedCount"] == 0


def found_on(shop: Shop, today: date, rule: dict[str, Any]) -> int:
    """How many contacts fit `rule` when the calendar says `today`."""
    with unit_of_work(shop.id) as session:
        condition = rule_condition(parse_rule(rule), today, ZoneInfo("Europe/Athens"))
        return len(session.scalars(select(Contact.id).where(condition)).all())


@pytest.mark.parametrize(
    ("born", "today", "age"),
    [
        (date(2000, 6, 15), date(2026, 6, 14), 25),
        (date(2000, 6, 15), date(2026, 6, 15), 26),
        (date(2000, 6, 15), date(2026, 6, 16), 26),
        (date(2000, 1, 1), date(2025, 12, 31), 25),
        (date(2000, 12, 31), date(2026, 1, 1), 25),
        # Born on 29 February: a year older on 1 March of a common year, on the day itself in a leap year.
        (date(2004, 2, 29), date(2022, 2, 28), 17),
        (date(2004, 2, 29), date(2022, 3, 1), 18),
        (date(2004, 2, 29), date(2024, 2, 28), 19),
        (date(2004, 2, 29), date(2024, 2, 29), 20),
        # Today is 29 February.
        (date(2006, 2, 28), date(2024, 2, 29), 18),
        (date(2006, 3, 1), date(2024, 2, 29), 17),
        # Born today, and not yet born.
        (date(2024, 2, 29), date(2024, 2, 29), 0),
        (date(2024, 3, 1), date(2024, 2, 29), None),
    ],
)
def test_ages_turn_on_the_birthday(app: Flask, born: date, today: date, age: int | None) -> None:
    shop = build.a_shop()
    a_contact(shop, birth_date=born)

    ages = [years for years in range(40) if found_on(shop, today, only("age", "equals", years))]

    assert ages == ([] if age is None else [age])
    if age is not None:
        assert found_on(shop, today, only("age", "between", [age, age])) == 1
        assert found_on(shop, today, only("age", "atLeast", age)) == 1
        assert found_on(shop, today, only("age", "atLeast", age + 1)) == 0
        assert found_on(shop, today, only("age", "atMost", age)) == 1
        assert (
            found_on(shop, today, only("age", "atMost", age - 1) if age else only("age", "atLeast", 1)) == 0
        )


LEAF = {"field": "age", "op": "atLeast", "value": 18}


def nested(depth: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"all": [LEAF]}
    for _ in range(depth - 1):
        rule = {"any": [rule]}
    return rule


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ([], "rule"),
        ("all", "rule"),
        (LEAF, "rule"),
        ({}, "rule"),
        ({"none": [LEAF]}, "rule"),
        ({"all": [LEAF], "any": [LEAF]}, "rule"),
        ({"all": []}, "rule.all"),
        ({"all": LEAF}, "rule.all"),
        ({"all": [LEAF, "male"]}, "rule.all[1]"),
        ({"all": [{**LEAF, "not": True}]}, "rule.all[0]"),
        ({"all": [{"any": [LEAF], "field": "age"}]}, "rule.all[0]"),
        ({"all": [{"field": "shoeSize", "op": "is", "value": 1}]}, "rule.all[0].field"),
        ({"all": [{"field": ["age"], "op": "is", "value": 1}]}, "rule.all[0].field"),
        ({"all": [{"op": "is", "value": 1}]}, "rule.all[0].field"),
        ({"all": [{"field": "age", "op": "is", "value": 1}]}, "rule.all[0].op"),
        ({"all": [{"field": "age", "op": {}, "value": 1}]}, "rule.all[0].op"),
        ({"all": [LEAF, LEAF, {"field": "age", "op": "atLeast"}]}, "rule.all[2].value"),
        ({"any": [{"all": [LEAF, {**LEAF, "value": "18"}]}]}, "rule.any[0].all[1].value"),
        (only("age", "atLeast", True), "rule.all[0].value"),
        (only("age", "atLeast", 18.0), "rule.all[0].value"),
        (only("age", "atLeast", -1), "rule.all[0].value"),
        (only("age", "atMost", 10**30), "rule.all[0].value"),
        (only("age", "between", 18), "rule.all[0].value"),
        (only("age", "between", [18]), "rule.all[0].value"),
        (only("age", "between", [24, 18]), "rule.all[0].value"),
        (only("age", "between", [18, "24"]), "rule.all[0].value[1]"),
        (only("birthMonth", "is", 13), "rule.all[0].value"),
        (only("gender", "is", "men"), "rule.all[0].value"),
        (only("gender", "isUnknown", "male"), "rule.all[0].value"),
        (only("consent", "is", "yes"), "rule.all[0].value"),
        (only("tags", "anyOf", []), "rule.all[0].value"),
        (only("tags", "anyOf", "vip"), "rule.all[0].value"),
        (only("tags", "anyOf", ["vip", " "]), "rule.all[0].value[1]"),
        (only("tags", "anyOf", ["t"] * 51), "rule.all[0].value"),
        (only("tags", "anyOf", ["t" * 51]), "rule.all[0].value[0]"),
        (only("firstName", "contains", ""), "rule.all[0].value"),
        (only("hasPurchased", "is", 1), "rule.all[0].value"),
        (only("ordersCount", "atLeast", 2**31), "rule.all[0].value"),
        (only("lastOrderAt", "inLastDays", 0), "rule.all[0].value"),
        (only("lastOrderAt", "before", "yesterday"), "rule.all[0].value"),
        (only("lastOrderAt", "before", "2026-02-30"), "rule.all[0].value"),
        (only("lastOrderAt", "before", "2026-01-01T10:00:00"), "rule.all[0].value"),
        (only("lastOrderAt", "after", "9999-12-31"), "rule.all[0].value"),
        (only("createdAt", "after", 1700000000), "rule.all[0].value"),
        (only("region", "is", "Greece"), "rule.all[0].value"),
        (nested(6), "rule.any[0].any[0].any[0].any[0].any[0].all"),
        ({"all": [LEAF] * 51}, "rule.all[50]"),
        ({"all": [{"any": [LEAF] * 50}, LEAF]}, "rule.all[1]"),
    ],
)
def test_a_malformed_rule_is_refused_with_the_path_to_its_fault(
    merchant: Caller, rule: Any, path: str
) -> None:
    answer = merchant.call("POST", "/audiences/segments", {"name": "Wrong", "rule": rule})

    assert (answer.status_code, answer.json["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json["details"][0]["field"] == path
    assert merchant.data("GET", "/audiences/segments")["total"] == 8


@pytest.mark.parametrize("rule", [nested(5), {"all": [LEAF] * 50}])
def test_the_largest_rules_are_taken(merchant: Caller, rule: dict[str, Any]) -> None:
    assert merchant.a_segment(rule=rule)["estimatedCount"] == 0


def test_a_malformed_rule_changes_nothing(merchant: Caller) -> None:
    segment = merchant.a_segment(rule={"all": [LEAF]})
    path = f"/audiences/segments/{segment['id']}"

    assert merchant.refused("PUT", path, {"name": "New", "rule": {"all": []}}) == (400, "VALIDATION_ERROR")

    assert merchant.data("GET", path)["name"] == "Mine"


def test_very_deep_json_is_refused_and_does_not_crash() -> None:
    rule: dict[str, Any] = {"all": [LEAF]}
    for _ in range(5000):
        rule = {"all": [rule]}

    with pytest.raises(ValidationFailed):
        parse_rule(rule)
