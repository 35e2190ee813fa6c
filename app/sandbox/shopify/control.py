"""`/sandbox/shopify/…`: for tests and demonstrations, as JSON. No key: loopback only."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request

from app.sandbox.fault_list import BadTrouble
from app.sandbox.shopify import actions, checkouts, customers, discounts, orders, payloads, shops
from app.sandbox.shopify.people import Population
from app.sandbox.shopify.shops import Shop
from app.sandbox.shopify.state import shopify
from app.sandbox.shopify.storm import Storm, Storms, StormWish
from app.sandbox.switches import BadSwitch

control = Blueprint("shopify-control", __name__, url_prefix="/sandbox/shopify")

NOT_FOUND = (shops.NoSuchShop, customers.NoSuchCustomer, orders.NoSuchOrder, checkouts.NoSuchCheckout)
PAGE_MAX = 5000


@control.get("/shops")
def list_shops() -> Response:
    """All shops."""
    return jsonify(shops=[_shown(shop) for shop in shops.every(shopify())])


@control.post("/shops")
def create_shop() -> tuple[Response, int]:
    """{domain, name, email, currency, timezone, country, customers, and the members of Population}."""
    wish = _wish()
    world = shopify()
    crowd = {name: wish.pop(name) for name in list(wish) if name in Population.__dataclass_fields__}
    count = int(wish.pop("customers", 0))
    shop = shops.create(world, str(wish.pop("domain", "")), **wish)
    if count and not _count(shop, "customers"):
        customers.populate(world, shop, Population(count=count, **crowd))
    return jsonify(_shown(shop)), 201


@control.get("/shops/<shop>")
def show_shop(shop: str) -> Response:
    """One shop with its figures and subscriptions."""
    found = shops.by_domain(shopify(), shop)
    subscriptions = shopify().store.changed_since(shop, "subscription")
    return jsonify(**_shown(found), subscriptions=subscriptions)


@control.get("/shops/<shop>/customers")
def list_customers(shop: str) -> Response:
    """As webhooks show them, by number: ?after= &limit= &phone=."""
    found = shops.by_domain(shopify(), shop)
    sql = "SELECT * FROM customers WHERE shop = ? AND id > ? AND (? IS NULL OR phone = ?) ORDER BY id LIMIT ?"
    after, phone = request.args.get("after", 0, type=int), request.args.get("phone")
    limit = min(request.args.get("limit", 100, type=int), PAGE_MAX)
    rows = shopify().store.rows(sql, (shop, after, phone, phone, limit))
    return jsonify(customers=[payloads.customer(row, found) for row in rows])


@control.get("/shops/<shop>/customers/<int:number>")
def show_customer(shop: str, number: int) -> Response:
    """As webhooks would show the customer now."""
    return jsonify(customers.shown(shopify(), shop, number))


@control.get("/shops/<shop>/orders")
def list_orders(shop: str) -> Response:
    """By number: ?after= &limit=."""
    return _documents(shop, orders.KIND)


@control.get("/shops/<shop>/checkouts")
def list_checkouts(shop: str) -> Response:
    """By number: ?after= &limit=."""
    return _documents(shop, checkouts.KIND)


@control.get("/shops/<shop>/codes/<code>")
def show_code(shop: str, code: str) -> Response:
    """How often a discount code was used, and of which discount it is."""
    row = discounts.find(shopify(), shops.by_domain(shopify(), shop), code)
    if row is None:
        abort(404, "There is no such code.")
    return jsonify({name: row[name] for name in ("code", "discount_id", "id", "used")})


@control.post("/shops/<shop>/do/<action>")
def act(shop: str, action: str) -> tuple[Response, int]:
    """Make something happen: the names are those of `actions.ACTIONS`."""
    return jsonify(actions.act(shopify(), shop, action, _wish())), 200


@control.post("/shops/<shop>/storm")
def begin_storm(shop: str) -> tuple[Response, int]:
    """{count, duplicates, seed, threads, mix}: answers when the events are made, while the posts begin."""
    storm = Storm(shopify(), shops.by_domain(shopify(), shop), StormWish.read(_wish()))
    return jsonify(id=_storms().begin(storm), **storm.figures()), 202


@control.get("/storms/<int:number>")
def show_storm(number: int) -> Response:
    """The figures so far; `done` at the end."""
    storm = _storms().of(number)
    if storm is None:
        abort(404, "There was no such storm.")
    return jsonify(storm.figures())


@control.get("/webhooks")
def list_webhooks() -> Response:
    """The last deliveries with their answers, oldest first: ?shop= &topic= &limit=."""
    found = shopify().emitter.recorded(
        shop=request.args.get("shop"),
        topic=request.args.get("topic"),
        limit=request.args.get("limit", 500, type=int),
    )
    return jsonify(webhooks=found, outstanding=shopify().emitter.outstanding())


@control.post("/webhooks/<webhook_id>/again")
def post_again(webhook_id: str) -> tuple[str, int]:
    """Post one of them once more, with the same id."""
    if not shopify().emitter.again(webhook_id):
        abort(404, "It is not among the last ones.")
    return "", 202


@control.get("/requests")
def list_requests() -> Response:
    """What the app asked lately, oldest first: ?shop= &operation= &kind=graphql|token|download."""
    wanted = {name: request.args.get(name) for name in ("shop", "operation", "kind")}
    return jsonify(requests=shopify().recorder.calls(**wanted))


@control.delete("/requests")
def forget_requests() -> tuple[str, int]:
    """Begin the record anew."""
    shopify().recorder.clear()
    return "", 204


@control.get("/faults")
def list_faults() -> Response:
    """The faults in force."""
    return jsonify(faults=shopify().faults.current())


@control.post("/faults")
def add_fault() -> tuple[Response, int]:
    """{kind, count, shop, on, value, code, message, probability}; `on` is an operation name or a topic."""
    return jsonify(asdict(shopify().faults.add(_wish()))), 201


@control.delete("/faults")
def clear_faults() -> tuple[str, int]:
    """Let everything work again."""
    shopify().faults.clear()
    return "", 204


@control.get("/switches")
def show_switches() -> Response:
    """How Shopify behaves now."""
    return jsonify(**asdict(shopify().switches.now), clock_offset_seconds=shopify().clock.offset_seconds)


@control.put("/switches")
def change_switches() -> Response:
    """Set some of them; `clock_offset_seconds` moves Shopify's time."""
    wish = _wish()
    if "clock_offset_seconds" in wish:
        shopify().clock.offset_seconds = float(str(wish.pop("clock_offset_seconds")))
    shopify().switches.change(wish)
    shopify().buckets.clear()
    return show_switches()


