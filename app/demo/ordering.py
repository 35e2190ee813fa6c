"""A customer orders at Shopify, and an automation thanks: from the signed webhook to the phone."""

from __future__ import annotations

import requests

from app.demo.carrier import Text
from app.demo.cast import Cast
from app.demo.errors import DemoStopped
from app.demo.figures import DELIVERED
from app.demo.merchant import Merchant
from app.demo.shopify import Storefront
from app.demo.waiting import wait_for

CUSTOMERS = 25
SECONDS = 60
THANKS = "{{firstName}}, thank you for order {{order.name}}! {{shopName}} packs it right now."
OPENING = "Eleni, thank you for order"


def order_something(cast: Cast, merchant: Merchant, shop_name: str) -> Text:
    """Connect the shop to Shopify, switch the automation on, order; the text that came of it.

    Raises DemoStopped when it does not come.
    """
    cast.step("It connects to Shopify; a customer orders, an automation thanks")
    storefront = Storefront(cast.sandbox_url, cast.domain)
    storefront.open(shop_name, CUSTOMERS)
    _connect(cast, storefront)
    _switch_on(cast, merchant)
    phone = _somebody_new(cast)
    customer = storefront.do(
        "create-customer", phone=phone, first_name="Eleni", last_name="Vrettou", sms_state="subscribed"
    )
    order = storefront.do("order", customer_id=customer["id"])
    text = _wait_for_text(cast)
    cast.screen.fact("order", order["name"], f"{order['total_price']} {order['currency']}")
    cast.screen.aside(f"“{text.body.splitlines()[0]}”")
    return text


def _connect(cast: Cast, storefront: Storefront) -> None:
    answer = requests.post(
        f"{cast.api_url}/auth/shopify-token",
        json={"sessionToken": storefront.session_token()},
        timeout=SECONDS,
    )
    if not answer.ok:
        raise DemoStopped(f"The shop could not connect: {answer.status_code} {answer.text[:300]}")
    topics = wait_for(
        storefront.subscribed_topics,
        lambda found: any("orders" in topic and "create" in topic for topic in found),
        seconds=SECONDS,
        otherwise="The webhooks were not registered: see worker-events.log.",
    )
    cast.screen.fact("topics it is told of", len(topics))


def _switch_on(cast: Cast, merchant: Merchant) -> None:
    merchant.put("/settings", {"senderName": cast.sender})
    confirmation = next(one for one in merchant.get("/automations") if one["trigger"] == "order_placed")
    merchant.put(f"/automations/{confirmation['id']}", {"message": THANKS, "status": "active"})


def _somebody_new(cast: Cast) -> str:
    """A number that no list of this demo has."""
    return f"+3069{cast.number % 100:02}500777"


def _wait_for_text(cast: Cast) -> Text:
    def found() -> list[Text]:
        return [text for text in cast.carrier.texts(cast.sender) if text.body.startswith(OPENING)]

    texts = wait_for(
        found,
        lambda some: bool(some) and some[0].status == DELIVERED,
        seconds=SECONDS,
        otherwise="The automation's text has not arrived: see worker-events.log.",
    )
    return texts[0]
