"""The admin pages: every shop with its people, orders and webhooks, and a button for whatever may happen."""

import threading
import time
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode
from zlib import crc32

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from app.sandbox.fault_list import BadTrouble
from app.sandbox.shopify import actions, checkouts, customers, discounts, orders, shops
from app.sandbox.shopify.clock import seconds_of
from app.sandbox.shopify.faults import Trouble
from app.sandbox.shopify.people import Population
from app.sandbox.shopify.shops import BadWish, NoSuchShop, Shop
from app.sandbox.shopify.state import shopify

page = Blueprint("shopify-page", __name__, url_prefix="/shopify")

# Own files only, as on the phone inbox; its forms come back here.
POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
CUSTOMERS, ORDERS, CARTS, DISCOUNTS, WEBHOOKS = 10, 10, 6, 8, 30
COLOURS = 12
SETTLE_SECONDS = 0.6  # so that a page shows how the webhooks of its own button went
REFUSALS = (
    BadWish,
    BadTrouble,
    customers.NoSuchCustomer,
    orders.NoSuchOrder,
    checkouts.NoSuchCheckout,
    ValueError,
)
DONE = {
    "create-customer": "The customer has signed up.",
    "consent": "The consent has changed.",
    "order": "The order is placed.",
    "checkout": "The cart was left behind.",
    "fulfil": "The parcel is on its way.",
    "deliver": "The parcel has arrived.",
    "refund": "The money goes back.",
    "cancel": "The order is called off.",
    "uninstall": "The app is uninstalled: its tokens are dead.",
    "data-request": "The customer has asked what is known.",
    "redact": "The customer has asked to be forgotten.",
    "delete-customer": "The customer is deleted.",
    "shop-redact": "The shop's data is to be erased.",
    "discount": "The discount is there.",
    "expire-tokens": "The access tokens are old now.",
}
FIND = """
SELECT * FROM customers
WHERE shop = :shop AND (
    :search = '' OR instr(lower(ifnull(first_name, '') || ' ' || ifnull(last_name, '')), :search)
    OR instr(ifnull(phone, ''), :search) OR instr(ifnull(email, ''), :search) OR id = :search
)
ORDER BY updated_at DESC, id DESC LIMIT :limit
"""


@page.get("/")
def every_shop() -> Response:
    """All shops, and a form for one more."""
    found = shops.every(shopify())
    figures = [(shop, _figures(shop)) for shop in found]
    return _shown("shopify/shops.html", shops=figures, app=shopify().app)


@page.post("/")
def open_shop() -> AnyResponse:
    """A new shop with its customers."""
    _require_own_form()
    form = request.form
    name = form.get("name", "").strip().lower().removesuffix(".myshopify.com")
    try:
        shop = shops.create(shopify(), f"{name}.myshopify.com")
        count = min(int(form.get("customers") or 0), 1_000_000)
        if count > 0:
            customers.populate(shopify(), shop, Population(count=count, seed=shop.id))
    except (BadWish, ValueError) as refusal:
        return redirect(url_for(".every_shop", trouble=str(refusal)))
    return redirect(url_for(".one_shop", shop=shop.domain))


@page.get("/<shop>")
def one_shop(shop: str) -> Response:
    """One shop."""
    found = _shop(shop)
    _let_webhooks_go()
    world, search = shopify(), request.args.get("search", "").strip()
    arguments = {"shop": shop, "search": search.lower(), "limit": CUSTOMERS}
    return _shown(
        "shopify/shop.html",
        shop=found,
        figures=_figures(found),
        install_url=f"{world.app.app_url}/auth/shopify?shop={found.domain}" if world.app.app_url else None,
        search=search,
        people=world.store.rows(FIND, arguments),
        orders=[orders.shown(world, found, one) for one in world.store.newest(shop, orders.KIND, ORDERS)],
        carts=[orders.shown(world, found, one) for one in world.store.newest(shop, checkouts.KIND, CARTS)],
        discounts=_discounts(found),
        subscriptions=world.store.changed_since(shop, "subscription"),
        webhooks=list(reversed(world.emitter.recorded(shop=shop, limit=WEBHOOKS))),
        faults=world.faults.current(),
        troubles=[str(kind) for kind in Trouble],
    )


@page.post("/<shop>/do/<action>")
def act(shop: str, action: str) -> AnyResponse:
    """A button was pressed."""
    _require_own_form()
    _shop(shop)
    try:
        actions.act(shopify(), shop, action, _wish())
    except REFUSALS as refusal:
        return _back(shop, trouble=str(refusal))
    return _back(shop, notice=DONE.get(action, "Done."))


@page.post("/<shop>/again/<webhook_id>")
def again(shop: str, webhook_id: str) -> AnyResponse:
    """Post one webhook once more."""
    _require_own_form()
    shopify().emitter.again(webhook_id)
    return _back(shop, notice="It was sent again, with the same id.")


