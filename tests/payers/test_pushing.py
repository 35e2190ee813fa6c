"""What the merchant says goes to Stripe, until it is there."""

from __future__ import annotations

import threading

from flask import Flask
from flask.testing import FlaskClient

from app.core.database import db
from app.core.redis import redis_client
from app.payers import jobs
from app.payers.service import pushing
from tests import build
from tests.payers.build import ADDRESS, let_be_due, profile_of, pushed, put
from tests.stripe_world import StripeWorld


def test_a_saved_profile_rings_and_goes_to_stripe(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, legalName="Υφάσματα Α.Ε.", billingEmail="bills@example.com", billingAddress=ADDRESS)
    assert redis_client().exists(f"doorbell:payers.push:{shop.id}")

    jobs.push(shop.id)

    profile = profile_of(shop)
    assert (profile.version, profile.pushed_version) == (1, 1)
    made = stripe_world.object("customer", str(profile.stripe_customer_id))
    assert (made["name"], made["email"]) == ("Υφάσματα Α.Ε.", "bills@example.com")
    assert (made["address"]["postal_code"], made["address"]["country"]) == ("10115", "DE")
    assert made["address"]["line2"] in (None, "")


def test_each_save_changes_one_and_the_same_customer(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    customer = pushed(client, shop, legalName="One", billingEmail="a@example.com")

    assert pushed(client, shop, legalName="Two", billingEmail="") == customer

    assert [one["name"] for one in stripe_world.objects("customer")] == ["Two"]
    assert stripe_world.object("customer", customer)["email"] is None


def test_the_save_succeeds_while_stripe_is_away_and_the_sweep_repeats_it(
    stripe_world: StripeWorld, client: FlaskClient
):
    shop = build.a_shop()
    stripe_world.fault("http_429", on="POST /v1/customers", count=None)

    assert put(client, shop, legalName="Patient")["legalName"] == "Patient"
    jobs.push(shop.id)
    assert (profile_of(shop).pushed_version, profile_of(shop).push_tries) == (0, 1)
    jobs.push(shop.id)  # not before its pause is over
    assert profile_of(shop).push_tries == 1

    stripe_world.heal()
    let_be_due(shop)
    redis_client().flushdb()
    pushing.ring_for_what_is_due()
    assert redis_client().exists(f"doorbell:payers.push:{shop.id}")
    jobs.push(shop.id)

    profile = profile_of(shop)
    assert (profile.pushed_version, profile.push_tries) == (1, 0)
    assert stripe_world.object("customer", str(profile.stripe_customer_id))["name"] == "Patient"


def test_a_change_after_a_failure_waits_for_two_minutes_at_most(
    stripe_world: StripeWorld, client: FlaskClient
):
    shop = build.a_shop()
    stripe_world.fault("http_429", on="POST /v1/customers", count=None)
    put(client, shop, legalName="One")
    for _ in range(6):
        let_be_due(shop)
        jobs.push(shop.id)
    paused_until = profile_of(shop).push_at

    put(client, shop, legalName="Two")

    assert (paused_until - profile_of(shop).push_at).total_seconds() > 1000


def test_nothing_is_asked_when_stripe_knows_everything(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    pushed(client, shop, legalName="One")
    asked = len(stripe_world.requests())

    jobs.push(shop.id)
    pushing.ring_for_what_is_due()

    assert len(stripe_world.requests()) == asked


def test_the_vat_number_at_stripe_is_the_profiles(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    pushed(client, shop, vatNumber="123456789", vatCountry="GR")
    assert [one["value"] for one in stripe_world.objects("tax_id")] == ["EL123456789"]

    pushed(client, shop, vatNumber="DE123456789")
    assert [one["value"] for one in stripe_world.objects("tax_id")] == ["DE123456789"]

    pushed(client, shop, vatNumber="")
    assert stripe_world.objects("tax_id") == []


def test_a_number_whose_form_stripe_refuses_does_not_stop_the_rest(
    stripe_world: StripeWorld, client: FlaskClient
):
    shop = build.a_shop()

    customer = pushed(client, shop, legalName="One", vatNumber="DE1", vatCountry="DE")

    assert profile_of(shop).pushed_version == 1
    assert stripe_world.object("customer", customer)["name"] == "One"
    assert stripe_world.objects("tax_id") == []


def test_two_workers_at_once_push_once(stripe_world: StripeWorld, client: FlaskClient, app: Flask):
    shop = build.a_shop()
    put(client, shop, legalName="One")
    start = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            start.wait()
            pushing.push(shop.id)
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    told = [one for one in stripe_world.requests(method="POST") if "/customers/" in str(one)]
    assert len(told) == 1


def test_what_is_said_during_a_push_is_pushed_after_it(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, legalName="One")
    turn = pushing._turn(shop.id)
    assert turn is not None

    put(client, shop, legalName="Two")
    jobs.push(shop.id)  # the first one has its turn still

    assert profile_of(shop).pushed_version == 0
    let_be_due(shop)
    jobs.push(shop.id)
    assert profile_of(shop).pushed_version == 2
    assert stripe_world.objects("customer")[0]["name"] == "Two"


def test_without_stripe_profiles_are_kept_and_nothing_is_rung(client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, legalName="One")
    redis_client().flushdb()

    jobs.push(shop.id)
    pushing.ring_for_what_is_due()

    assert profile_of(shop).push_tries == 0
    assert not redis_client().exists(f"doorbell:payers.push:{shop.id}")
