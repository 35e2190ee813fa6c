"""What Shopify is told of consent that was given or withdrawn here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.contacts import consent as consents
from app.contacts import service as contacts
from app.contacts.models import Consent, ConsentSource, Contact
from app.core import clock
from app.core.redis import redis_client
from app.core.uow import unit_of_work
from app.customers import jobs
from app.customers.models import ConsentRefusal
from app.customers.service import pushing
from app.customers.service.events import consent_changed, customer_changed
from app.shops.models import Shop
from tests.build_contacts import consent_events, reload_contact
from tests.build_customers import PHONE, deliver
from tests.sandbox.shopify.world import ShopWorld, World


@pytest.fixture
def person(shop: Shop, admin: ShopWorld) -> dict[str, Any]:
    """A subscriber at Shopify, whom the shop knows."""
    made = admin.do("create-customer", phone=PHONE, sms_state="subscribed", sms_at="2026-11-20T12:00:00Z")
    deliver(shop, customer_changed, admin.customer(made["id"]), "customers/create")
    return made


def the_contact(shop: Shop) -> Contact:
    with unit_of_work(shop.id) as session:
        return session.scalars(sa.select(Contact).where(Contact.phone == PHONE)).one()


def stop(shop: Shop) -> None:
    with unit_of_work(shop.id):
        consents.withdraw_by_phone(shop.id, PHONE, source=ConsentSource.SMS_REPLY)


def opt_in(shop: Shop) -> None:
    contacts.update_contact(shop.id, the_contact(shop).id, {"consent": Consent.OPTED_IN})


def at_shopify(admin: ShopWorld, person: dict[str, Any]) -> str:
    return str(admin.customer(person["id"])["sms_marketing_consent"]["state"])


def pushes(world: World) -> list[dict[str, Any]]:
    return world.requests(operation="UpdateSmsConsent")


@pytest.fixture
def at_noon(app: object) -> Iterator[datetime]:
    """The second at which Shopify's subscriber of these tests consented."""
    noon = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
    with clock.moved(noon - clock.now()):
        yield noon


def test_a_known_consent_is_not_told_back(shop, world, admin, person):
    jobs.sweep()
    pushing.push_consent(shop.id)

    assert the_contact(shop).consent == "opted_in"
    assert pushes(world) == []


def test_a_stop_rings_and_is_told_with_its_true_time(shop, world, admin, person):
    stop(shop)
    assert redis_client().exists(f"doorbell:customers.push_consent:{shop.id}")

    with clock.moved(timedelta(minutes=5)):
        pushing.push_consent(shop.id)
        pushing.push_consent(shop.id)

    stopped_at = the_contact(shop).consent_at.replace(microsecond=0)
    told = admin.customer(person["id"])["sms_marketing_consent"]
    assert told["state"] == "unsubscribed"
    assert datetime.fromisoformat(told["consent_updated_at"]) == stopped_at
    assert len(pushes(world)) == 1


def test_our_own_word_coming_back_changes_nothing(shop, world, admin, person):
    stop(shop)
    pushing.push_consent(shop.id)
    before = len(consent_events(shop))
    told = admin.customer(person["id"])

    payload = {"customer_id": person["id"], "phone": PHONE}
    payload["sms_marketing_consent"] = told["sms_marketing_consent"]
    deliver(shop, consent_changed, payload, "customers_marketing_consent/update")
    deliver(shop, customer_changed, told)
    pushing.push_consent(shop.id)

    assert len(consent_events(shop)) == before
    assert len(pushes(world)) == 1


def test_only_the_last_of_several_changes_is_told(shop, world, admin, person):
    stop(shop)
    opt_in(shop)
    stop(shop)

    pushing.push_consent(shop.id)

    assert (at_shopify(admin, person), len(pushes(world))) == ("unsubscribed", 1)


def test_a_new_consent_given_here_is_told(shop, world, admin, person):
    stop(shop)
    pushing.push_consent(shop.id)
    world.move_clock(10)
    with clock.moved(timedelta(seconds=5)):
        opt_in(shop)
        pushing.push_consent(shop.id)

    assert at_shopify(admin, person) == "subscribed"


def test_a_lost_bell_is_repaired_by_the_sweep(shop, world, admin, person):
    stop(shop)

    assert pushing.shops_to_tell() == [shop.id]
    pushing.push_consent(shop.id)
    assert pushing.shops_to_tell() == []


def test_an_opt_out_from_before_the_customer_was_known_is_told(shop, world, admin):
    with unit_of_work(shop.id):
        consents.withdraw_by_phone(shop.id, PHONE, source=ConsentSource.SMS_REPLY)
    person = admin.do("create-customer", phone=PHONE, sms_state="subscribed", sms_at="2026-11-20T12:00:00Z")
    deliver(shop, customer_changed, admin.customer(person["id"]))

    pushing.push_consent(shop.id)

    assert (the_contact(shop).consent, at_shopify(admin, person)) == ("opted_out", "unsubscribed")


