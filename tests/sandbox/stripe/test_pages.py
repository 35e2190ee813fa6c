"""Checkout, portal, invoices and the account's page, as a person at a browser meets them."""

import re
import threading
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import requests

from app.sandbox import SandboxConfig, create_sandbox
from app.sandbox.stripe import customers
from tests.sandbox.stripe.conftest import App
from tests.sandbox.stripe.test_control import SHOP, a_checkout, a_subscription
from tests.stripe_world import CARD, DECLINED, FAILS_LATER, NO_FUNDS, SECURE, SEPA, StripeWorld

PAYER = {"email": "maria@example.com"}


def look(world: StripeWorld, url: str) -> str:
    answer = world.session.get(url, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.text


def press(world: StripeWorld, url: str, **form: str) -> requests.Response:
    """The answer to a button, not yet followed."""
    return world.session.post(url, data=form, timeout=30, allow_redirects=False)


def after(world: StripeWorld, answer: requests.Response) -> str:
    """The page that a button leads to."""
    assert answer.status_code == 303, answer.text
    return look(world, world.url + answer.headers["Location"])


def payments(world: StripeWorld) -> int:
    return len(world.objects("payment_intent", status="succeeded"))


def test_checkout_shows_what_is_bought_and_a_card_for_every_ending(world: StripeWorld):
    page = look(world, a_checkout(world).url)
    assert page.count("€55.80") >= 3
    assert "1,000 SMS credits" in page
    assert all(f'value="{card}"' in page for card in (CARD, DECLINED, NO_FUNDS, SECURE, SEPA))


def test_paying_leads_back_to_the_shop_with_the_sessions_id(world: StripeWorld):
    session = a_checkout(world)
    answer = press(world, session.url, card=CARD, **PAYER)
    assert answer.headers["Location"] == f"{SHOP}/success?session_id={session.id}"
    assert world.object("checkout.session", session.id)["customer_details"]["email"] == PAYER["email"]


def test_a_double_click_pays_once(world: StripeWorld):
    session = a_checkout(world)
    answers: list[requests.Response] = []

    def click() -> None:
        answers.append(
            requests.post(session.url, data={"card": CARD} | PAYER, timeout=30, allow_redirects=False)
        )

    clicks = [threading.Thread(target=click) for _ in range(8)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()

    assert {answer.headers["Location"] for answer in answers} == {f"{SHOP}/success?session_id={session.id}"}
    assert payments(world) == 1


@pytest.mark.parametrize(
    ("card", "reason"), [(DECLINED, "was declined"), (NO_FUNDS, "insufficient funds"), ("1234", "test cards")]
)
def test_a_refused_card_is_told_and_another_may_be_tried(world: StripeWorld, card: str, reason: str):
    session = a_checkout(world)
    page = after(world, press(world, session.url, card=card, **PAYER))
    assert reason in page
    assert PAYER["email"] in page
    assert press(world, session.url, card=CARD, **PAYER).headers["Location"].startswith(SHOP)


@pytest.mark.parametrize(("answer", "paid"), [("accept", 1), ("refuse", 0)])
def test_the_bank_asks_on_a_page_of_its_own(world: StripeWorld, answer: str, paid: int):
    session = a_checkout(world)
    asked = press(world, session.url, card=SECURE, **PAYER)
    assert "Is it you who pays €55.80?" in after(world, asked)

    done = press(world, f"{session.url}/confirm", card=SECURE, answer=answer)

    assert (payments(world), done.headers["Location"].startswith(SHOP)) == (paid, bool(paid))
    details = world.object("checkout.session", session.id)["customer_details"]
    assert details["email"] == PAYER["email"]


def test_a_subscription_can_ask_for_three_d_secure_too(world: StripeWorld):
    session = subscribing(world)
    asked = press(world, session.url, card=SECURE, **PAYER)
    assert "Is it you" in after(world, asked)
    press(world, f"{session.url}/confirm", card=SECURE, answer="accept")
    assert world.objects("subscription")[0]["status"] == "active"


def test_a_delayed_payment_leads_back_before_the_money_is_there(world: StripeWorld):
    session = a_checkout(world)
    assert press(world, session.url, card=SEPA, **PAYER).headers["Location"].startswith(SHOP)
    assert world.object("checkout.session", session.id)["payment_status"] == "unpaid"


def test_leaving_leads_to_the_shop_and_the_session_stays_open(world: StripeWorld):
    session = a_checkout(world)
    assert press(world, f"{session.url}/leave").headers["Location"] == f"{SHOP}/cancel"
    assert world.object("checkout.session", session.id)["status"] == "open"


def test_a_session_that_is_over_cannot_be_paid(world: StripeWorld):
    session = a_checkout(world)
    world.expire(session.url)
    assert "This checkout is over" in look(world, session.url)
    assert "This checkout is over" in press(world, session.url, card=CARD).text
    assert payments(world) == 0


def test_address_and_vat_number_are_asked_for_when_the_shop_wants_them(world: StripeWorld):
    plain, wanting = look(world, a_checkout(world).url), look(world, taxed(world).url)
    assert 'name="tax_id"' not in plain and 'name="country"' not in plain
    assert 'name="tax_id"' in wanting and 'name="country"' in wanting


def test_the_vat_is_that_of_the_country(world: StripeWorld):
    session = taxed(world)
    assert "VAT: by country" in look(world, session.url)
    page = look(world, f"{session.url}?country=DE")
    assert "VAT 19 %" in page and "€53.55" in page

    form = {"line1": "Unter den Linden 1", "city": "Berlin", "country": "DE", "card": CARD}
    press(world, session.url, **form, **PAYER)

    paid = world.object("checkout.session", session.id)
    assert (paid["amount_subtotal"], paid["amount_total"]) == (4500, 5355)


def test_a_vat_number_of_a_bad_form_is_refused_and_what_was_typed_stays(world: StripeWorld):
    session = taxed(world)
    page = after(world, press(world, session.url, country="DE", tax_id="nonsense", card=CARD, **PAYER))
    assert "Invalid value for eu_vat" in page
    assert 'value="nonsense"' in page
    assert re.search(r'value="DE" selected', page)


def test_a_form_may_end_at_the_shop_only(world: StripeWorld):
    policy = world.session.get(a_checkout(world).url, timeout=30).headers["Content-Security-Policy"]
    assert f"form-action 'self' {SHOP}" in policy
    assert "default-src 'self'" in policy


def test_another_site_cannot_press_the_buttons(world: StripeWorld):
    foreign = {"Sec-Fetch-Site": "cross-site"}
    for url in (a_checkout(world).url, f"{world.url}/stripe/do/advance"):
        answer = world.session.post(url, headers=foreign, data={"card": CARD}, timeout=30)
        assert answer.status_code == 403


def test_names_cannot_become_markup(world: StripeWorld):
    name = "<script>alert(1)</script>"
    sold = {"currency": "eur", "unit_amount": 5580, "product_data": {"name": name}}
    session = a_checkout(world, line_items=[{"price_data": sold, "quantity": 1}])
    assert name not in look(world, session.url)


def test_the_portal_shows_the_plan_and_leads_back(world: StripeWorld):
    page = look(world, portal(world, a_subscription(world)))
    assert all(text in page for text in ("Astronote Starter", "€40.00", "Renews on", "Visa ···· 4242"))
    assert f'href="{SHOP}/billing"' in page
    assert "paid" in page


def test_a_plan_is_cancelled_and_kept_in_the_portal(world: StripeWorld):
    subscription = a_subscription(world)
    url = portal(world, subscription)

    page = after(world, press(world, f"{url}/cancel", subscription=subscription["id"]))
    assert "Ends on" in page and "Keep the plan" in page
    assert world.object("subscription", subscription["id"])["cancel_at_period_end"]

    assert "Renews on" in after(world, press(world, f"{url}/resume", subscription=subscription["id"]))
    assert not world.object("subscription", subscription["id"])["cancel_at_period_end"]


def test_the_card_is_changed_in_the_portal(world: StripeWorld):
    subscription = a_subscription(world)
    url = portal(world, subscription)
    assert "Visa ···· 0341" in after(world, press(world, f"{url}/method", card=FAILS_LATER))
    world.advance(months=1, days=1)
    assert world.object("subscription", subscription["id"])["status"] == "past_due"


def test_the_portal_changes_its_own_customers_subscriptions_only(world: StripeWorld):
    mine, other = a_subscription(world), a_subscription(world)
    page = after(world, press(world, f"{portal(world, mine)}/cancel", subscription=other["id"]))
    assert "somebody else" in page
    assert not world.object("subscription", other["id"])["cancel_at_period_end"]


def test_an_invoice_has_a_page_and_can_be_paid_there(world: StripeWorld):
    subscription = a_subscription(world, card=FAILS_LATER)
    world.advance(months=1, days=1)
    invoice = world.objects("invoice", status="open")[0]
    world.mend_renewals(subscription["id"])

    assert "Pay €40.00" in look(world, invoice_url(world, invoice["id"]))
    assert "paid" in after(world, press(world, invoice_url(world, invoice["id"])))
    assert world.object("subscription", subscription["id"])["status"] == "active"


def test_the_account_shows_everything_and_its_buttons_work(told: StripeWorld, app: App):
    told.pay(a_checkout(told).url)
    told.pay(a_checkout(told).url, card=SEPA)
    a_subscription(told)
    told.all_told()
    url = f"{told.url}/stripe/"

    page = look(told, url)
    assert all(text in page for text in ("€55.80", "Astronote Starter", "owner@example.com", "taken"))
    assert "checkout.session.completed" in page

    delayed = told.objects("payment_intent", status="processing")[0]
    number = told.objects("payment_intent", status="succeeded")[-1]["id"]
    for button, form, notice in (
        ("refund", {"payment_intent": number, "amount": "2790"}, "The money goes back."),
        ("settle", {"payment_intent": delayed["id"], "succeeded": "1"}, "The bank has told"),
        ("advance", {"months": "1"}, "Time has passed."),
        ("roll-secret", {}, "Both secrets sign now."),
        ("end-roll", {}, "Only the newest signs now."),
        ("again", {"event": app.posts[0].json()["id"]}, "It was sent again"),
        ("trouble", {"kind": "duplicate", "on": "invoice.*"}, "Trouble is waiting."),
        ("trouble", {"clear": "1"}, "All works again."),
    ):
        answer = press(told, f"{url}do/{button}", **form)
        assert notice in after(told, answer), unquote(answer.headers["Location"])


def test_a_refusal_is_shown_on_the_accounts_page(world: StripeWorld):
    answer = press(world, f"{world.url}/stripe/do/refund", payment_intent="pi_none")
    assert "No such payment intent" in after(world, answer)


def test_the_account_leads_into_a_customers_portal(world: StripeWorld):
    subscription = a_subscription(world)
    answer = press(world, f"{world.url}/stripe/do/portal", customer=subscription["customer"])
    assert "Astronote Starter" in look(world, answer.headers["Location"])


def test_what_was_bought_and_told_survives_a_restart(tmp_path: Path):
    config = SandboxConfig(store=str(tmp_path / "sandbox.db"))
    for _ in range(2):
        sandbox = create_sandbox(config)
        page = sandbox.test_client().get("/stripe/").text
        customers.create(sandbox.extensions["sandbox"].stripe, {"name": "Aegean Soap"})
        sandbox.extensions["sandbox"].close()
    assert "Aegean Soap" in page
    assert "customer.created" in page


def test_phone_inbox_shopify_and_stripe_lead_to_each_other(world: StripeWorld):
    for page in ("/", "/shopify/"):
        assert 'href="/stripe/"' in look(world, world.url + page)
    stripe = look(world, f"{world.url}/stripe/")
    assert 'href="/"' in stripe and 'href="/shopify/"' in stripe


def subscribing(world: StripeWorld) -> Any:
    return world.client().v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": "price_sandbox_starter_eur", "quantity": 1}],
            "success_url": f"{SHOP}/success",
        }
    )


def taxed(world: StripeWorld) -> Any:
    """A checkout where Stripe adds the VAT."""
    sold = {
        "currency": "eur",
        "unit_amount": 4500,
        "tax_behavior": "exclusive",
        "product_data": {"name": "1,000 SMS credits"},
    }
    wishes = {"automatic_tax": {"enabled": True}, "tax_id_collection": {"enabled": True}}
    lines = [{"price_data": sold, "quantity": 1}]
    return a_checkout(world, line_items=lines, customer_creation="always", **wishes)


def portal(world: StripeWorld, subscription: dict[str, Any]) -> str:
    wish = {"customer": subscription["customer"], "return_url": f"{SHOP}/billing"}
    return str(world.client().v1.billing_portal.sessions.create(wish).url)


def invoice_url(world: StripeWorld, number: str) -> str:
    return f"{world.url}/stripe/invoice/{number}"
