"""The Admin API: what it answers, refuses and charges."""

from typing import Any

import pytest

from tests.sandbox.shopify.conftest import App
from tests.sandbox.shopify.world import ShopWorld, World

SUBSCRIBE = """
mutation CreateWebhookSubscription($topic: WebhookSubscriptionTopic!, $uri: String!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: {uri: $uri, format: JSON}) {
    webhookSubscription { id topic uri } userErrors { field message } } }
"""
CONSENT = """
mutation UpdateSmsConsent($input: CustomerSmsMarketingConsentUpdateInput!) {
  customerSmsMarketingConsentUpdate(input: $input) {
    customer { id smsMarketingConsent {
      marketingState marketingOptInLevel consentUpdatedAt consentCollectedFrom } }
    userErrors { field message code } } }
"""
CHANGED = """
query CustomersChanged($query: String, $after: String, $first: Int) {
  customers(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
    nodes { id updatedAt defaultPhoneNumber { phoneNumber marketingState } }
    pageInfo { hasNextPage endCursor } } }
"""


def consent(shop: ShopWorld, token: str, gid: str, state: str, at: str | None) -> dict[str, Any]:
    wish = {"marketingState": state, "marketingOptInLevel": "SINGLE_OPT_IN", "consentUpdatedAt": at}
    variables = {"input": {"customerId": gid, "smsMarketingConsent": wish}}
    answer = shop.graphql(CONSENT, variables, token=token).json()
    return dict(answer["data"]["customerSmsMarketingConsentUpdate"])


def test_a_field_that_does_not_exist_is_an_error_of_the_query(shop: ShopWorld, token: str):
    answer = shop.graphql("query ShopDetails { shop { nme } }", token=token)
    assert answer.status_code == 200
    assert "Cannot query field 'nme'" in answer.json()["errors"][0]["message"]


def test_the_same_address_for_the_same_topic_is_taken(shop: ShopWorld, token: str):
    variables = {"topic": "ORDERS_CREATE", "uri": "https://app.example.com/hooks"}
    answers = [shop.graphql(SUBSCRIBE, variables, token=token).json() for _ in range(2)]

    first, second = (answer["data"]["webhookSubscriptionCreate"] for answer in answers)
    assert (first["userErrors"], first["webhookSubscription"]["topic"]) == ([], "ORDERS_CREATE")
    assert second["webhookSubscription"] is None
    assert second["userErrors"][0]["message"] == "Address for this topic has already been taken"


def test_what_the_scopes_do_not_allow_is_denied(shop: ShopWorld, token: str):
    shop.do("scopes", scopes="read_orders")
    answer = shop.graphql("query C { customers(first: 1) { nodes { id } } }", token=token).json()
    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"