@page.post("/<shop>/faults")
def change_faults(shop: str) -> AnyResponse:
    """Put a fault in force, or take all away."""
    _require_own_form()
    form = request.form
    if form.get("clear"):
        shopify().faults.clear()
        return _back(shop, notice="All works again.")
    wish: dict[str, Any] = {"kind": form.get("kind", ""), "shop": shop}
    try:
        wish["count"] = int(form.get("count") or 1)
        if form.get("value"):
            wish["value"] = float(form["value"])
        shopify().faults.add(wish)
    except (BadTrouble, ValueError) as refusal:
        return _back(shop, trouble=str(refusal))
    return _back(shop, notice="Trouble is waiting.")


@page.app_template_filter("clock")
def clock(text: str) -> str:
    """`19:25:53` out of an instant, in the zone that it is written in."""
    return text[11:19]


@page.app_template_filter("day_and_time")
def day_and_time(text: str) -> str:
    """`24 Nov, 19:25`."""
    moment = time.gmtime(seconds_of(text[:19] + "Z"))
    return time.strftime("%-d %b, %H:%M", moment)


@page.app_template_filter("hue")
def hue(text: object) -> int:
    """A colour of one's own, by its number in the style sheet."""
    return crc32(str(text).encode()) % COLOURS


@page.app_template_filter("answers")
def answers(statuses: list[int | None]) -> str:
    """`9 × 500`, `no answer, 200`."""
    runs = [(status, len(list(same))) for status, same in groupby(statuses)]
    words = [(str(status) if status else "no answer", times) for status, times in runs]
    return ", ".join(word if times == 1 else f"{times} × {word}" for word, times in words)


@page.app_template_filter("phone_inbox")
def phone_inbox(phone: str) -> str:
    """Where a phone's texts are."""
    return f"/#{quote(phone)}"


def _shown(template: str, **values: Any) -> Response:
    notice, trouble = request.args.get("notice"), request.args.get("trouble")
    answer = make_response(render_template(template, notice=notice, trouble=trouble, **values))
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


def _back(shop: str, **message: str) -> AnyResponse:
    search = request.form.get("search")
    query = urlencode({**message, **({"search": search} if search else {})})
    return redirect(f"{url_for('.one_shop', shop=shop)}?{query}", 303)


def _wish() -> dict[str, Any]:
    """A form as the wish of an action: empty fields are none, codes and items are lists."""
    wish: dict[str, Any] = {name: value.strip() for name, value in request.form.items() if value.strip()}
    wish.pop("search", None)
    if "discount_codes" in wish:
        wish["discount_codes"] = [code.strip() for code in wish["discount_codes"].split(",")]
    if "price" in wish:
        wish["items"] = [{"price": wish.pop("price"), "title": wish.pop("title", None)}]
    if "percent" in wish:
        wish["percentage"] = float(wish.pop("percent")) / 100
    return wish


def _let_webhooks_go() -> None:
    if not request.args.get("notice"):
        return
    deadline, pause = time.monotonic() + SETTLE_SECONDS, threading.Event()
    while shopify().emitter.outstanding() and time.monotonic() < deadline:
        pause.wait(0.02)


def _require_own_form() -> None:
    # No keys here, so at least no other site may press the buttons.
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        abort(403, "The buttons of this page work on this page only.")


def _shop(domain: str) -> Shop:
    try:
        return shops.by_domain(shopify(), domain)
    except NoSuchShop:
        abort(404, f"There is no shop {domain}.")


def _figures(shop: Shop) -> dict[str, int]:
    count = "SELECT count(*) AS times FROM customers WHERE shop = ?"
    kinds = "SELECT kind, count(*) AS times FROM documents WHERE shop = ? GROUP BY kind"
    found = {row["kind"]: row["times"] for row in shopify().store.rows(kinds, (shop.domain,))}
    return {
        "customers": shopify().store.rows(count, (shop.domain,))[0]["times"],
        "orders": found.get(orders.KIND, 0),
        "carts": found.get(checkouts.KIND, 0),
        "subscriptions": found.get("subscription", 0),
    }


def _discounts(shop: Shop) -> list[dict[str, Any]]:
    world = shopify()
    found = []
    for body in world.store.newest(shop.domain, discounts.KIND, DISCOUNTS):
        counted = world.store.rows(discounts.COUNT, (shop.domain, body["id"]))[0]
        first = world.store.row(discounts.CODES, (shop.domain, body["id"], 0, 1))
        status = discounts.status(body, world.clock.now()).lower()
        code = first["code"] if first else ""
        found.append({**body, "status": status, "code": code, **dict(counted)})
    return found
