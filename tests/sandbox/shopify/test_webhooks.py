"""What the app is told, how it is signed, and what happens when it does not listen."""

import pytest

from tests.sandbox.shopify.conftest import App
from tests.sandbox.shopify.world import ShopWorld, World


@pytest.fixture
def listening(shop: ShopWorld, app: App) -> ShopWorld:
    for topic in ("orders/create", "customers/create", "customers/update", "app/uninstalled"):
        shop.do("subscribe", topic=topic, uri=f"{app.url}/webhooks/shopify")
    return shop


def order(shop: ShopWorld) -> dict[str, object]:
    return dict(shop.do("order", email="guest@example.com"))


def test_a_webhook_carries_the_real_headers_and_is_signed_over_its_raw_body(
    listening: ShopWorld, app: App, world: World
):
    listening.do("create-customer", first_name="Ελένη", phone="+306911111111")
    world.settle()

    [post] = app.got("customers/create")
    assert post.is_signed()
    assert post.path == "/webhooks/shopify"
    assert post.headers["x-shopify-shop-domain"] == listening.domain
    assert post.headers["x-shopify-api-version"] == "2026-10"
    assert {"x-shopify-event-id", "x-shopify-triggered-at"} <= set(post.headers)
    assert post.json()["first_name"] == "Ελένη"
    assert post.json()["id"] > 2**53


def test_a_refused_webhook_comes_again_with_the_same_id_and_body(
    listening: ShopWorld, app: App, world: World
):
    app.refusals = 3
    order(listening)
    world.settle()

    posts = app.got("orders/create")
    assert len(posts) == 4
    assert len({(post.webhook_id, post.body) for post in posts}) == 1
    assert world.webhooks(topic="orders/create")[0]["statuses"] == [503, 503, 503, 200]


def test_after_eight_retries_it_is_given_up_and_the_subscription_is_deleted(
    listening: ShopWorld, app: App, world: World
):
    world.switch(retry_seconds=0.001)
    app.refusals = 1000
    order(listening)
    world.settle()

    assert len(app.got("orders/create")) == 9
    assert "orders/create" not in {one["topic"] for one in listening.shown()["subscriptions"]}


def test_deleting_can_be_switched_off(listening: ShopWorld, app: App, world: World):
    world.switch(retry_seconds=0.001, delete_failing=False)
    app.refusals = 1000
    order(listening)
    world.settle()

    assert "orders/create" in {one["topic"] for one in listening.shown()["subscriptions"]}


def test_a_slow_app_is_tried_again(listening: ShopWorld, app: App, world: World):
    world.switch(timeout_seconds=0.05, retries=1)
    with app.lock:  # nobody is answered while this is held
        order(listening)
        world.settle()
    assert world.webhooks(topic="orders/create")[0]["statuses"] == [None, None]


def test_a_duplicate_has_the_same_id(listening: ShopWorld, app: App, world: World):
    world.fault("duplicate", value=2, on="orders/create")
    order(listening)
    world.settle()

    assert len({post.webhook_id for post in app.got("orders/create")}) == 1
    assert len(app.got("orders/create")) == 3


def test_reordered_webhooks_arrive_in_another_order(listening: ShopWorld, app: App, world: World):
    world.fault("reorder", value=4)
    names = [order(listening)["name"] for _ in range(4)]
    world.settle()

    arrived = [post.json()["name"] for post in app.got("orders/create")]
    assert sorted(arrived) == sorted(names)
    assert arrived != names


def test_a_handful_that_stays_incomplete_leaves_anyway(listening: ShopWorld, app: App, world: World):
    world.fault("reorder", value=50)
    order(listening)
    world.settle()
    assert len(app.got("orders/create")) == 1


def test_a_delayed_webhook_comes_later(listening: ShopWorld, app: App, world: World):
    world.fault("delay", value=0.3)
    order(listening)
    assert app.got("orders/create") == []
    world.settle()
    assert len(app.got("orders/create")) == 1


