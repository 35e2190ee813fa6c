"""Checkout through the real client: what is asked for, and what came of it."""

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.till import GREECE, RETURNS, kinds, line, paid, session
from tests.stripe_world import DECLINED, NO_FUNDS, SECURE, SEPA, StripeWorld

HALF_HOUR, DAY = 1800, 86_400


def test_a_session_is_open_and_has_a_page(world: StripeWorld):
    made = session(world, metadata={"shopId": "7"}, client_reference_id="topup_1")

    assert made.id.startswith("cs_test_")
    assert (made.status, made.payment_status, made.mode) == ("open", "unpaid", "payment")
    assert (made.amount_subtotal, made.amount_total, made.currency) == (5580, 5580, "eur")
    assert made.url is not None and made.url.startswith(world.url)
    assert made.expires_at - made.created == DAY
    assert (made.payment_intent, made.subscription, made.customer) == (None, None, None)
    assert made.success_url is not None and "{CHECKOUT_SESSION_ID}" in made.success_url


def test_a_paid_session_has_a_payment_and_a_charge(world: StripeWorld):
    wish = {"metadata": {"a": "1"}, "setup_future_usage": "off_session"}
    made = session(world, payment_intent_data=wish, customer_creation="always")
    world.pull()

    world.pay(made.id, email="maria@example.com")

    sessions = world.client().v1.checkout.sessions
    done = sessions.retrieve(made.id, {"expand": ["payment_intent.latest_charge", "line_items", "customer"]})
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    assert (done.payment_intent.status, done.payment_intent.metadata.to_dict()) == ("succeeded", {"a": "1"})
    charge = done.payment_intent.latest_charge
    assert (charge.amount, charge.paid, charge.amount_refunded) == (5580, True, 0)
    assert charge.metadata.to_dict() == {"a": "1"}
    assert [item.amount_total for item in done.line_items.data] == [5580]
    assert done.customer.email == "maria@example.com"
    saved = world.client().v1.payment_methods.retrieve(done.payment_intent.payment_method)
    assert (saved.customer, saved.card.last4) == (done.customer.id, "4242")
    told = kinds(world)
    assert told[-1] == "checkout.session.completed"
    assert {"customer.created", "charge.succeeded", "payment_intent.succeeded"} <= set(told)


def test_metadata_of_a_session_stays_there(world: StripeWorld):
    done = paid(world, metadata={"shopId": "7"})

    assert done.metadata.to_dict() == {}


@pytest.mark.parametrize(("card", "code"), [(DECLINED, "generic_decline"), (NO_FUNDS, "insufficient_funds")])
def test_a_declined_card_leaves_the_session_open_for_another(world: StripeWorld, card: str, code: str):
    made = session(world)
    world.pull()

    assert world.pay(made.id, card=card)["status"] == "open"

    failed = next(event for event in world.pull() if event["type"] == "payment_intent.payment_failed")
    intent = failed["data"]["object"]
    assert intent["last_payment_error"]["decline_code"] == code
    done = world.pay(made.id)
    assert (done["status"], done["payment_intent"]) == ("complete", intent["id"])


def test_3d_secure_must_be_passed(world: StripeWorld):
    refused, passed = session(world), session(world)

    assert world.pay(refused.id, card=SECURE, is_authentic=False)["status"] == "open"
    assert world.pay(passed.id, card=SECURE)["payment_status"] == "paid"


@pytest.mark.parametrize(
    ("succeeded", "status", "told"),
    [(True, "paid", "async_payment_succeeded"), (False, "unpaid", "async_payment_failed")],
)
def test_a_bank_debit_ends_later(world: StripeWorld, succeeded: bool, status: str, told: str):
    made = session(world)
    assert world.pay(made.id, card=SEPA)["payment_status"] == "unpaid"
    assert "checkout.session.completed" in kinds(world)

    world.settle(made.id, succeeded=succeeded)

    done = world.client().v1.checkout.sessions.retrieve(made.id)
    assert (done.status, done.payment_status) == ("complete", status)
    assert kinds(world)[-1] == f"checkout.session.{told}"