def test_a_consent_out_of_a_list_is_not_told(shop, world, admin):
    with unit_of_work(shop.id) as session:
        contact = Contact(shop_id=shop.id, phone=PHONE, region="GR", shopify_customer_id=7)
        session.add(contact)
        session.flush()
        consents.grant_by_phones(shop.id, [PHONE], source=ConsentSource.IMPORT)

    pushing.push_consent(shop.id)

    assert pushes(world) == []


def test_after_a_tie_the_opt_out_stands_on_both_sides(shop, world, admin, person, at_noon):
    stop(shop)
    pushing.push_consent(shop.id)

    assert (the_contact(shop).consent, at_shopify(admin, person)) == ("opted_out", "unsubscribed")

    for _ in range(3):
        deliver(shop, customer_changed, admin.customer(person["id"]))
        pushing.push_consent(shop.id)
    assert (the_contact(shop).consent, len(pushes(world))) == ("opted_out", 1)


def test_a_consent_at_shopify_of_the_second_of_our_stop_is_answered_with_the_opt_out(
    shop, world, admin, person
):
    stop(shop)
    pushing.push_consent(shop.id)
    second = the_contact(shop).consent_at.replace(microsecond=0)
    payload = {"customer_id": person["id"], "phone": PHONE, "sms_marketing_consent": {
        "state": "subscribed", "consent_updated_at": second.isoformat(),
    }}  # fmt: skip

    assert deliver(shop, consent_changed, payload) == "stale"
    pushing.push_consent(shop.id)

    assert (the_contact(shop).consent, at_shopify(admin, person)) == ("opted_out", "unsubscribed")
    assert len(pushes(world)) == 2


def test_a_refusal_is_noted_and_not_repeated_for_ever(shop, world, admin, person):
    stop(shop)
    world.fault("user_errors", on="UpdateSmsConsent", code="INVALID", message="Customer must have a phone")

    for _ in range(3):
        pushing.push_consent(shop.id)

    with unit_of_work(shop.id) as session:
        refusal = session.scalars(sa.select(ConsentRefusal)).one()
    assert (refusal.code, refusal.contact_id) == ("INVALID", the_contact(shop).id)
    assert len(pushes(world)) == 1
    assert pushing.shops_to_tell() == []


def test_a_later_change_is_told_in_spite_of_an_earlier_refusal(shop, world, admin, person):
    stop(shop)
    world.fault("user_errors", on="UpdateSmsConsent", code="INVALID", message="no")
    pushing.push_consent(shop.id)

    world.move_clock(10)
    with clock.moved(timedelta(seconds=5)):
        opt_in(shop)
        stop(shop)
        pushing.push_consent(shop.id)

    assert at_shopify(admin, person) == "unsubscribed"


def test_while_shopify_is_away_the_consent_waits_longer_and_longer(shop, world, admin, person):
    stop(shop)
    world.fault("http_500", count=99, on="UpdateSmsConsent")
    pushing.push_consent(shop.id)
    tried = len(pushes(world))

    pushing.push_consent(shop.id)  # not yet due
    assert (pushing.shops_to_tell(), len(pushes(world))) == ([], tried)

    world.heal()
    with clock.moved(timedelta(minutes=1)):
        assert pushing.shops_to_tell() == [shop.id]
        pushing.push_consent(shop.id)
    assert at_shopify(admin, person) == "unsubscribed"


def test_a_lost_answer_does_no_harm(shop, world, admin, person):
    stop(shop)
    world.fault("drop_after_accept", on="UpdateSmsConsent")
    pushing.push_consent(shop.id)
    with clock.moved(timedelta(minutes=1)):
        pushing.push_consent(shop.id)

    assert at_shopify(admin, person) == "unsubscribed"
    assert pushing.shops_to_tell() == []


def test_a_shop_that_is_not_connected_is_left_alone(shop):
    with unit_of_work(shop.id) as session:
        session.add(Contact(shop_id=shop.id, phone=PHONE, region="GR", shopify_customer_id=7))
    stop(shop)

    pushing.push_consent(shop.id)

    assert pushing.shops_to_tell() == []


def test_a_newer_consent_at_shopify_is_not_overruled(shop, world, admin, person):
    stop(shop)
    world.move_clock(60)
    admin.do("consent", customer_id=person["id"], state="subscribed")

    pushing.push_consent(shop.id)
    assert at_shopify(admin, person) == "subscribed"
    assert pushing.shops_to_tell() == []

    deliver(shop, customer_changed, admin.customer(person["id"]))
    assert reload_contact(shop, the_contact(shop).id).consent == "opted_in"
