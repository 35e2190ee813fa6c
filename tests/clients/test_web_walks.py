"""W, page by page: the calls of the Next.js client in its order, over real HTTP.

Each call is held against what the page reads of the answer (tests/clients/pages.py).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from app.config import Settings
from app.shops.models import Shop
from tests.auth.sessions import session_token
from tests.clients.browser import Web
from tests.clients.scenes import (
    as_browsers_write,
    as_the_date_field_writes,
    campaign_ends,
    carrier_answers,
    customers,
    opt_out_token,
    tomorrow,
)
from tests.purchases.buying import hear
from tests.stripe_world import StripeWorld

UNTOUCHED = "__not_specified__"


def test_connect(web: Web, shop: Shop, settings: Settings) -> None:
    web.token = None
    signed_in = web.post("/auth/shopify-token", {"sessionToken": session_token(settings, shop.domain)})
    web.token, web.domain = signed_in["token"], signed_in["store"]["shopDomain"]

    verified = web.get("/auth/verify")

    assert verified["valid"] is True
    assert verified["store"] == signed_in["store"]
    assert web.post("/auth/refresh")["token"]


def test_dashboard(web: Web) -> None:
    dashboard = web.get("/dashboard")
    balance = web.get("/billing/balance")

    assert dashboard["credits"] == balance["credits"] == 1000


def test_contact_list(web: Web, shop: Shop) -> None:
    ids = customers(shop, 12)

    listed = web.get("/contacts", page=1, pageSize=10, sortBy="createdAt", sortOrder="desc")
    stats = web.get("/contacts/stats")

    assert [len(listed["items"]), listed["pagination"]["totalPages"], stats["optedIn"]] == [10, 2, 12]
    assert web.get("/contacts", page=1, pageSize=10, q="maria", smsConsent="opted_in", filter="all")["items"]
    with ThreadPoolExecutor(8) as clicks:
        answers = list(clicks.map(lambda one: web.raw("DELETE", f"/contacts/{one}").status_code, ids))
    assert answers == [200] * 12
    assert web.get("/contacts", page=1, pageSize=10)["items"] == []


def test_new_contact(web: Web) -> None:
    form = {
        "phoneE164": "+306912345678",
        "firstName": "Εύα",
        "lastName": "",
        "email": "",
        "gender": UNTOUCHED,
        "birthDate": "1990-05-15T00:00:00.000Z",
        "smsConsent": "opted_in",
        "tags": ["VIP"],
    }

    made = web.post("/contacts", form)

    assert [made["gender"], made["birthDate"], made["smsConsent"]] == [None, "1990-05-15", "opted_in"]


def test_contact_page(web: Web, shop: Shop) -> None:
    contact_id = customers(shop)[0]
    shown = web.get(f"/contacts/{contact_id}")
    form = {key: shown[key] for key in ("phoneE164", "firstName", "email", "gender", "smsConsent", "tags")}

    changed = web.put(f"/contacts/{contact_id}", {**form, "lastName": None, "birthDate": None})

    assert changed["lastName"] is None
    assert changed["smsConsentAt"] == shown["smsConsentAt"], "the consent was not touched"
    web.delete(f"/contacts/{contact_id}")


def test_contact_import(web: Web) -> None:
    rows = [
        {"phoneE164": "+306912345678", "birthDate": "1990-05-15", "gender": "?", "smsConsent": "yes"},
        {"phoneE164": "nonsense", "firstName": "Nobody", "tags": []},
    ]

    imported = web.post("/contacts/import", {"contacts": rows})

    assert [imported["created"], imported["skipped"]] == [1, 1]
    assert "nonsense" in [error["phone"] for error in imported["errors"]]


def test_segments(web: Web, shop: Shop) -> None:
    customers(shop, 3)

    shown = web.get("/audiences")

    everybody = next(one for one in shown["audiences"] if one["id"] == "all")
    assert [everybody["contactCount"], everybody["isAvailable"], shown["summary"]["total"]] == [3, True, 3]


def test_campaign_list(web: Web, shop: Shop) -> None:
    customers(shop)
    made = web.post("/campaigns", a_campaign())

    listed = web.get("/campaigns", page=1, pageSize=10, sortBy="createdAt", sortOrder="desc", search="sale")
    summary = web.get("/campaigns/stats/summary")

    assert [one["id"] for one in listed["items"]] == [made["id"]]
    assert listed["items"][0]["totals"]["recipients"] == 2
    assert summary["byStatus"]["draft"] == summary["stats"]["byStatus"]["draft"] == 1
    web.delete(f"/campaigns/{made['id']}")


def test_new_campaign_kept_as_draft(web: Web, shop: Shop) -> None:
    web.get("/audiences")
    web.get("/shopify/discounts")
    web.get("/billing/balance")

    made = web.post("/campaigns", a_campaign(discountId="", includeDiscount=False))
    shown = web.get(f"/campaigns/{made['id']}")

    assert [shown["status"], shown["audience"], shown["scheduleAt"]] == ["draft", "all", None]


def test_campaign_edited(web: Web) -> None:
    made = web.post("/campaigns", a_campaign())

    edited = web.put(f"/campaigns/{made['id']}", a_campaign(message="Later!", priority="high"))

    assert [edited["message"], edited["priority"]] == ["Later!", "high"]


def test_campaign_sent_and_watched(web: Web, shop: Shop) -> None:
    customers(shop, 2)
    made = web.post("/campaigns", a_campaign())
    preview = web.get(f"/campaigns/{made['id']}/preview")
    started = web.post(f"/campaigns/{made['id']}/enqueue", {}, Idempotency_Key="5f0c1a52-uuid")
    again = web.post(f"/campaigns/{made['id']}/enqueue", {}, Idempotency_Key="5f0c1a52-uuid")
    assert preview["canSend"] and started == again

    watched = web.get(f"/campaigns/{made['id']}/status")
    assert [watched["status"], watched["queued"]] == ["sending", 2]
    assert web.get(f"/campaigns/{made['id']}/progress")["pending"] == 2
    assert web.get("/billing/balance")["reserved"] == 0, "the allowance comes first"

    carrier_answers(shop, "ar")
    campaign_ends(shop, made["id"])
    progress = web.get(f"/campaigns/{made['id']}/progress")
    metrics = web.get(f"/campaigns/{made['id']}/metrics")
    assert [progress["pending"], progress["percentage"], progress["status"]] == [0, 100, "completed"]
    assert [metrics["total"], metrics["sent"], metrics["failed"]] == [2, 1, 1]
    assert web.get(f"/campaigns/{made['id']}/failed-recipients")["failedCount"] == 1
    assert web.post(f"/campaigns/{made['id']}/retry-failed", Idempotency_Key="another")["ok"] is True


def test_campaign_scheduled_and_cancelled(web: Web) -> None:
    moment = tomorrow().replace(second=0, microsecond=0)
    made = web.post("/campaigns", a_campaign(scheduleType="scheduled", scheduleAt=as_browsers_write(moment)))
    assert [made["status"], made["scheduleAt"]] == ["scheduled", as_browsers_write(moment)]

    moved = web.put(f"/campaigns/{made['id']}/schedule", {"scheduleAt": as_the_date_field_writes(moment)})
    cancelled = web.post(f"/campaigns/{made['id']}/cancel", {})

    assert moved["status"] == "scheduled"
    assert [cancelled["status"], cancelled["cancelledRecipients"]] == ["cancelled", 0]


def test_templates(web: Web) -> None:
    shown = web.get("/templates", page=1, pageSize=12, limit=12, offset=0, eshopType="generic", language="en")
    categories = web.get("/templates/categories")
    made = web.post("/templates/ensure-defaults?eshopType=fashion")
    used = shown["items"][0]["id"]
    web.post(f"/templates/{used}/track")

    assert set(shown["categories"]) <= set(categories)
    assert made["created"] == made["total"]
    assert web.get(f"/templates/{used}")["useCount"] == 1


def test_automations(web: Web) -> None:
    shown = web.get("/automations")
    stats = web.get("/automations/stats")
    variables = web.get("/automations/variables/order_placed")
    form = {"name": "Thanks", "trigger": "order_placed", "message": "Thank you for {{order.name}}!"}
    made = web.post("/automations", {**form, "status": "active", "triggerConditions": {}})
    paused = web.put(f"/automations/{made['id']}", {"message": form["message"], "status": "paused"})

    # The edit page finds its automation in the list.
    (found,) = [one for one in web.get("/automations") if one["id"] == made["id"]]
    assert [found[name] for name in ("name", "message", "trigger", "status")] == [
        *(form["name"], form["message"], form["trigger"]),
        "paused",
    ]
    assert [stats["total"], stats["draft"], paused["isActive"]] == [len(shown), len(shown), False]
    assert "order.name" in {variable["name"] for variable in variables["variables"]}
    web.delete(f"/automations/{made['id']}")


def test_settings(web: Web, shop: Shop) -> None:
    before = web.get("/settings")
    account = web.get("/settings/account")

    after = web.put("/settings", {"senderId": "Olives", "timezone": "Europe/Athens", "currency": "EUR"})

    assert [before["shopDomain"], account["shopDomain"]] == [shop.domain] * 2
    assert [after["senderId"], after["senderNumber"]] == ["Olives", None]


def test_billing(web: Web) -> None:
    balance = web.get("/billing/balance")

    assert [balance["credits"], balance["available"]] == [1000, 1000]
    assert balance["subscription"]["active"] is True
    assert web.get("/billing/packages", currency="EUR")["packages"]


def test_buying_credits(web: Web, stripe_world: StripeWorld) -> None:
    back = {
        "successUrl": f"{web.origin}/app/shopify/billing/success?session_id={{CHECKOUT_SESSION_ID}}"
        "&type=credit_topup",
        "cancelUrl": f"{web.origin}/app/shopify/billing/cancel",
    }
    shown = web.get("/billing/topup/calculate", credits=500, currency="EUR")
    topped = web.post("/billing/topup", {"credits": 500, "currency": "EUR", **back})
    key = {"Idempotency_Key": "billing-purchase-2c0f7e52"}
    package = {"packageId": "package_1000", "currency": "EUR", **back}
    bought = web.post("/billing/purchase", package, **key)
    again = web.post("/billing/purchase", package, **key)

    for url in (topped["checkoutUrl"], bought["sessionUrl"]):
        stripe_world.pay(url)
    hear(stripe_world)

    assert topped["priceBreakdown"] == shown
    assert [bought["idempotent"], again["idempotent"]] == [False, True]
    assert again["sessionId"] == bought["sessionId"]
    assert web.get("/billing/balance")["credits"] == 1000 + 500 + 1000


def test_unsubscribe_page(web: Web, shop: Shop) -> None:
    customers(shop, 1)
    campaign = web.post("/campaigns", a_campaign())["id"]
    web.post(f"/campaigns/{campaign}/enqueue", {})
    carrier_answers(shop, "a")
    token = opt_out_token(shop)

    asked = web.get(f"/unsubscribe/{token}")
    done = web.post(f"/unsubscribe/{token}")

    assert asked["contact"]["smsConsent"] == "opted_in"
    assert done["success"] is True
    assert web.get(f"/unsubscribe/{token}")["contact"]["smsConsent"] == "opted_out"


def a_campaign(**changes: object) -> dict[str, object]:
    """What the form of W posts for a draft."""
    form = {
        "name": "Summer Sale",
        "message": "Hi {{firstName}}, all olives -20%",
        "audience": "all",
        "scheduleType": "immediate",
        "priority": "normal",
    }
    return {**form, **changes}
