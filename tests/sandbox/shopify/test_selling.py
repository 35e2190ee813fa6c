"""Orders, checkouts and discounts, told as webhooks and shown in GraphQL."""

from typing import Any

import pytest

from tests.sandbox.shopify.conftest import App
from tests.sandbox.shopify.world import ShopWorld, World

TOPICS = (
    *("orders/create", "orders/paid", "orders/fulfilled", "orders/partially_fulfilled", "orders/updated"),
    *("orders/cancelled", "refunds/create", "fulfillments/create", "fulfillments/update"),
    *("fulfillment_events/create", "checkouts/create", "checkouts/update", "discounts/create"),
)
CREATE = """
mutation CreateDiscount($discount: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $discount) {
    codeDiscountNode { id codeDiscount { ... on DiscountCodeBasic {
      title status startsAt endsAt codes(first: 1) { nodes { code } } } } }
    userErrors { field message code extraInfo } } }
"""
ADD = """
mutation AddDiscountCodes($id: ID!, $codes: [DiscountRedeemCodeInput!]!) {
  discountRedeemCodeBulkAdd(discountId: $id, codes: $codes) {
    bulkCreation { id done codesCount } userErrors { field message code } } }
"""
ADDED = "query Added($id: ID!) { discountRedeemCodeBulkCreation(id: $id) { done importedCount failedCount } }"
BY_CODE = """
query DiscountByCode($code: String!) { codeDiscountNodeByCode(code: $code) {
  id codeDiscount { __typename ... on DiscountCodeBasic { title status asyncUsageCount endsAt
    customerGets { value { __typename ... on DiscountPercentage { percentage } } } } } } }
"""
TEN_PERCENT = {
    "title": "SMS10",
    "code": "SMS10",
    "startsAt": "2026-01-01T00:00:00Z",
    "endsAt": None,
    "context": {"all": "ALL"},
    "customerGets": {"value": {"percentage": 0.1}, "items": {"all": True}},
    "appliesOncePerCustomer": True,
    "usageLimit": None,
}


@pytest.fixture
def selling(shop: ShopWorld, app: App, token: str) -> ShopWorld:
    for topic in TOPICS:
        shop.do("subscribe", topic=topic, uri=f"{app.url}/x")
    return shop


@pytest.fixture
def person(selling: ShopWorld) -> dict[str, Any]:
    return dict(
        selling.do("create-customer", first_name="Maria", phone="+306984303406", sms_state="subscribed")
    )


def create(shop: ShopWorld, token: str, **changes: Any) -> dict[str, Any]:
    variables = {"discount": {**TEN_PERCENT, **changes}}
    return dict(shop.graphql(CREATE, variables, token=token).json()["data"]["discountCodeBasicCreate"])


def test_an_order_has_the_fields_that_the_app_reads(
    selling: ShopWorld, person: dict[str, Any], token: str, app: App, world: World
):
    create(selling, token)
    selling.do("order", customer_id=person["id"], discount_codes=["sms10"], landing_site="/?an=abc")
    world.settle()

    order = app.got("orders/create")[0].json()
    assert order["id"] > 2**53
    assert (order["total_price"], order["currency"], order["financial_status"]) == ("44.91", "EUR", "paid")
    assert order["discount_codes"] == [{"code": "SMS10", "amount": "4.99", "type": "percentage"}]
    assert order["landing_site"] == "/?an=abc"
    assert order["customer"]["phone"] == "+306984303406"
    assert order["customer"]["sms_marketing_consent"]["state"] == "subscribed"
    assert order["shipping_address"] == order["billing_address"]
    assert order["shipping_address"]["phone"] == "6984303406"
    assert order["created_at"].endswith("+02:00")
    assert len(app.got("orders/paid")) == 1


def test_an_order_from_parcel_to_refund(selling: ShopWorld, person: dict[str, Any], app: App, world: World):
    order = selling.do("order", customer_id=person["id"])
    selling.do("fulfil", order_id=order["id"], partial=True)
    selling.do("fulfil", order_id=order["id"])
    selling.do("deliver", order_id=order["id"])
    selling.do("refund", order_id=order["id"], amount="9.90")
    selling.do("refund", order_id=order["id"])
    selling.do("cancel", order_id=order["id"])
    world.settle()

    assert app.got("orders/partially_fulfilled")[0].json()["fulfillment_status"] == "partial"
    assert app.got("orders/fulfilled")[0].json()["fulfillment_status"] == "fulfilled"
    assert [post.json()["status"] for post in app.got("fulfillments/create")] == ["success", "success"]
    assert app.got("fulfillments/update")[0].json()["shipment_status"] == "delivered"
    assert app.got("fulfillment_events/create")[0].json()["status"] == "delivered"
    amounts = [post.json()["transactions"][0]["amount"] for post in app.got("refunds/create")]
    assert amounts == ["9.90", "40.00"]
    assert app.got("orders/updated")[-1].json()["financial_status"] == "refunded"
    assert app.got("orders/cancelled")[0].json()["cancelled_at"]
    assert selling.customer(person["id"])["total_spent"] == "0.00"


def test_webhooks_of_one_step_share_an_event(
    selling: ShopWorld, person: dict[str, Any], app: App, world: World
):
    selling.do("order", customer_id=person["id"])
    world.settle()
    posts = [app.got(topic)[0] for topic in ("orders/create", "orders/paid")]
    assert len({post.headers["x-shopify-event-id"] for post in posts}) == 1
    assert len({post.webhook_id for post in posts}) == 2


