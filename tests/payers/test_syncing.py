"""What Stripe says of who pays comes here, when W asks and when Stripe tells."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.core import clock
from app.core.uow import unit_of_work
from app.integrations.stripe.events import StripeEvent
from app.payers import jobs
from app.payers.service.customers import adopt_customer, ensure_customer
from app.payers.service.events import customer_changed, tax_id_changed
from app.shops.models import Shop
from tests import build
from tests.payers.build import ADDRESS, events, profile_of, pushed, put, shown
from tests.stripe_world import StripeWorld
from tests.vies_world import ViesWorld


def sync(client: FlaskClient, shop: Shop) -> Any:
    return client.post("/billing/profile/sync-from-stripe", headers=build.auth(shop))


def told(world: StripeWorld) -> list[str]:
    """Hand over what Stripe has told of customers; what was done."""
    handlers = {"customer.updated": customer_changed}
    return [
        handlers.get(event.type, tax_id_changed)(event)
        for event in events(world)
        if event.type == "customer.updated" or event.type.startswith("customer.tax_id.")
    ]


def test_a_shop_that_never_paid_is_told_so(stripe_world: StripeWorld, client: FlaskClient):
    answer = sync(client, build.a_shop())

    assert (answer.status_code, answer.json["code"]) == (400, "MISSING_CUSTOMER_ID")


def test_without_stripe_it_is_not_set_up(client: FlaskClient):
    shop = build.a_shop()
    with unit_of_work(shop.id):
        adopt_customer(shop.id, "cus_1")

    answer = sync(client, shop)

    assert (answer.status_code, answer.json["code"]) == (503, "STRIPE_NOT_CONFIGURED")


def test_a_customer_that_is_gone_is_not_found(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    stripe_world.client().v1.customers.delete(ensure_customer(shop.id))

    for _ in range(2):  # a failure is not debounced
        answer = sync(client, shop)
        assert (answer.status_code, answer.json["code"]) == (404, "CUSTOMER_NOT_FOUND")


def test_stripe_being_away_is_told(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    ensure_customer(shop.id)
    stripe_world.fault("http_429", count=None)

    answer = sync(client, shop)

    assert (answer.status_code, answer.json["code"]) == (502, "STRIPE_ERROR")


def test_name_address_and_number_come_from_stripe(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    customer = ensure_customer(shop.id)
    stripe = stripe_world.client()
    stripe.v1.customers.update(
        customer,
        {
            "name": "Υφάσματα",
            "email": "bills@example.com",
            "address": {"line1": "Ερμού 1", "city": "Αθήνα", "postal_code": "10563", "country": "GR"},
        },
    )
    stripe.v1.customers.tax_ids.create(customer, {"type": "eu_vat", "value": "EL123456789"})

    answer = sync(client, shop)

    found = answer.json["data"]
    assert answer.status_code == 200
    assert (found["legalName"], found["billingEmail"]) == ("Υφάσματα", "bills@example.com")
    assert found["billingAddress"]["postalCode"] == "10563"
    assert (found["vatNumber"], found["vatCountry"]) == ("EL123456789", "GR")
    assert found["taxStatus"] in {"pending", "verified"}
    assert found == shown(client, shop)
    profile = profile_of(shop)
    assert profile.version == profile.pushed_version
    assert profile.vat_check_at is not None


def test_stripe_is_looked_at_once_in_thirty_seconds(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    ensure_customer(shop.id)
    first = sync(client, shop)
    asked = len(stripe_world.requests())

    answers = [sync(client, shop) for _ in range(10)]

    assert len(stripe_world.requests()) == asked
    assert {answer.status_code for answer in answers} == {200}
    assert answers[-1].json["data"] == first.json["data"]
    headers = build.auth(shop)
    with clock.moved(timedelta(seconds=31)):
        client.post("/billing/profile/sync-from-stripe", headers=headers)
    assert len(stripe_world.requests()) > asked


def test_what_stripe_does_not_know_yet_outweighs_what_it_says(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    customer = pushed(client, shop, legalName="Old")
    put(client, shop, legalName="New")
    stripe_world.client().v1.customers.update(customer, {"name": "Elsewhere"})

    assert sync(client, shop).json["data"]["legalName"] == "New"

    jobs.push(shop.id)
    assert stripe_world.object("customer", customer)["name"] == "New"


def test_what_stripe_does_not_say_stays(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    customer = pushed(client, shop, legalName="Name", billingAddress=ADDRESS)
    stripe_world.client().v1.customers.update(customer, {"name": ""})

    assert sync(client, shop).json["data"]["legalName"] == "Name"


def test_our_own_push_comes_back_as_no_news(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    pushed(client, shop, legalName="Name", billingEmail="a@example.com", billingAddress=ADDRESS)
    version = profile_of(shop).version

    assert set(told(stripe_world)) == {"synced"}
    assert profile_of(shop).version == version


def test_stripes_word_on_a_number_counts_until_we_have_asked_ourselves(
    stripe_world: StripeWorld, vies_world: ViesWorld, client: FlaskClient
):
    shop = build.a_shop()
    vies_world.behave("member_state_unavailable")
    pushed(client, shop, vatNumber="DE123456789")
    jobs.check_vat(shop.id)
    assert profile_of(shop).vat_status == "unavailable"

    told(stripe_world)

    found = shown(client, shop)
    assert (found["taxStatus"], found["validationSource"], found["taxTreatment"]) == (
        "verified",
        "stripe",
        "eu_reverse_charge",
    )
    vies_world.reset()
    with clock.moved(timedelta(minutes=2)):
        jobs.check_vat(shop.id)
    assert (shown(client, shop)["validationSource"], bool(profile_of(shop).vat_consultation)) == (
        "vies",
        True,
    )


def test_stripe_does_not_overrule_an_answer_of_today(
    stripe_world: StripeWorld, vies_world: ViesWorld, client: FlaskClient
):
    shop = build.a_shop()
    vies_world.behave("invalid")
    pushed(client, shop, vatNumber="DE123456789")
    jobs.check_vat(shop.id)

    told(stripe_world)

    assert (profile_of(shop).vat_status, profile_of(shop).vat_source) == ("unverified", "vies")


def test_an_outage_after_stripes_word_does_not_take_it_away(
    stripe_world: StripeWorld, vies_world: ViesWorld, client: FlaskClient
):
    shop = build.a_shop()
    vies_world.behave("timeout")
    pushed(client, shop, vatNumber="DE123456789")
    told(stripe_world)

    jobs.check_vat(shop.id)

    assert (profile_of(shop).vat_status, profile_of(shop).vat_source) == ("verified", "stripe")


@pytest.mark.parametrize("digits", ["222222222", "111111111"])
def test_a_number_that_stripe_cannot_confirm_reverses_no_charge(
    stripe_world: StripeWorld, client: FlaskClient, digits: str
):
    shop = build.a_shop()
    pushed(client, shop, vatNumber=f"DE{digits}")

    told(stripe_world)

    assert shown(client, shop)["taxTreatment"] == "eu_b2c"
    assert profile_of(shop).vat_status == ("pending" if digits == "222222222" else "unverified")


def test_a_number_taken_away_at_stripe_is_taken_away_here(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    customer = pushed(client, shop, vatNumber="DE123456789")
    told(stripe_world)
    held = stripe_world.objects("tax_id")[0]["id"]

    stripe_world.client().v1.customers.tax_ids.delete(customer, held)
    told(stripe_world)

    assert (shown(client, shop)["vatNumber"], shown(client, shop)["taxStatus"]) == (None, None)


def test_a_number_that_was_replaced_here_is_not_lost_to_the_event_of_the_old_one(
    stripe_world: StripeWorld, client: FlaskClient
):
    shop = build.a_shop()
    pushed(client, shop, vatNumber="DE123456789")
    pushed(client, shop, vatNumber="DE999999999")

    told(stripe_world)

    assert shown(client, shop)["vatNumber"] == "DE999999999"


@pytest.mark.parametrize("seed", range(10))
def test_events_in_any_order_and_number_end_the_same(
    stripe_world: StripeWorld, client: FlaskClient, seed: int
):
    lot = random.Random(seed)  # noqa: S311 (a replay)
    shop = build.a_shop()
    customer = pushed(client, shop, legalName="One", vatNumber="DE123456789")
    stripe_world.client().v1.customers.update(customer, {"name": "Two"})
    stripe_world.client().v1.customers.update(customer, {"name": "Three"})
    happened = [event for event in events(stripe_world) if event.type != "customer.created"]
    happened += lot.choices(happened, k=5)
    lot.shuffle(happened)

    for event in happened:
        (customer_changed if event.type == "customer.updated" else tax_id_changed)(event)

    found = shown(client, shop)
    assert (found["legalName"], found["vatNumber"], found["taxStatus"]) == (
        "Three",
        "DE123456789",
        "verified",
    )


def test_a_customer_that_is_nobodys_is_unmatched(stripe_world: StripeWorld):
    made = stripe_world.client().v1.customers.create({"name": "Somebody"})
    event = StripeEvent("evt_1", "customer.updated", clock.now(), {"id": made.id})
    number = StripeEvent(
        "evt_2", "customer.tax_id.updated", clock.now(), {"id": "txi_1", "customer": made.id}
    )

    assert customer_changed(event) == tax_id_changed(number) == "unmatched"


def test_an_event_of_a_customer_that_is_gone_is_done_with(stripe_world: StripeWorld):
    shop = build.a_shop()
    customer = ensure_customer(shop.id)
    stripe_world.client().v1.customers.delete(customer)

    assert customer_changed(StripeEvent("evt_1", "customer.updated", clock.now(), {"id": customer})) == "gone"
