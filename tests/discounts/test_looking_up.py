"""The discounts of a connected shop, asked of a Shopify over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.connections.service import tokens
from app.core.redis import redis_client
from app.shops.models import Shop
from tests import build
from tests.build_campaigns import Merchant
from tests.build_contacts import a_contact
from tests.build_messages import credit, execute, messages_of
from tests.connections.merchants import install
from tests.sandbox.shopify.world import ShopWorld, World

END = """mutation EndDiscount($id: ID!) {
  discountCodeDeactivate(id: $id) { userErrors { field message } }
}"""
PAST, FUTURE = "2020-01-01T00:00:00Z", "2030-01-31T12:00:00Z"


@pytest.fixture
def shop(client: FlaskClient, demo: ShopWorld) -> Shop:
    return install(client, demo)


@pytest.fixture
def merchant(client: FlaskClient, shop: Shop) -> Merchant:
    execute(
        shop,
        """INSERT INTO subscriptions (shop_id, plan, billing_interval, status)
           VALUES (:shop_id, 'starter', 'month', 'active')
           ON CONFLICT (shop_id) DO UPDATE SET status = 'active'""",
        shop_id=shop.id,
    )
    credit(shop)
    return Merchant(client, shop)


def gid(discount: dict[str, Any]) -> str:
    return f"gid://shopify/DiscountCodeNode/{discount['id']}"


def asked(world: World, operation: str = "Discounts") -> int:
    return len(world.requests(operation=operation))


def test_the_list_has_what_can_be_used_now_and_shopify_is_asked_once(
    client: FlaskClient, demo: ShopWorld, shop: Shop, world: World
):
    demo.do("discount", code="SAVE10", title="Ten off", percentage=0.1, ends_at=FUTURE)
    demo.do("discount", code="FIVE", amount="5.50")
    demo.do("discount", code="FREE", kind="DiscountCodeFreeShipping")
    demo.do("discount", code="OLD", percentage=0.2, ends_at=PAST)
    demo.do("discount", code="LATER", percentage=0.2, starts_at=FUTURE)

    answers = [client.get("/shopify/discounts", headers=build.auth(shop)).json["data"] for _ in range(3)]

    assert answers[0] == answers[1] == answers[2]
    assert (answers[0]["total"], answers[0]["active"]) == (3, 3)
    by_code = {one["code"]: one for one in answers[0]["discounts"]}
    tenth = by_code["SAVE10"]
    assert tenth["value"] == {"percentage": 10.0}
    assert (tenth["valueLabel"], tenth["validityLabel"]) == ("10% off", "Valid until 01/31/2030")
    assert (tenth["discountType"], tenth["title"], tenth["isActive"]) == ("percentage", "Ten off", True)
    assert by_code["FIVE"]["value"] == {"amount": {"amount": 5.5, "currencyCode": "USD"}}
    assert by_code["FREE"]["discountType"] == "free_shipping"
    assert asked(world) == 1


def test_a_discount_is_found_by_its_id_however_its_slashes_come(
    client: FlaskClient, demo: ShopWorld, shop: Shop
):
    made = demo.do("discount", code="OLD", percentage=0.125, ends_at=PAST)

    for spelt in (gid(made), gid(made).replace("/", "%2F"), str(made["id"])):
        answer = client.get(f"/shopify/discounts/{spelt}", headers=build.auth(shop))
        assert answer.status_code == 200, spelt
        assert answer.json["data"]["value"] == {"percentage": 12.5}
        assert answer.json["data"]["isExpired"] is True
    assert client.get(f"/shopify/discounts/{gid({'id': 999})}", headers=build.auth(shop)).status_code == 404


def test_a_code_is_looked_up_without_regard_to_case_and_says_why_not(
    client: FlaskClient, demo: ShopWorld, shop: Shop
):
    demo.do("discount", code="SAVE10", percentage=0.1)
    demo.do("discount", code="OLD", percentage=0.1, ends_at=PAST)

    def validated(code: str) -> dict[str, Any]:
        return dict(client.get(f"/discounts/validate/{code}", headers=build.auth(shop)).json["data"])

    assert validated("save10")["isValid"] is True
    assert validated("OLD") | {"discount": None} == {
        "discount": None,
        "isValid": False,
        "canUse": False,
        "reason": "This discount has expired.",
    }
    assert validated("NEVER")["discount"] is None


@pytest.mark.parametrize("fault", ["http_500", "graphql_error"])
def test_a_shopify_in_trouble_leaves_the_form_without_discounts_and_is_not_waited_for_twice(
    client: FlaskClient, demo: ShopWorld, shop: Shop, world: World, fault: str
):
    demo.do("discount", code="SAVE10", percentage=0.1)
    world.fault(fault, count=50)

    first = client.get("/shopify/discounts", headers=build.auth(shop))
    before = len(world.requests(kind="graphql"))
    second = client.get("/shopify/discounts", headers=build.auth(shop))
    one = client.get("/shopify/discounts/1", headers=build.auth(shop))

    assert first.status_code == second.status_code == 200
    assert first.json["data"] == second.json["data"] == {"discounts": [], "total": 0, "active": 0}
    assert (one.status_code, one.json["code"]) == (503, "EXTERNAL_SERVICE_ERROR")
    assert len(world.requests(kind="graphql")) == before


def test_another_shop_sees_none_of_it(client: FlaskClient, demo: ShopWorld, shop: Shop):
    made = demo.do("discount", code="SAVE10", percentage=0.1)
    client.get("/shopify/discounts", headers=build.auth(shop))
    stranger = build.auth(build.a_shop())

    assert client.get("/shopify/discounts", headers=stranger).json["data"]["discounts"] == []
    assert client.get(f"/shopify/discounts/{gid(made)}", headers=stranger).status_code == 404


def test_the_code_is_stored_when_the_campaign_is_written_and_nothing_polled_asks_shopify(
    app: Flask, merchant: Merchant, demo: ShopWorld, world: World
):
    a_contact(merchant.shop)
    made = demo.do("discount", code="SAVE10", percentage=0.1)

    campaign = merchant.a_campaign(message="Code {{discountCode}}", discountId=gid(made))
    before = len(world.requests(kind="graphql"))
    preview = merchant.data("GET", f"/campaigns/{campaign}/preview")

    assert merchant.show(campaign)["meta"]["discountCode"] == "SAVE10"
    assert "Code SAVE10" in preview["renderedMessage"]
    assert preview["canSend"] is True
    assert len(world.requests(kind="graphql")) == before


def test_the_code_of_another_discount_replaces_the_stored_one(
    app: Flask, merchant: Merchant, demo: ShopWorld
):
    first, second = (demo.do("discount", code=code, percentage=0.1) for code in ("ONE", "TWO"))
    campaign = merchant.a_campaign(message="Code {{discountCode}}", discountId=gid(first))

    merchant.data("PUT", f"/campaigns/{campaign}", {"discountId": gid(second)})
    assert merchant.show(campaign)["meta"]["discountCode"] == "TWO"
    merchant.data("PUT", f"/campaigns/{campaign}", {"discountId": None})

    assert "discountCode" not in (merchant.show(campaign)["meta"] or {})


def test_a_discount_that_has_ended_since_is_not_sent(app: Flask, merchant: Merchant, demo: ShopWorld):
    a_contact(merchant.shop)
    made = demo.do("discount", code="SAVE10", percentage=0.1, ends_at=FUTURE)
    campaign = merchant.a_campaign(message="Code {{discountCode}}", discountId=gid(made))
    tokens.admin(merchant.shop.id).run(END, {"id": gid(made)})
    redis_client().flushdb()

    refusal = merchant.refused("POST", f"/campaigns/{campaign}/enqueue")

    assert refusal == (400, "ENQUEUE_FAILED")
    assert merchant.show(campaign)["status"] == "draft"


def test_what_shopify_does_not_say_at_the_start_leaves_the_stored_code(
    app: Flask, merchant: Merchant, demo: ShopWorld, world: World
):
    a_contact(merchant.shop)
    made = demo.do("discount", code="SAVE10", percentage=0.1)
    campaign = merchant.a_campaign(message="Code {{discountCode}}", discountId=gid(made))
    redis_client().flushdb()
    world.fault("http_500", count=50)

    assert merchant.data("POST", f"/campaigns/{campaign}/enqueue")["queued"] == 1

    ((run_id,),) = execute(merchant.shop, "SELECT run_id FROM campaigns")
    assert messages_of(merchant.shop, run_id)
    assert execute(merchant.shop, "SELECT code_key FROM run_codes") == [("save10",)]


def test_a_start_asks_for_the_code_that_could_not_be_had_before(
    app: Flask, merchant: Merchant, demo: ShopWorld, world: World
):
    a_contact(merchant.shop)
    made = demo.do("discount", code="SAVE10", percentage=0.1)
    world.fault("http_500", count=50)
    campaign = merchant.a_campaign(message="Code {{discountCode}}", discountId=gid(made))
    assert merchant.data("GET", f"/campaigns/{campaign}/preview")["reason"] == "enqueue_failed"
    world.heal()
    redis_client().flushdb()

    merchant.data("POST", f"/campaigns/{campaign}/enqueue")

    assert execute(merchant.shop, "SELECT code_key FROM run_codes") == [("save10",)]
