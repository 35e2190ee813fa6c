"""Whatever is posted, it is taken in or refused as a refusal: nothing else is raised, nothing odd is kept."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.errors import DomainError
from app.orders.service.payloads import cents, moment, number
from app.shops.models import Shop
from tests import build, build_orders
from tests.build_orders import at, kept, order, refund, take
from tests.contracts.hostile import VALUES

KINDS = ("order", "refund", "parcel", "checkout")
FIELDS = {
    "order": order(
        refunds=[refund(1, "1.00")],
        shipping_address={"city": "Athens"},
        discount_codes=[{"code": "A"}],
        note_attributes=[{"name": "ast", "value": "x"}],
        **dict.fromkeys(("checkout_token", "cart_token", "landing_site", "test", "order_number"), "x"),
    ),
    "refund": refund(1, "5.00"),
    "parcel": {
        "id": 5,
        "order_id": 1,
        "created_at": at(0),
        "updated_at": at(0),
        **dict.fromkeys(("status", "tracking_number", "tracking_numbers", "tracking_url", "shipment_status")),
    },
    "checkout": {
        "token": "t",
        "created_at": at(0),
        "updated_at": at(0),
        **dict.fromkeys(("line_items", "abandoned_checkout_url", "completed_at", "discount_codes")),
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_value_in_any_field_is_refused_or_left_out(shop: Shop, kind: str):
    build_orders.take_order(shop)

    for name in FIELDS[kind]:
        for value in VALUES:
            for hostile in (value, [value], [{"id": 1, "title": value, "transactions": value}]):
                try_to_take(shop, kind, {**FIELDS[kind], name: hostile})

    assert kept(shop)


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(KINDS), st.data())
def test_any_json_is_refused_or_taken_in(app: Flask, kind: str, data: Any):
    shop = build.a_shop()
    names = list(FIELDS[kind])
    odd = data.draw(st.dictionaries(st.sampled_from(names), ANY_JSON, max_size=4))

    try_to_take(shop, kind, {**FIELDS[kind], **odd})


@pytest.mark.parametrize(
    "raw",
    [
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-12:00",
        "2026-11-20",
        "2026-11-20T12:00:00",
        "",
        5,
        {},
    ],
)
def test_what_is_no_instant_is_none(raw: Any):
    assert moment(raw) is None


@pytest.mark.parametrize(
    "raw", ["1e1000000", "1e999999999999999999999", "nan", "-inf", "9" * 5000, 10**4000, True, [], "12.3.4"]
)
def test_what_is_no_amount_is_none(raw: Any):
    assert cents(raw) is None


@pytest.mark.parametrize(
    ("raw", "amount"), [("49.90", 4990), (0, 0), ("0e-99", 0), (12.5, 1250), ("-3", -300)]
)
def test_amounts_are_read_in_cents(raw: Any, amount: int):
    assert cents(raw) == amount


@pytest.mark.parametrize(
    "raw", [True, -1, 0, 2**63, 10**4000, "9" * 5000, "gid://shopify/Order/x", None, 1.5]
)
def test_what_is_no_id_is_none(raw: Any):
    assert number(raw) is None


def try_to_take(shop: Shop, kind: str, payload: dict[str, Any]) -> None:
    try:
        payload = json.loads(json.dumps(payload))
    except (ValueError, RecursionError):
        return  # such a body is refused before anybody reads an order in it
    with suppress(DomainError):
        take(shop, kind, payload)