@control.put("/app")
def register_app() -> Response:
    """{api_key, api_secret, app_url, scopes}: the app as its developer registers it."""
    wish = _wish()
    app = shopify().app
    app.api_key = str(wish.get("api_key", app.api_key))
    app.app_url = str(wish.get("app_url", app.app_url)).rstrip("/")
    app.scopes = str(wish.get("scopes", app.scopes))
    if "api_secret" in wish:
        app.secrets = [one.strip() for one in str(wish["api_secret"]).split(",") if one.strip()]
    return jsonify(api_key=app.api_key, app_url=app.app_url, scopes=app.scopes)


@control.post("/rotate-secret")
def rotate_secret() -> tuple[str, int]:
    """{secret}: it signs from now on, or after `signing_lag_seconds`; the one before stays good."""
    secret = str(_wish().get("secret", ""))
    if not secret:
        abort(400, "secret is needed.")
    shopify().app.rotate(secret, shopify().clock.precisely())
    return "", 204


@control.post("/reset")
def reset() -> tuple[str, int]:
    """Forget shops, tokens, webhooks, faults and switches."""
    shopify().forget_everything()
    return "", 204


def _refuse(error: Exception) -> tuple[Response, int]:
    return jsonify(message=str(error)), 404 if isinstance(error, NOT_FOUND) else 400


for _kind in (*NOT_FOUND, shops.BadWish, BadTrouble, BadSwitch):
    control.register_error_handler(_kind, _refuse)


def _wish() -> dict[str, Any]:
    wish = request.get_json(silent=True) if request.data else {}
    if not isinstance(wish, dict):
        abort(400, "An object is needed.")
    return wish


def _documents(shop: str, kind: str) -> Response:
    found = shops.by_domain(shopify(), shop)
    limit = min(request.args.get("limit", 100, type=int), PAGE_MAX)
    after = request.args.get("after", 0, type=int)
    bodies = shopify().store.changed_since(found.domain, kind, after=after, limit=limit)
    return jsonify({f"{kind}s": [orders.shown(shopify(), found, body) for body in bodies]})


def _shown(shop: Shop) -> dict[str, Any]:
    return {
        **asdict(shop),
        "install_url": f"{shopify().app.app_url}/auth/shopify?shop={shop.domain}",
        "customers": _count(shop, "customers"),
    }


def _count(shop: Shop, table: str) -> int:
    row = shopify().store.rows(f"SELECT count(*) AS times FROM {table} WHERE shop = ?", (shop.domain,))[0]  # noqa: S608
    return int(row["times"])


def _storms() -> Storms:
    found: Storms = current_app.extensions.setdefault("sandbox.storms", Storms())
    return found
