"""One Stripe customer for each shop."""

from __future__ import annotations

import threading

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.database import db
from app.core.uow import unit_of_work
from app.integrations.stripe.errors import StripeNotConfigured
from app.payers.service.customers import adopt_customer, customer_of, ensure_customer, shop_of_customer
from tests import build
from tests.payers.build import put
from tests.stripe_world import StripeWorld


def test_a_customer_is_made_once_and_is_the_shops(stripe_world: StripeWorld):
    shop = build.a_shop()

    first, second = ensure_customer(shop.id), ensure_customer(shop.id)

    assert first == second
    assert shop_of_customer(first) == shop.id
    made = stripe_world.objects("customer")
    assert [one["id"] for one in made] == [first]
    assert made[0]["metadata"] == {"shopId": str(shop.id), "storeId": str(shop.id), "type": "shop"}


def test_no_address_is_invented(stripe_world: StripeWorld):
    customer = ensure_customer(build.a_shop().id)

    made = stripe_world.object("customer", customer)
    assert (made["email"], made["name"], made["address"]) == (None, None, None)


def test_twenty_callers_at_once_end_with_one_customer(stripe_world: StripeWorld, app: Flask):
    shop = build.a_shop()
    start, found = threading.Barrier(20), []

    def call() -> None:
        with app.app_context():
            start.wait()
            found.append(ensure_customer(shop.id))
            db.session.remove()

    threads = [threading.Thread(target=call) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 20
    assert len(set(found)) == 1
    assert len(stripe_world.objects("customer")) == 1


def test_a_connection_that_broke_after_the_customer_was_made_makes_no_second(stripe_world: StripeWorld):
    shop = build.a_shop()
    stripe_world.fault("drop_after_accept", on="POST /v1/customers")

    customer = ensure_customer(shop.id)

    assert [one["id"] for one in stripe_world.objects("customer")] == [customer]


def test_an_error_that_stripe_repeats_for_a_day_does_not_keep_a_shop_from_paying(stripe_world: StripeWorld):
    shop = build.a_shop()
    stripe_world.fault("http_500_after", on="POST /v1/customers")

    assert shop_of_customer(ensure_customer(shop.id)) == shop.id


def test_without_stripe_there_is_none(app: Flask):
    with pytest.raises(StripeNotConfigured):
        ensure_customer(build.a_shop().id)


def test_a_shop_without_a_customer_adopts_the_one_that_paid(stripe_world: StripeWorld):
    shop, other = build.a_shop(), build.a_shop()

    with unit_of_work(shop.id):
        assert adopt_customer(shop.id, "cus_1")
        assert adopt_customer(shop.id, "cus_1")
        assert not adopt_customer(shop.id, "cus_2")
        assert customer_of(shop.id) == "cus_1"
    with unit_of_work(other.id):
        assert not adopt_customer(other.id, "cus_1")
        assert customer_of(other.id) is None
    assert shop_of_customer("cus_1") == shop.id
    assert shop_of_customer("cus_2") is None


def test_what_was_said_before_goes_along_afterwards(stripe_world: StripeWorld, client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, legalName="Υφάσματα")

    customer = ensure_customer(shop.id)

    assert stripe_world.object("customer", customer)["name"] is None  # the rung bell does that
