"""Bulk exports: fifty thousand customers as lines of JSON, and the ways in which that fails."""

import json
from itertools import pairwise
from typing import Any

import pytest
import requests

from tests.sandbox.shopify.conftest import App
from tests.sandbox.shopify.world import ShopWorld, World
from tests.sandbox.waiting import eventually

CUSTOMERS = """{ customers { edges { node {
  id firstName defaultPhoneNumber { phoneNumber marketingState } } } } }"""
WITH_ORDERS = "{ customers { edges { node { id orders { edges { node { id name } } } } } } }"
START = """
mutation StartCustomerExport($query: String!, $group: Boolean) {
  bulkOperationRunQuery(query: $query, groupObjects: $group) {
    bulkOperation { id status } userErrors { field message code } } }
"""
LOOK = """
query BulkOperation($id: ID!) { bulkOperation(id: $id) {
  id status errorCode objectCount rootObjectCount fileSize url partialDataUrl } }
"""


def start(
    shop: ShopWorld, token: str, query: str = CUSTOMERS, *, group: bool | None = None
) -> dict[str, Any]:
    answer = shop.graphql(START, {"query": query, "group": group}, token=token).json()
    return dict(answer["data"]["bulkOperationRunQuery"])


def look(shop: ShopWorld, token: str, gid: str) -> dict[str, Any]:
    return dict(shop.graphql(LOOK, {"id": gid}, token=token).json()["data"]["bulkOperation"])


def finished(shop: ShopWorld, token: str, query: str = CUSTOMERS, **wish: Any) -> dict[str, Any]:
    gid = start(shop, token, query, **wish)["bulkOperation"]["id"]
    eventually(lambda: look(shop, token, gid)["status"] not in ("CREATED", "RUNNING"), within_seconds=60)
    return look(shop, token, gid)


def lines(url: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in requests.get(url, timeout=30).content.splitlines()]


def test_fifty_thousand_customers_are_exported(world: World, app: App):
    shop = world.shop("crowd.myshopify.com", customers=50_000)
    token = shop.offline_token()
    shop.do("subscribe", topic="bulk_operations/finish", uri=f"{app.url}/x")

    done = finished(shop, token)
    found = lines(done["url"])
    world.settle()

    assert (done["status"], done["objectCount"]) == ("COMPLETED", "50000")
    assert len({line["id"] for line in found}) == 50_000
    phones = [line["defaultPhoneNumber"]["phoneNumber"] for line in found if line["defaultPhoneNumber"]]
    assert len(phones) == len(set(phones)) > 40_000
    [post] = app.got("bulk_operations/finish")
    assert post.json()["status"] == "completed"
    assert post.json()["admin_graphql_api_id"] == done["id"]


def test_slashes_are_escaped_and_a_part_of_the_file_can_be_asked_for(shop: ShopWorld, token: str):
    shop.do("create-customer", first_name="Ελένη", phone="+306911111111")
    done = finished(shop, token)
    whole = requests.get(done["url"], timeout=30).content
    rest = requests.get(done["url"], headers={"Range": "bytes=10-"}, timeout=30)

    assert whole.startswith(b'{"id":"gid:\\/\\/shopify\\/Customer\\/')
    assert (rest.status_code, rest.content) == (206, whole[10:])
    assert done["fileSize"] == str(len(whole))


@pytest.mark.parametrize("group", [None, True])
def test_children_name_their_parent_and_follow_it_only_when_grouped(
    shop: ShopWorld, token: str, group: bool | None
):
    people = [shop.do("create-customer", phone=f"+30691111111{number}") for number in range(3)]
    for person in people:
        shop.do("order", customer_id=person["id"])

    found = lines(finished(shop, token, WITH_ORDERS, group=group)["url"])

    follows = [line.get("__parentId") in (None, before["id"]) for before, line in pairwise(found)]
    assert len(found) == 6
    assert {line["__parentId"] for line in found if "__parentId" in line} == {
        person["admin_graphql_api_id"] for person in people
    }
    assert all(follows) is (group is True)


@pytest.mark.parametrize(
    "query",
    [
        "{ shop { name } }",
        "{ customers { edges { node { nme } } } }",
        "{ a: customers { edges { node { id } } } b: customers { edges { node { id } } } }",
    ],
)
def test_what_cannot_be_run_in_bulk_is_a_user_error(shop: ShopWorld, token: str, query: str):
    answer = start(shop, token, query)
    assert (answer["bulkOperation"], answer["userErrors"][0]["code"]) == (None, "INVALID")


def test_only_so_many_at_a_time(shop: ShopWorld, token: str, world: World):
    world.switch(bulk_seconds=30, bulk_concurrency=1)
    start(shop, token)
    assert start(shop, token)["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS"


def test_a_failed_export_leaves_half_of_its_lines(world: World):
    shop = world.shop("crowd.myshopify.com", customers=100)
    token = shop.offline_token()
    world.fault("bulk_failed")
    done = finished(shop, token)

    assert (done["status"], done["errorCode"], done["url"]) == ("FAILED", "INTERNAL_SERVER_ERROR", None)
    assert len(lines(done["partialDataUrl"])) == 50


def test_an_export_can_expire_or_find_nobody(shop: ShopWorld, token: str, world: World):
    assert finished(shop, token)["url"] is None
    world.fault("bulk_expired")
    assert finished(shop, token)["status"] == "EXPIRED"


def test_a_download_is_cut_or_forbidden_on_demand(world: World):
    shop = world.shop("crowd.myshopify.com", customers=5000)
    token = shop.offline_token()
    url = finished(shop, token)["url"]
    world.fault("download_cut", value=0.5)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        requests.get(url, timeout=30)
    world.fault("download_403")
    assert requests.get(url, timeout=30).status_code == 403
    assert len(lines(url)) == 5000
    world.move_clock(8 * 86400)
    assert requests.get(url, timeout=30).status_code == 403


def test_a_result_needs_its_signature_and_no_token(shop: ShopWorld, token: str, world: World):
    shop.do("create-customer", phone="+306911111111")
    url = finished(shop, token)["url"]
    assert requests.get(url.partition("?")[0], timeout=30).status_code == 403
    assert lines(url)
    assert [call["has_token"] for call in world.requests(kind="download")] == [False, False]