def test_a_checkout_is_left_and_then_bought(
    selling: ShopWorld, person: dict[str, Any], app: App, world: World
):
    cart = selling.do("checkout", customer_id=person["id"], accepts_sms=True)
    order = selling.do("order", token=cart["token"])
    world.settle()

    begun, done = app.got("checkouts/create")[0].json(), app.got("checkouts/update")[0].json()
    assert begun["completed_at"] is None
    assert begun["sms_marketing_phone"] == "+306984303406"
    assert (begun["phone"], begun["customer"]["id"]) == ("+306984303406", person["id"])
    assert done["completed_at"]
    assert (order["checkout_token"], order["cart_token"]) == (cart["token"], cart["cart_token"])


def test_orders_are_shown_in_graphql(selling: ShopWorld, person: dict[str, Any], token: str):
    order = selling.do("order", customer_id=person["id"], note_attributes=[{"name": "an", "value": "t"}])
    selling.do("refund", order_id=order["id"], amount="9.90")
    query = """
    query OrdersChanged($query: String) { orders(first: 50, query: $query, sortKey: UPDATED_AT) {
      nodes { id name customer { id } totalPriceSet { shopMoney { amount currencyCode } } discountCodes
        totalRefundedSet { shopMoney { amount } } displayFinancialStatus displayFulfillmentStatus
        customerJourneySummary { lastVisit { landingPage } } customAttributes { key value }
        refunds { id totalRefundedSet { shopMoney { amount } } } fulfillments { id status } }
      pageInfo { hasNextPage endCursor } } }
    """
    answer = selling.graphql(query, {"query": "updated_at:>=2026-01-01T00:00:00Z"}, token=token).json()
    [found] = answer["data"]["orders"]["nodes"]

    assert found["id"] == order["admin_graphql_api_id"]
    assert found["customer"]["id"] == person["admin_graphql_api_id"]
    assert found["totalPriceSet"]["shopMoney"] == {"amount": "49.90", "currencyCode": "EUR"}
    assert found["totalRefundedSet"]["shopMoney"]["amount"] == "9.90"
    assert found["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert found["customAttributes"] == [{"key": "an", "value": "t"}]


def test_a_discount_is_found_by_its_code_in_small_letters_too(selling: ShopWorld, token: str):
    made = create(selling, token)["codeDiscountNode"]
    found = selling.graphql(BY_CODE, {"code": "sms10"}, token=token).json()["data"]["codeDiscountNodeByCode"]
    nothing = selling.graphql(BY_CODE, {"code": "NONE"}, token=token).json()["data"]

    assert found["id"] == made["id"]
    assert found["codeDiscount"]["customerGets"]["value"]["percentage"] == 0.1
    assert (found["codeDiscount"]["status"], found["codeDiscount"]["asyncUsageCount"]) == ("ACTIVE", 0)
    assert nothing == {"codeDiscountNodeByCode": None}


def test_a_discount_that_cannot_be_is_a_user_error(selling: ShopWorld, token: str):
    create(selling, token)
    codes = [
        create(selling, token, **changes)["userErrors"][0]["code"]
        for changes in (
            {},
            {"code": "OTHER", "title": ""},
            {"code": "OTHER", "customerGets": {"value": {"percentage": 10}, "items": {"all": True}}},
            {"code": "OTHER", "context": None},
        )
    ]
    assert codes == ["TAKEN", "BLANK", "VALUE_OUTSIDE_RANGE", "BLANK"]


def test_unique_codes_are_added_by_at_most_250(selling: ShopWorld, token: str):
    gid = create(selling, token)["codeDiscountNode"]["id"]

    def add(*codes: str) -> dict[str, Any]:
        variables = {"id": gid, "codes": [{"code": code} for code in codes]}
        answer = selling.graphql(ADD, variables, token=token).json()
        return dict(answer["data"]["discountRedeemCodeBulkAdd"])

    creation = add("U-1", "U-2", "SMS10")["bulkCreation"]
    added = selling.graphql(ADDED, {"id": creation["id"]}, token=token).json()["data"]

    assert (creation["done"], creation["codesCount"]) == (False, 3)
    assert added["discountRedeemCodeBulkCreation"] == {"done": True, "importedCount": 2, "failedCount": 1}
    assert add(*[f"X-{number}" for number in range(251)])["userErrors"][0]["code"] == "INVALID"
    assert selling.do("order", email="a@example.com", discount_codes=["u-2"])["total_discounts"] == "4.99"
    assert selling.world.ask("GET", f"/shops/{selling.domain}/codes/U-2")["used"] == 1


def test_what_cannot_happen_is_refused(selling: ShopWorld, person: dict[str, Any]):
    order = selling.do("order", customer_id=person["id"])
    path = f"/sandbox/shopify/shops/{selling.domain}/do"
    statuses = [
        selling.world.call("POST", f"{path}/{action}", wish).status_code
        for action, wish in (
            ("deliver", {"order_id": order["id"]}),
            ("refund", {"order_id": order["id"], "amount": "50.00"}),
            ("order", {"discount_codes": ["NONE"]}),
            ("order", {"colour": "red"}),
            ("fulfil", {}),
            ("fly", {}),
            ("fulfil", {"order_id": 1}),
            ("consent", {"customer_id": 1, "state": "subscribed"}),
        )
    ]
    assert statuses == [400] * 6 + [404] * 2
