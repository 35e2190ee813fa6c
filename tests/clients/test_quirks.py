"""The checklist of client quirks (contract §23), a test for each line that concerns what is served today.

Lines that the walks already prove say which walk; lines that wait are in NOT_YET (tests/clients/not_yet.py).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from app.config import Settings
from app.payers.service.customers import ensure_customer
from app.shops.models import Shop
from tests import build, build_campaigns
from tests.auth.sessions import session_token
from tests.build_campaigns import Merchant
from tests.clients.browser import PUBLIC_PARTS, Embedded, LoggedOut, Rejected, Web
from tests.clients.conftest import signed_in
from tests.clients.scenes import (
    as_browsers_write,
    as_the_date_field_writes,
    campaign_ends,
    carrier_answers,
    customers,
    opt_out_token,
    tomorrow,
)
from tests.contracts.operations import tenant_operations
from tests.sandbox.shopify.world import shopify_world
from tests.stripe_world import StripeWorld

PHONE = "+306912345678"
SALE = {"name": "Sale", "message": "Hi {{firstName}}", "audience": "all"}


def test_01_an_untouched_gender_is_no_gender(web: Web) -> None:
    assert web.post("/contacts", {"phoneE164": PHONE, "gender": "__not_specified__"})["gender"] is None


def test_02_a_time_without_zone_is_the_shops_time(web: Web) -> None:
    web.put("/settings", {"timezone": "America/New_York"})
    campaign = web.post("/campaigns", SALE)["id"]
    naive = as_the_date_field_writes(tomorrow())

    moved = web.put(f"/campaigns/{campaign}/schedule", {"scheduleAt": naive})

    assert moved["scheduleAt"][:16] > naive, "New York is behind UTC"


def test_03_polling_reads_the_newest_state(web: Web, shop: Shop) -> None:
    customers(shop, 1)
    campaign = web.post("/campaigns", SALE)["id"]
    assert web.get("/campaigns/stats/summary")["byStatus"]["sending"] == 0

    web.post(f"/campaigns/{campaign}/enqueue", {})

    assert web.get("/campaigns/stats/summary")["byStatus"]["sending"] == 1
    assert web.get("/campaigns")["items"][0]["status"] == "sending"


def test_04_the_success_page_may_finalize_in_a_loop(web: Web, stripe_world: StripeWorld) -> None:
    web = signed_in(web, build.a_shop(plan=None))
    session = web.post("/subscriptions/subscribe", {"planType": "starter"})
    with pytest.raises(Rejected) as refused:
        web.post("/subscriptions/finalize", {"sessionId": "{CHECKOUT_SESSION_ID}"})
    assert refused.value.code == "INVALID_SESSION_ID"
    stripe_world.pay(session["checkoutUrl"])

    with ThreadPoolExecutor(8) as loop:
        body = {"sessionId": session["sessionId"], "type": "subscription"}
        answers = list(loop.map(lambda _: web.raw("POST", "/subscriptions/finalize", body).json(), range(24)))

    assert {one["data"]["finalized"] for one in answers} == {True}
    assert web.get("/billing/summary")["allowance"]["remainingThisPeriod"] == 100


def test_05_the_billing_page_may_sync_on_every_rendering(
    web: Web, shop: Shop, stripe_world: StripeWorld
) -> None:
    ensure_customer(shop.id)
    first = web.post("/billing/profile/sync-from-stripe")
    asked = len(stripe_world.requests())

    with ThreadPoolExecutor(8) as loop:
        sync = ("POST", "/billing/profile/sync-from-stripe")
        answers = list(loop.map(lambda _: web.raw(*sync).json()["data"], range(24)))

    assert answers == [first] * 24
    assert len(stripe_world.requests()) == asked


def test_06_no_number_of_the_summary_is_a_word(web: Web) -> None:
    for plan in (None, "starter", "pro"):
        web = signed_in(web, build.a_shop(plan=plan))

        summary = web.get("/billing/summary")  # holds it against the shape

        assert type(summary["credits"]["balance"]) is int


def test_08_send_is_accepted_for_a_cancelled_campaign(web: Web, shop: Shop) -> None:
    customers(shop, 1)
    moment = as_browsers_write(tomorrow())
    campaign = web.post("/campaigns", {**SALE, "scheduleType": "scheduled", "scheduleAt": moment})["id"]

    assert web.post(f"/campaigns/{campaign}/cancel", {})["status"] == "cancelled"
    assert web.post(f"/campaigns/{campaign}/enqueue", {})["status"] == "sending"


def test_08_delete_is_refused_politely_while_sending(web: Web, shop: Shop) -> None:
    customers(shop, 1)
    campaign = web.post("/campaigns", SALE)["id"]
    web.post(f"/campaigns/{campaign}/enqueue", {})

    with pytest.raises(Rejected) as refused:
        web.delete(f"/campaigns/{campaign}")

    assert [refused.value.status, refused.value.code] == [409, "INVALID_STATUS"]


def test_09_fifty_single_deletes_at_once(web: Web, shop: Shop) -> None:
    ids = customers(shop, 50)

    with ThreadPoolExecutor(16) as clicks:
        answers = list(clicks.map(lambda one: web.raw("DELETE", f"/contacts/{one}").status_code, ids))

    assert answers == [200] * 50
    assert web.get("/contacts/stats")["total"] == 0


def test_10_untouched_billing_details_are_empty_texts(web: Web) -> None:
    untouched = dict.fromkeys(("legalName", "vatNumber", "vatCountry", "billingEmail"), "")
    address = dict.fromkeys(("line1", "line2", "city", "state", "postalCode"), "")

    saved = web.put("/billing/profile", {**untouched, "billingAddress": {**address, "country": "FR"}})

    assert [saved[name] for name in ("legalName", "vatNumber", "billingEmail", "taxStatus")] == [None] * 4
    assert saved["vatCountry"] == saved["billingAddress"]["country"] == "FR"


def test_11_a_preview_without_a_subscription_is_a_success(web: Web, shop: Shop) -> None:
    customers(shop, 1)
    campaign = web.post("/campaigns", SALE)["id"]
    build_campaigns.unsubscribe(Merchant(None, shop))  # type: ignore[arg-type]

    preview = web.get(f"/campaigns/{campaign}/preview")

    assert [preview["ok"], preview["canSend"], preview["reason"]] == [False, False, "subscription_required"]
    assert preview["recipientCount"] == 1


def test_14_each_list_is_searched_by_its_own_word(web: Web) -> None:
    web.post("/campaigns", SALE)
    web.post("/contacts", {"phoneE164": PHONE, "firstName": "Εύα"})

    assert web.get("/campaigns", search="nothing")["items"] == []
    assert web.get("/contacts", q="nothing")["items"] == []
    assert web.get("/templates", search="surely no template says this")["items"] == []
    assert web.get("/campaigns", search="sale")["items"]
    assert web.get("/contacts", q="εύα")["items"]


def test_15_a_bad_token_logs_out(web: Web, embedded: Embedded) -> None:
    for client in (web, embedded):
        client.token = "no.good.token"

        with pytest.raises(LoggedOut):
            client.get("/contacts")

        assert client.token is None


def test_15_a_business_refusal_does_not_log_out(web: Web) -> None:
    campaign = web.post("/campaigns", SALE)["id"]

    with pytest.raises(Rejected) as refused:
        web.post(f"/campaigns/{campaign}/enqueue", {})

    assert [refused.value.status, refused.value.code] == [400, "NO_RECIPIENTS"]
    assert web.token is not None


def test_16_no_protected_path_looks_public() -> None:
    looks_public = [
        operation.name
        for operation in tenant_operations()
        if any(part in f"{operation.path}/" for part in PUBLIC_PARTS)
    ]

    assert looks_public == []


def test_17_discounts_without_a_connected_shop_are_an_empty_list(web: Web) -> None:
    assert web.get("/shopify/discounts")["discounts"] == []


def test_18_the_dashboards_credits_are_the_allowance_and_the_wallet(web: Web) -> None:
    summary = web.get("/billing/summary")

    shown = summary["allowance"]["remainingThisPeriod"] + summary["credits"]["balance"]
    assert shown == 100 + web.get("/billing/balance")["credits"]


def test_19_the_status_says_who_may_send(web: Web, shop: Shop) -> None:
    assert web.get("/subscriptions/status")["active"] is True

    build_campaigns.unsubscribe(Merchant(None, shop))  # type: ignore[arg-type]

    status = web.get("/subscriptions/status")
    assert [status["active"], status["status"]] == [False, "cancelled"]


def test_20_the_raw_client_finds_the_token_at_top_level(web: Web, shop: Shop, settings: Settings) -> None:
    body = {"sessionToken": session_token(settings, shop.domain)}

    answer = web.raw("POST", "/auth/shopify-token", body).json()

    assert answer["token"] == answer["data"]["token"]
    assert answer["store"]["shopDomain"] == shop.domain


@pytest.mark.parametrize("path", ["/billing/balance", "/billing/packages"])
def test_20_the_raw_client_finds_billing_at_top_level(web: Web, path: str) -> None:
    answer = web.raw("GET", path).json()

    assert answer["data"].items() <= answer.items()


def test_21_error_is_the_code_and_the_first_detail_is_shown(embedded: Embedded) -> None:
    with pytest.raises(Rejected) as refused:
        embedded.post("/contacts", {"phoneE164": "nonsense"})

    assert refused.value.code == "VALIDATION_ERROR"
    assert embedded.shown(refused.value).startswith("phoneE164: ")


def test_23_sending_twice_without_a_key_sends_once(embedded: Embedded, shop: Shop) -> None:
    customers(shop, 1)
    campaign = embedded.post("/campaigns", SALE)["id"]
    embedded.post(f"/campaigns/{campaign}/enqueue", {})

    with pytest.raises(Rejected) as refused:
        embedded.post(f"/campaigns/{campaign}/enqueue", {})

    assert [refused.value.status, refused.value.code] == [409, "ALREADY_SENDING"]


def test_25_completed_and_sent_are_one_status(embedded: Embedded, shop: Shop) -> None:
    customers(shop, 1)
    campaign = embedded.post("/campaigns", SALE)["id"]
    embedded.post(f"/campaigns/{campaign}/enqueue", {})
    carrier_answers(shop, "a")
    campaign_ends(shop, campaign)

    by_status = embedded.get("/campaigns/stats/summary")["byStatus"]

    assert by_status["sent"] == by_status["completed"] == 1
    for status in ("sent", "completed"):
        assert [one["id"] for one in embedded.get("/campaigns", status=status)["items"]] == [campaign]


def test_26_the_account_is_inside_the_account(embedded: Embedded) -> None:
    account = embedded.get("/settings/account")

    assert account["account"]["createdAt"] == account["createdAt"]


def test_27_numbers_are_numbers(embedded: Embedded) -> None:
    for package in embedded.get("/billing/packages")["packages"]:
        assert f"{package['price']:.2f}" == f"{package['amount']:.2f}"
    assert f"{embedded.get('/reports/overview')['overview']['deliveryRate']:.1f}" == "0.0"


@pytest.mark.parametrize("currency", ["EUR", "USD"])
def test_28_a_top_up_is_priced_without_a_currency(embedded: Embedded, currency: str) -> None:
    embedded.put("/settings", {"currency": currency})

    price = embedded.get("/billing/topup/calculate", credits=1000)

    assert [price["currency"], price["priceEurWithVat"]] == [currency, price["price"]]
    assert price["priceEurWithVat"] >= price["priceEur"] > 0


def test_30_every_form_of_the_phone_is_one_number(embedded: Embedded) -> None:
    assert embedded.post("/contacts", {"phoneE164": "691 234 5678"})["phone"] == PHONE
    with pytest.raises(Rejected) as refused:
        embedded.post("/contacts", {"phone": PHONE})
    assert [refused.value.status, refused.value.code] == [409, "CONFLICT"]


def test_31_posts_without_body_and_content_type_are_taken(embedded: Embedded, shop: Shop) -> None:
    customers(shop, 1)
    campaign = embedded.post("/campaigns", SALE)["id"]

    assert embedded.raw("POST", f"/campaigns/{campaign}/prepare").status_code == 200
    assert embedded.raw("POST", f"/campaigns/{campaign}/enqueue").status_code == 200
    assert embedded.raw("POST", f"/campaigns/{campaign}/retry-failed").status_code == 200


@pytest.mark.parametrize("shop_as_typed", ["new-shop", "new-shop.myshopify.com"])
def test_33_a_page_signs_in_by_leading_the_browser_to_shopify(
    app: Flask, settings: Settings, web: Web, shop_as_typed: str
) -> None:
    page = "https://app.example.com/shopify/auth/callback"  # W and S have it at the same path
    with shopify_world(api_key=settings.shopify_api_key, api_secret=settings.shopify_api_secret) as world:
        world.shop("new-shop.myshopify.com")
        app.config["SETTINGS"] = replace(
            settings,
            shopify_admin_base=world.admin_base,
            public_base_url=web.base,
            frontend_url="https://app.example.com",
        )
        try:
            leaving = web.raw("GET", "/auth/shopify", query={"shop": shop_as_typed})
            agreed = web.session.get(leaving.headers["Location"], allow_redirects=False, timeout=10)
            back = web.session.get(agreed.headers["Location"], allow_redirects=False, timeout=10)
        finally:
            app.config["SETTINGS"] = settings

    arrived = urlsplit(back.headers["Location"])
    query = parse_qs(arrived.query)
    assert f"{arrived.scheme}://{arrived.netloc}{arrived.path}" == page
    assert query["shop"] == ["new-shop.myshopify.com"]
    web.token, web.domain = query["token"][0], query["shop"][0]
    assert web.get("/auth/verify")["store"]["shopDomain"] == "new-shop.myshopify.com"


def test_34_the_unsubscribe_page_needs_no_session_and_has_no_side_effect(web: Web, shop: Shop) -> None:
    customers(shop, 1)
    campaign = web.post("/campaigns", SALE)["id"]
    web.post(f"/campaigns/{campaign}/enqueue", {})
    carrier_answers(shop, "a")
    token = opt_out_token(shop)
    web.token = None

    for _ in range(3):
        assert web.get(f"/unsubscribe/{token}")["contact"]["smsConsent"] == "opted_in"
    assert web.raw("GET", "/unsubscribe/nonsense").status_code == 400
