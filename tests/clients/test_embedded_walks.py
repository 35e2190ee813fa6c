"""S, page by page: the calls of the Vite client in its order, over real HTTP."""

from __future__ import annotations

from app.shops.models import Shop
from tests.clients.browser import Embedded
from tests.clients.scenes import as_browsers_write, carrier_answers, customers, opt_out_token, tomorrow
from tests.stripe_world import StripeWorld

WEEKS = {"from": "2026-01-01T00:00:00.000Z", "to": "2026-01-31T23:59:59.999Z"}


def test_route_guard(embedded: Embedded, shop: Shop) -> None:
    embedded.timeout = 3

    assert embedded.get("/whoami")["shop"]["shopDomain"] == shop.domain
    assert embedded.get("/auth/verify")["store"]["shopName"]


def test_dashboard(embedded: Embedded) -> None:
    dashboard = embedded.get("/dashboard")
    campaigns = embedded.get("/campaigns/stats/summary")
    stats = campaigns.get("stats") or campaigns

    assert embedded.get("/billing/balance")["balance"] == dashboard["credits"]
    assert stats["total"] == stats["byStatus"]["draft"] == 0


def test_contacts(embedded: Embedded) -> None:
    form: dict[str, object] = {
        "phoneE164": "+306912345678",
        "firstName": "Εύα",
        "lastName": None,
        "email": None,
        "gender": None,
        "birthDate": "1990-05-14T21:00:00.000Z",  # midnight in Athens
        "smsConsent": "opted_in",
        "tags": [],
    }
    made = embedded.post("/contacts", form)
    changed = embedded.put(f"/contacts/{made['id']}", {**form, "lastName": "Παππά"})

    assert [changed["birthDate"], changed["lastName"]] == ["1990-05-15", "Παππά"]
    assert embedded.get("/contacts?")["contacts"] == [embedded.get(f"/contacts/{made['id']}")]
    assert embedded.get("/contacts/stats")["total"] == 1
    rows = [{"phoneE164": "+306912345679", "firstName": "Άννα", "smsConsent": "opted_in"}]
    assert embedded.post("/contacts/import", {"contacts": rows})["created"] == 1
    embedded.delete(f"/contacts/{made['id']}")


def test_automations(embedded: Embedded) -> None:
    assert embedded.get("/automations/defaults")
    assert embedded.post("/automations/sync")["totalShops"] == 1
    shown = embedded.get("/automations")
    stats = embedded.get("/automations/stats")
    welcome = next(one for one in shown if one["triggerEvent"] == "welcome")
    changed = embedded.put(
        f"/automations/{welcome['id']}", {"userMessage": "Hello and welcome!", "isActive": True}
    )
    form = {"name": "Ours", "trigger": "birthday", "message": "Many happy returns!", "status": "draft"}
    made = embedded.post("/automations", form)
    embedded.delete(f"/automations/{made['id']}")

    assert [changed["userMessage"], changed["isActive"]] == ["Hello and welcome!", True]
    assert isinstance(stats["successRate"], float | int)


def test_campaign_sent(embedded: Embedded, shop: Shop) -> None:
    customers(shop, 2)
    embedded.get("/audiences")
    embedded.get("/shopify/discounts")
    made = embedded.post("/campaigns", a_campaign(scheduleType="immediate"))
    assert embedded.get(f"/campaigns/{made['id']}/preview")["canSend"] is True
    embedded.post(f"/campaigns/{made['id']}/enqueue", {})
    carrier_answers(shop, "ar")

    metrics = embedded.get(f"/campaigns/{made['id']}/metrics")
    shown = embedded.get(f"/campaigns/{made['id']}/status")["canonical"]
    progress = embedded.get(f"/campaigns/{made['id']}/progress")
    failed = embedded.get(f"/campaigns/{made['id']}/failed-recipients")
    campaign = embedded.get(f"/campaigns/{made['id']}")

    assert [metrics["sentPercentage"], metrics["deliveryRate"]] == [50, 0]
    assert [shown["totals"]["accepted"], progress["total"], campaign["sentCount"]] == [1, 2, 1]
    assert failed["recipients"][0]["phoneE164"].startswith("+30")
    assert embedded.post(f"/campaigns/{made['id']}/retry-failed")["campaignId"] == made["id"]