def test_the_bucket_empties_and_fills_again(shop: ShopWorld, token: str, world: World):
    subscribe = {"topic": "ORDERS_CREATE", "uri": "https://app.example.com/hooks"}
    world.switch(bucket_points=15, restore_rate=0.0)
    taken = shop.graphql(SUBSCRIBE, subscribe, token=token)
    throttled = shop.graphql(SUBSCRIBE, subscribe, token=token)
    world.switch(bucket_points=15, restore_rate=1000.0)
    again = shop.graphql(SUBSCRIBE, subscribe, token=token)

    cost = taken.json()["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["throttleStatus"]["currentlyAvailable"]) == (10, 5)
    assert throttled.status_code == 200
    assert throttled.json()["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert throttled.json()["extensions"]["cost"]["actualQueryCost"] is None
    assert "errors" not in again.json()


def test_a_query_costs_what_came_out_not_what_was_asked(shop: ShopWorld, token: str):
    shop.do("create-customer", phone="+306911111111")
    cost = shop.graphql(CHANGED, {"first": 200, "query": ""}, token=token).json()["extensions"]["cost"]
    assert cost["actualQueryCost"] < 10 < cost["requestedQueryCost"]


def test_a_query_that_asks_for_too_much_is_refused(shop: ShopWorld, token: str):
    orders = "orders(first: 250) { nodes { lineItems(first: 250) { nodes { id } } } }"
    query = f"query C {{ customers(first: 250) {{ nodes {{ {orders} }} }} }}"
    answer = shop.graphql(query, token=token).json()
    assert answer["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"


def test_changed_customers_come_in_pages_without_gaps(world: World):
    shop = world.shop("crowd.myshopify.com", customers=700)
    token = shop.offline_token()
    found: list[str] = []
    after: str | None = None
    while True:
        variables = {"first": 250, "after": after, "query": "updated_at:>=2020-01-01T00:00:00Z"}
        page = shop.graphql(CHANGED, variables, token=token).json()["data"]["customers"]
        found += [one["id"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert len(found) == len(set(found)) == 700


def test_consent_that_the_app_writes_is_told_back_and_the_newest_stays(
    shop: ShopWorld, token: str, app: App, world: World
):
    shop.do("subscribe", topic="customers_marketing_consent/update", uri=f"{app.url}/x")
    person = shop.do("create-customer", phone="+306911111111")
    gid = person["admin_graphql_api_id"]
    new = consent(shop, token, gid, "UNSUBSCRIBED", "2026-11-20T10:00:00Z")
    old = consent(shop, token, gid, "SUBSCRIBED", "2026-11-19T10:00:00Z")
    world.settle()

    written = new["customer"]["smsMarketingConsent"]
    assert written == old["customer"]["smsMarketingConsent"]
    assert (written["marketingState"], written["consentCollectedFrom"]) == ("UNSUBSCRIBED", "OTHER")
    [post] = app.got("customers_marketing_consent/update")
    assert post.json()["sms_marketing_consent"]["state"] == "unsubscribed"


def test_consent_that_cannot_be_is_a_user_error(shop: ShopWorld, token: str):
    silent = shop.do("create-customer", email="maria@example.com")["admin_graphql_api_id"]
    reached = shop.do("create-customer", phone="+306911111111")["admin_graphql_api_id"]

    codes = [
        consent(shop, token, *wish)["userErrors"][0]["code"]
        for wish in (
            (silent, "SUBSCRIBED", None),
            ("gid://shopify/Customer/1", "SUBSCRIBED", None),
            (reached, "REDACTED", None),
            (reached, "SUBSCRIBED", "2036-01-01T00:00:00Z"),
        )
    ]
    assert codes == ["MISSING_ARGUMENT", "INVALID", "INVALID", "INVALID"]


@pytest.mark.parametrize(
    ("kind", "status"), [("http_500", 500), ("http_429", 429), ("http_401", 401), ("http_402", 402)]
)
def test_the_api_fails_on_demand_and_only_so_often(
    shop: ShopWorld, token: str, world: World, kind: str, status: int
):
    world.fault(kind, count=1, on="ShopDetails")
    other = shop.graphql("query Other { shop { id } }", token=token)
    answers = [shop.graphql("query ShopDetails { shop { id } }", token=token) for _ in range(2)]

    assert other.status_code == 200
    assert [answer.status_code for answer in answers] == [status, 200]


def test_user_errors_throttling_and_half_answers_come_on_demand(shop: ShopWorld, token: str, world: World):
    gid = shop.do("create-customer", phone="+306911111111")["admin_graphql_api_id"]
    world.fault("user_errors", on="UpdateSmsConsent", code="INTERNAL_ERROR", message="Not today")
    assert consent(shop, token, gid, "SUBSCRIBED", None)["userErrors"][0]["code"] == "INTERNAL_ERROR"
    world.fault("throttle")
    assert shop.graphql("{ shop { id } }", token=token).json()["errors"][0]["message"] == "Throttled"
    world.heal()
    world.fault("malformed_json")
    with pytest.raises(ValueError):
        shop.graphql("{ shop { id } }", token=token).json()


def test_every_call_is_recorded_without_its_token(shop: ShopWorld, token: str, world: World):
    shop.graphql("query ShopDetails { shop { id } }", token=token)
    [call] = world.requests(operation="ShopDetails")
    assert (call["shop"], call["status"]) == (shop.domain, 200)
    assert token not in str(world.requests())