def test_a_bank_debit_ends_by_itself_in_days(world: StripeWorld):
    made = session(world)
    world.pay(made.id, card=SEPA)

    world.advance(days=4)

    assert world.client().v1.checkout.sessions.retrieve(made.id).payment_status == "paid"


def test_a_session_expires_by_itself_or_by_wish(world: StripeWorld):
    sessions = world.client().v1.checkout.sessions
    by_wish, by_itself = session(world), session(world)

    assert sessions.expire(by_wish.id).status == "expired"
    world.advance(seconds=DAY + 5)

    assert sessions.retrieve(by_itself.id).status == "expired"
    assert kinds(world).count("checkout.session.expired") == 2
    with pytest.raises(stripe.InvalidRequestError):
        sessions.expire(by_itself.id)
    assert not world.call("POST", "/sandbox/stripe/do/pay", {"session": by_itself.id}).ok


def test_of_two_clicks_one_pays(world: StripeWorld):
    made = session(world)

    answers = [world.call("POST", "/sandbox/stripe/do/pay", {"session": made.id}).ok for _ in range(2)]

    assert answers == [True, False]
    assert len(world.objects("charge")) == 1


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"line_items": [line(49)]}, "line_items"),
        ({"line_items": [{"price": "price_sandbox_starter_eur", "quantity": 1}]}, "mode"),
        ({"mode": "subscription"}, "mode"),
        ({"line_items": [{"price": "price_nowhere", "quantity": 1}]}, "line_items[0][price]"),
        ({"line_items": [{"price": "price_sandbox_package_1000_eur"}]}, "line_items[0][quantity]"),
        ({"line_items": [line(), line(currency="usd")]}, "line_items"),
        ({"customer": "cus_nobody"}, "customer"),
        ({"customer": "cus_nobody", "customer_email": "a@example.com"}, "customer"),
        ({"customer_email": "nobody"}, "customer_email"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"subscription_data": {"metadata": {"a": "1"}}}, "subscription_data"),
        ({"success_url": "javascript:alert(1)"}, "success_url"),
        ({"client_reference_id": "x" * 201}, "client_reference_id"),
        ({"mode": "gift"}, "mode"),
    ],
)
def test_what_does_not_fit_is_refused(world: StripeWorld, wish: dict[str, Any], param: str):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        session(world, **wish)

    assert refused.value.param == param
    assert world.objects("checkout.session") == []


@pytest.mark.parametrize(
    ("after", "is_fine"),
    [(HALF_HOUR - 120, False), (HALF_HOUR + 5, True), (DAY - 5, True), (DAY + 120, False)],
)
def test_a_session_lives_half_an_hour_to_a_day(world: StripeWorld, after: int, is_fine: bool):
    wanted = world.ask("GET", "/clock")["now"] + after

    if is_fine:
        assert session(world, expires_at=wanted).expires_at == wanted
    else:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            session(world, expires_at=wanted)
        assert refused.value.param == "expires_at"


def test_plans_and_packages_are_on_sale_from_the_start(world: StripeWorld):
    prices = world.client().v1.prices

    starter, pro = (prices.retrieve(f"price_sandbox_{plan}_eur") for plan in ("starter", "pro"))
    package = prices.retrieve("price_sandbox_package_1000_usd")

    assert (starter.unit_amount, starter.recurring.interval, starter.currency) == (4000, "month", "eur")
    assert (pro.unit_amount, pro.recurring.interval) == (24000, "year")
    assert (package.unit_amount, package.type, package.recurring) == (2999, "one_time", None)
    assert len(prices.list({"limit": 100}).data) == 12


