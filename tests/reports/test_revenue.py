"""What was sold and which texts sold it: the halves are the whole, and what is taken back is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.connections.models import ConnectionStatus
from app.core.clock import now
from app.core.uow import unit_of_work
from app.orders.service.payloads import read_refund
from app.orders.service.taking_in import take_in_refund
from tests import build_orders
from tests.build_campaigns import Merchant, a_merchant
from tests.build_contacts import a_contact
from tests.build_messages import credit, execute

PATH = "/reports/revenue"
CODE = [{"code": "SAVE10"}]


def a_campaign_with_a_code(merchant: Merchant) -> str:
    """Sent an hour ago to one contact; its id."""
    credit(merchant.shop)
    a_contact(merchant.shop)
    campaign = merchant.a_campaign(message="10% off: {{discountCode}}")
    execute(
        merchant.shop,
        """UPDATE campaigns SET meta = '{"discountCode": "SAVE10"}' WHERE id = :id""",
        id=int(campaign),
    )
    assert merchant.do("enqueue", campaign).status_code in {200, 202}
    execute(merchant.shop, "UPDATE run_codes SET given_at = given_at - interval '1 hour'")
    return campaign


def buy(merchant: Merchant, shopify_id: int, **columns: Any) -> None:
    moment = now().isoformat()
    given = {"processed_at": moment, "updated_at": moment, **columns}
    build_orders.take_order(merchant.shop, shopify_id=shopify_id, **given)


def test_a_shop_that_sold_nothing_has_an_empty_report(merchant: Merchant):
    report = merchant.data("GET", PATH)

    assert (report["currencies"], report["campaigns"], report["automations"]) == ([], [], [])
    assert report["attributionWindowDays"] == 7
    assert set(report["dateRange"]) == {"from", "to", "window"}


def test_orders_are_counted_for_their_campaign_by_currency(merchant: Merchant):
    campaign = a_campaign_with_a_code(merchant)
    buy(merchant, 1, total_price="49.90", discount_codes=CODE)
    buy(merchant, 2, total_price="10.10")
    buy(merchant, 3, total_price="5.00", currency="USD", discount_codes=CODE)

    report = merchant.data("GET", PATH)

    euro, dollar = report["currencies"]
    assert (euro["total"], euro["attributed"], euro["unattributed"]) == (60.0, 49.9, 10.1)
    assert (euro["orders"], euro["attributedOrders"], euro["unattributedOrders"]) == (2, 1, 1)
    assert (dollar["currency"], dollar["total"], dollar["attributed"]) == ("USD", 5.0, 5.0)
    assert [(one["id"], one["currency"], one["revenue"], one["orders"]) for one in report["campaigns"]] == [
        (campaign, "EUR", 49.9, 1),
        (campaign, "USD", 5.0, 1),
    ]


def test_what_is_refunded_cancelled_or_a_test_is_not_sold(merchant: Merchant):
    campaign = a_campaign_with_a_code(merchant)
    later = (now() + timedelta(seconds=5)).isoformat()
    for number in (1, 2):
        buy(merchant, number, total_price="50.00", discount_codes=CODE)
    buy(merchant, 3, total_price="50.00", test=True, discount_codes=CODE)
    with unit_of_work(merchant.shop.id):
        read = read_refund(build_orders.refund(7, "20.00", 1))
        assert read and take_in_refund(merchant.shop.id, *read)
    buy(merchant, 2, total_price="50.00", discount_codes=CODE, updated_at=later, cancelled_at=later)

    report = merchant.data("GET", PATH)

    assert [(one["total"], one["orders"]) for one in report["currencies"]] == [(30.0, 1)]
    assert [(one["id"], one["revenue"]) for one in report["campaigns"]] == [(campaign, 30.0)]


def test_an_order_of_another_time_or_shop_is_in_no_report(merchant: Merchant, stranger: Merchant):
    buy(merchant, 1, processed_at=(now() - timedelta(days=40)).isoformat())
    buy(stranger, 2)

    assert merchant.data("GET", PATH)["currencies"] == []


ORDERS = st.lists(
    st.fixed_dictionaries(
        {
            "total_price": st.integers(0, 10**7).map(lambda cents: f"{cents // 100}.{cents % 100:02d}"),
            "currency": st.sampled_from(["EUR", "USD"]),
            "discount_codes": st.sampled_from([[], CODE]),
            "refunds": st.sampled_from([[], [build_orders.refund(1, "20.00")]]),
            "cancelled_at": st.sampled_from([None, build_orders.at(0)]),
            "test": st.booleans(),
        }
    ),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ORDERS)
def test_attributed_and_unattributed_are_always_the_whole(app: Flask, orders: list[dict[str, Any]]):
    merchant = a_merchant(app.test_client())
    a_campaign_with_a_code(merchant)
    for number, columns in enumerate(orders, start=1):
        buy(merchant, number, **columns)

    report = merchant.data("GET", PATH)

    expected: dict[str, int] = {}
    for one in orders:
        if not one["test"] and not one["cancelled_at"]:
            cents = round(float(one["total_price"]) * 100) - (2000 if one["refunds"] else 0)
            expected[one["currency"]] = expected.get(one["currency"], 0) + max(0, cents)
    totals = {one["currency"]: round(one["total"] * 100) for one in report["currencies"]}
    assert totals == expected
    for one in report["currencies"]:
        assert round((one["attributed"] + one["unattributed"]) * 100) == round(one["total"] * 100)
        assert one["attributedOrders"] + one["unattributedOrders"] == one["orders"]
        of_campaigns = sum(c["revenue"] for c in report["campaigns"] if c["currency"] == one["currency"])
        assert round(of_campaigns * 100) == round(one["attributed"] * 100)


def test_a_campaign_tells_of_conversions_only_where_orders_are_told_of(merchant: Merchant):
    campaign = a_campaign_with_a_code(merchant)
    buy(merchant, 1, discount_codes=CODE)
    before = merchant.data("GET", f"/campaigns/{campaign}/metrics")
    execute(
        merchant.shop,
        """INSERT INTO shopify_connections (shop_id, status, access_token, scopes, scopes_at, api_version,
             installed_at, check_at)
           VALUES (:shop_id, :status, 'sealed', '{}', now(), '2026-10', now(), now())""",
        shop_id=merchant.shop.id,
        status=ConnectionStatus.ACTIVE,
    )

    after = merchant.data("GET", f"/campaigns/{campaign}/metrics")

    assert "conversions" not in before
    assert "conversionRate" not in before
    assert after["conversions"] == 1
    assert after["conversionRate"] == 0.0, "nothing was delivered yet"