def test_campaign_scheduled_twice_and_cancelled(embedded: Embedded) -> None:
    moment = as_browsers_write(tomorrow())
    made = embedded.post("/campaigns", a_campaign(scheduleType="scheduled", scheduleAt=moment))
    again = embedded.put(
        f"/campaigns/{made['id']}/schedule", {"scheduleType": "scheduled", "scheduleAt": moment}
    )
    edited = embedded.put(f"/campaigns/{made['id']}", a_campaign(name="Autumn"))

    assert made["scheduleAt"] == again["scheduleAt"] == moment
    assert edited["name"] == "Autumn"
    assert embedded.post(f"/campaigns/{made['id']}/cancel", {})["status"] == "cancelled"
    assert embedded.get("/campaigns", page=1, pageSize=20, status="cancelled")["items"]
    embedded.delete(f"/campaigns/{made['id']}")


def test_templates(embedded: Embedded) -> None:
    first = embedded.get("/templates", limit=12, offset=0)["templates"]
    second = embedded.get("/templates", limit=12, offset=12)["templates"]
    embedded.get("/templates/categories")
    embedded.post(f"/templates/{first[0]['id']}/track")

    assert not {one["id"] for one in first} & {one["id"] for one in second}
    assert embedded.get(f"/templates/{first[0]['id']}")["content"] == first[0]["content"]


def test_settings(embedded: Embedded, shop: Shop) -> None:
    account = embedded.get("/settings/account")
    changed = embedded.put("/settings", {"senderId": "+306912345678"})

    assert account["account"]["shopDomain"] == embedded.get("/settings")["shopDomain"] == shop.domain
    assert [changed["senderNumber"], changed["senderName"]] == ["+306912345678", None]


def test_billing(embedded: Embedded) -> None:
    offer = embedded.get("/billing/packages")

    assert embedded.get("/billing/balance")["credits"] == 1000
    assert [f"{package['price']:.2f}" for package in offer["packages"]]


def test_buying_credits(embedded: Embedded, stripe_world: StripeWorld) -> None:
    price = embedded.get("/billing/topup/calculate", credits=500)
    topped = embedded.post("/billing/topup", {"credits": 500})
    bought = embedded.post("/billing/purchase", {"packageId": "package_1000"})

    session = stripe_world.pay(topped["checkoutUrl"])
    stripe_world.cancel(bought["sessionUrl"])

    assert f"{price['priceEurWithVat']:.2f}" == f"{topped['priceBreakdown']['priceEurWithVat']:.2f}"
    assert session["success_url"].startswith(f"{embedded.origin}/shopify/app/billing/success?session_id=")


def test_reports(embedded: Embedded, shop: Shop) -> None:
    customers(shop, 1)
    campaign = embedded.post("/campaigns", a_campaign(scheduleType="immediate"))["id"]
    embedded.post(f"/campaigns/{campaign}/enqueue", {})
    carrier_answers(shop, "a")

    overview = embedded.get("/reports/overview")
    campaigns = embedded.get("/reports/campaigns", page=1, limit=20)
    embedded.get("/reports/kpis")
    embedded.get("/reports/automations")
    embedded.get("/reports/messaging")
    embedded.get("/reports/credits")
    embedded.get("/reports/contacts")

    assert overview["overview"]["totalSmsSent"] == 1
    assert overview["campaignPerformance"]["summary"]["totalMessages"] == 1
    assert [one["campaignId"] for one in campaigns["reports"]] == [campaign]
    assert embedded.get("/reports/overview", **WEEKS)["overview"]["totalSmsSent"] == 0


def test_public_pages(embedded: Embedded, shop: Shop) -> None:
    customers(shop, 1)
    campaign = embedded.post("/campaigns", a_campaign(scheduleType="immediate"))["id"]
    embedded.post(f"/campaigns/{campaign}/enqueue", {})
    carrier_answers(shop, "a")
    token = opt_out_token(shop)
    embedded.token = None

    assert embedded.get(f"/unsubscribe/{token}")["contact"]["phoneE164"]
    assert embedded.post(f"/unsubscribe/{token}")["contact"]["smsConsent"] == "opted_out"
    question = {"name": "Εύα", "email": "eva@example.com", "message": "How much is the fish today?"}
    assert embedded.post("/public/contact", question)["submitted"] is True


def a_campaign(**changes: object) -> dict[str, object]:
    """What the form of S posts: everything it has."""
    form = {
        "name": "Spring",
        "message": "Hi {{firstName}}, all fish -20%",
        "audience": "all",
        "discountId": None,
        "priority": "normal",
    }
    return {**form, **changes}
