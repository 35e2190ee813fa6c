"""Whose order it is."""

from __future__ import annotations

from typing import Any

from app.core.uow import unit_of_work
from app.customers.service.matching import contact_of
from app.shops.models import Shop
from tests.build_contacts import a_contact, consent_events, reload_contact
from tests.build_customers import OTHER_PHONE, PHONE, consent, customer


def match(
    shop: Shop,
    who: dict[str, Any] | None = None,
    phone: str | None = None,
    email: str | None = None,
    region: str | None = None,
) -> int | None:
    with unit_of_work(shop.id):
        return contact_of(shop.id, who, phone, email, region=region)


def test_nobody_is_found_by_nothing(shop):
    a_contact(shop)

    assert match(shop) is None
    assert match(shop, {"id": None, "phone": None, "email": ""}, "", " ") is None


def test_the_customer_id_comes_before_phone_and_email(shop):
    by_id = a_contact(shop, shopify_customer_id=7)
    by_phone = a_contact(shop, phone=PHONE)
    by_email = a_contact(shop, email="maria@example.com")

    assert match(shop, customer()) == by_id.id
    assert match(shop, customer(shopify_id=8)) == by_phone.id
    assert match(shop, customer(shopify_id=9, phone=OTHER_PHONE)) == by_email.id
    assert match(shop, None, PHONE, "maria@example.com") == by_phone.id
    assert match(shop, None, None, "Maria@Example.com") == by_email.id


def test_a_valid_number_makes_a_contact_once(shop):
    made = match(shop, customer(phone=None, email=None), "6912345678", "new@example.com")

    assert made is not None
    assert match(shop, customer(phone=None), "+30 691 234 5678") == made
    assert reload_contact(shop, made).phone == PHONE
    assert reload_contact(shop, made).shopify_customer_id == 7


def test_a_number_is_read_by_the_given_region(shop):
    made = match(shop, None, "(415) 555-2671", region="US")

    assert reload_contact(shop, made).phone == "+14155552671"


def test_consent_in_the_payload_counts_for_the_customers_own_number(shop):
    mine = match(shop, customer(sms_marketing_consent=consent("subscribed", 5)), OTHER_PHONE)

    contact = reload_contact(shop, mine)
    assert (contact.phone, contact.consent) == (PHONE, "opted_in")


def test_consent_does_not_count_for_the_number_of_who_gets_the_parcel(shop):
    friend = a_contact(shop, phone=OTHER_PHONE, consent="unknown")

    found = match(shop, customer(phone=None, sms_marketing_consent=consent("subscribed", 5)), OTHER_PHONE)

    assert found == friend.id
    assert reload_contact(shop, friend.id).consent == "unknown"
    assert consent_events(shop) == []


def test_gaps_are_filled_and_nothing_is_overwritten(shop):
    known = a_contact(shop, phone=PHONE, first_name="Mary")

    match(shop, customer(first_name="Maria", last_name="P."))

    contact = reload_contact(shop, known.id)
    assert (contact.first_name, contact.last_name, contact.email) == ("Mary", "P.", "maria@example.com")


def test_an_opt_out_in_an_order_counts(shop):
    known = a_contact(shop, phone=PHONE)
    payload = customer(
        sms_marketing_consent=consent("unsubscribed", 5, consent_updated_at="2098-01-01T00:00:00Z")
    )

    match(shop, payload)

    assert reload_contact(shop, known.id).consent == "opted_out"