@pytest.mark.parametrize(
    ("country", "vat_number", "tax"),
    [("GR", "", 1080), ("DE", "", 855), ("US", "", 0), ("DE", "DE123456789", 0), ("GR", "EL123456789", 1080)],
)
def test_tax_is_that_of_the_customers_country(world: StripeWorld, country: str, vat_number: str, tax: int):
    client = world.client().v1
    customer = client.customers.create({"address": {**GREECE, "country": country}})
    if vat_number:
        client.customers.tax_ids.create(customer.id, {"type": "eu_vat", "value": vat_number})
    made = session(world, customer=customer.id, automatic_tax={"enabled": True}, line_items=[line(4500)])

    done = world.pay(made.id)

    assert (done["amount_subtotal"], done["amount_total"]) == (4500, 4500 + tax)
    assert done["total_details"]["amount_tax"] == tax
    assert world.object("payment_intent", done["payment_intent"])["amount"] == 4500 + tax


def test_tax_that_is_included_adds_nothing(world: StripeWorld):
    customer = world.client().v1.customers.create({"address": GREECE})
    included = line(5580, tax_behavior="inclusive")
    made = session(world, customer=customer.id, automatic_tax={"enabled": True}, line_items=[included])

    done = world.pay(made.id)

    assert (done["amount_total"], done["total_details"]["amount_tax"]) == (5580, 1080)


def test_automatic_tax_needs_an_address(world: StripeWorld):
    customer = world.client().v1.customers.create({"name": "Maria"})

    with pytest.raises(stripe.InvalidRequestError) as refused:
        session(world, customer=customer.id, automatic_tax={"enabled": True})
    made = session(
        world,
        customer=customer.id,
        automatic_tax={"enabled": True},
        customer_update={"address": "auto"},
        line_items=[line(4500)],
    )

    assert refused.value.code == "customer_tax_location_invalid"
    assert world.pay(made.id, address=GREECE)["amount_total"] == 5580
    assert world.object("customer", customer.id)["address"]["country"] == "GR"


def test_a_vat_number_is_checked_later(world: StripeWorld):
    tax_ids = world.client().v1.customers.tax_ids
    customer = world.client().v1.customers.create({})

    made = tax_ids.create(customer.id, {"type": "eu_vat", "value": "DE 123456789"})

    assert (made.value, made.verification.status) == ("DE123456789", "pending")
    assert tax_ids.retrieve(customer.id, made.id).verification.status == "verified"
    assert kinds(world)[-2:] == ["customer.tax_id.created", "customer.tax_id.updated"]
    world.switch(vies_works=False)
    unknown = tax_ids.create(customer.id, {"type": "eu_vat", "value": "DE999999999"})
    assert tax_ids.retrieve(customer.id, unknown.id).verification.status == "unavailable"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        tax_ids.create(customer.id, {"type": "eu_vat", "value": "GR123456789"})
    assert refused.value.code == "tax_id_invalid"


def test_sessions_are_listed_by_customer_and_payment(world: StripeWorld):
    client = world.client().v1
    customer = client.customers.create({})
    mine, _ = session(world, customer=customer.id), session(world)
    done = world.pay(mine.id)

    by_customer = client.checkout.sessions.list({"customer": customer.id})
    by_payment = client.checkout.sessions.list({"payment_intent": done["payment_intent"]})

    assert [one.id for one in by_customer.data] == [one.id for one in by_payment.data] == [mine.id]
    assert [one.quantity for one in client.checkout.sessions.line_items.list(mine.id).data] == [1]


def test_an_invoice_of_one_purchase_is_paid(world: StripeWorld):
    made = session(world, invoice_creation={"enabled": True})

    done = world.pay(made.id, email="maria@example.com")

    invoice = world.client().v1.invoices.retrieve(done["invoice"], {"expand": ["payments"]})
    assert (invoice.status, invoice.total, invoice.parent) == ("paid", 5580, None)
    assert invoice.payments.data[0].payment.payment_intent == done["payment_intent"]


def test_the_same_wish_with_one_key_makes_one_session(world: StripeWorld):
    wish: Any = {"mode": "payment", "line_items": [line()], **RETURNS}
    sessions = world.client().v1.checkout.sessions

    made = {sessions.create(wish, {"idempotency_key": "purchase:9"}).id for _ in range(3)}

    assert len(made) == len(world.objects("checkout.session")) == 1