@pytest.mark.parametrize("kind", ["wrong_signature", "truncated"])
def test_a_spoilt_webhook_does_not_verify(listening: ShopWorld, app: App, world: World, kind: str):
    world.fault(kind)
    order(listening)
    world.settle()
    assert not app.got("orders/create")[0].is_signed()


def test_an_oversized_webhook_is_well_signed_json(listening: ShopWorld, app: App, world: World):
    world.fault("oversized", value=3_000_000)
    order(listening)
    world.settle()

    [post] = app.got("orders/create")
    assert len(post.body) > 3_000_000
    assert post.is_signed()
    assert post.json()["name"] == "#1001"


def test_a_lost_webhook_never_leaves_but_the_order_is_there(listening: ShopWorld, app: App, world: World):
    world.fault("lost", on="orders/create")
    order(listening)
    world.settle()
    assert app.got("orders/create") == []
    assert len(listening.orders()) == 1


def test_a_new_secret_signs_only_after_the_lag(listening: ShopWorld, app: App, world: World):
    world.switch(signing_lag_seconds=3600)
    world.rotate_secret("n" * 40)
    order(listening)
    world.settle()
    world.switch(clock_offset_seconds=3601)
    order(listening)
    world.settle()

    early, late = app.got("orders/create")
    assert early.is_signed() and not early.is_signed("n" * 40)
    assert late.is_signed("n" * 40)


def test_an_uninstall_is_told_and_ends_the_subscriptions(listening: ShopWorld, app: App, world: World):
    listening.do("uninstall")
    order(listening)
    world.settle()

    assert [post.json()["domain"] for post in app.got("app/uninstalled")] == [listening.domain]
    assert app.got("orders/create") == []


def test_the_compliance_topics_need_no_subscription(shop: ShopWorld, app: App, world: World):
    person = shop.do("create-customer", phone="+306911111111", email="maria@example.com")
    bought = shop.do("order", customer_id=person["id"])
    shop.do("data-request", customer_id=person["id"])
    shop.do("redact", customer_id=person["id"])
    shop.do("shop-redact")
    world.settle()

    asked, redact, erase = (
        app.got(topic)[0].json() for topic in ("customers/data_request", "customers/redact", "shop/redact")
    )
    assert asked["orders_requested"] == redact["orders_to_redact"] == [bought["id"]]
    assert asked["customer"] == {
        "id": person["id"],
        "email": "maria@example.com",
        "phone": "+306911111111",
    }
    assert set(erase) == {"shop_id", "shop_domain"}
    assert shop.customer(person["id"])["phone"] is None


def test_a_storm_posts_everything_and_tells_how_long_it_took(world: World, app: App):
    shop = world.shop("storm.myshopify.com", customers=200)
    for topic in ("orders/create", "customers/update", "customers_marketing_consent/update"):
        shop.do("subscribe", topic=topic, uri=f"{app.url}/{topic}")
    app.refusals = 5

    figures = shop.storm(count=400, duplicates=0.3)

    posts = app.posts
    assert figures["posts"] == len(posts) == 405
    assert figures["statuses"] == {"200": 400, "503": 5}
    assert (figures["distinct"], figures["refused"]) == (280, 0)
    assert len({post.webhook_id for post in posts}) == 280
    assert 0 < figures["p50_ms"] <= figures["p99_ms"] <= figures["max_ms"]
    assert all(post.is_signed() for post in posts)
    assert len(shop.orders(limit=1000)) == figures["topics"]["orders/create"]


def test_the_newest_change_of_a_storm_is_what_the_shop_shows(world: World, app: App):
    shop = world.shop("storm.myshopify.com", customers=5)
    shop.do("subscribe", topic="customers/update", uri=f"{app.url}/x")

    shop.storm(count=100, duplicates=0.5, mix={"customers/update": 1.0})

    told = [post.json() for post in app.got("customers/update")]
    newest = {one["id"]: one for one in sorted(told, key=lambda one: one["updated_at"])}
    for number, one in newest.items():
        assert shop.customer(number)["last_name"] == one["last_name"]
