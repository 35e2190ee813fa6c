"""What customer webhooks do to contacts."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.contacts import consent as consents
from app.contacts.models import ConsentSource, Contact
from app.core.uow import unit_of_work
from app.customers.service.events import (
    consent_changed,
    customer_changed,
    customer_deleted,
    customers_merged,
)
from app.shops.models import Shop
from tests import build
from tests.build_contacts import a_contact, a_suppression, consent_events, reload_contact, suppressed_phones
from tests.build_customers import (
    NOON,
    OTHER_PHONE,
    PHONE,
    at,
    consent,
    consent_payload,
    customer,
    deliver,
)


def the_contact(shop: Shop, phone: str = PHONE) -> Contact:
    with unit_of_work(shop.id) as session:
        return session.scalars(sa.select(Contact).where(Contact.phone == phone)).one()


def how_many(shop: Shop) -> int:
    with unit_of_work(shop.id) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Contact)) or 0


def story(shop: Shop) -> list[tuple[str, str, str]]:
    return [(event.phone, event.action, event.source) for event in consent_events(shop)]


def changed(shop: Shop, **columns: Any) -> str:
    return deliver(shop, customer_changed, customer(**columns))


def test_a_new_customer_becomes_a_contact(shop):
    assert changed(shop, phone="691 234 5678") == "applied"

    contact = the_contact(shop)
    assert (contact.first_name, contact.email, contact.tags) == (
        "Maria",
        "maria@example.com",
        ["VIP", "summer"],
    )
    assert (contact.shopify_customer_id, contact.consent, story(shop)) == (7, "unknown", [])


def test_a_customer_without_a_phone_becomes_none(shop):
    assert changed(shop, phone=None) == "no_phone"
    assert how_many(shop) == 0


def test_a_number_is_read_by_the_country_of_the_address(shop):
    changed(shop, phone="(415) 555-2671", default_address={"country_code": "US"})

    assert the_contact(shop, "+14155552671").region == "US"


def test_consent_comes_with_its_evidence_and_its_own_time(shop):
    changed(shop, sms_marketing_consent=consent("subscribed", 5))

    (event,) = consent_events(shop)
    contact = the_contact(shop)
    assert (event.action, event.source, event.at.isoformat()) == ("grant", "shopify", at(5))
    assert event.evidence["opt_in_level"] == "single_opt_in"
    assert event.evidence["topic"] == "customers/update"
    assert (contact.consent, contact.consent_at, contact.consent_source) == ("opted_in", event.at, "shopify")


def test_consent_without_a_date_proves_nothing_but_an_opt_out_counts(shop):
    changed(shop, sms_marketing_consent=consent("subscribed", 5, consent_updated_at=None))
    assert the_contact(shop).consent == "unknown"

    changed(shop, sms_marketing_consent=consent("unsubscribed", 5, consent_updated_at=None))
    assert the_contact(shop).consent == "opted_out"


def test_consent_from_the_future_is_not_believed(shop):
    changed(shop, sms_marketing_consent=consent("subscribed", 0, consent_updated_at="2099-01-01T00:00:00Z"))

    assert the_contact(shop).consent == "unknown"


def test_pending_is_no_consent(shop):
    changed(shop, sms_marketing_consent=consent("pending", 5))

    assert the_contact(shop).consent == "unknown"


def test_the_contact_is_found_by_customer_then_phone_then_email(shop):
    by_phone = a_contact(shop, phone=PHONE, first_name="M.")
    by_email = a_contact(shop, email="eleni@example.com")

    assert changed(shop) == "applied"
    assert changed(shop, shopify_id=8, phone=None, email="Eleni@example.com", first_name="Eleni") == "applied"

    assert reload_contact(shop, by_phone.id).first_name == "Maria"
    assert reload_contact(shop, by_email.id).shopify_customer_id == 8
    assert how_many(shop) == 2


def test_two_numbers_are_two_contacts_and_the_email_stays_where_it_is(shop):
    known = a_contact(shop, email="maria@example.com")

    changed(shop)

    assert the_contact(shop).email is None
    assert reload_contact(shop, known.id).shopify_customer_id is None


def test_nothing_is_overwritten_with_nothing(shop):
    known = a_contact(
        shop, phone=PHONE, first_name="Maria", last_name="P.", email="m@example.com", tags=["A"]
    )

    changed(shop, first_name="", last_name=None, email=" ", tags="")

    contact = reload_contact(shop, known.id)
    assert (contact.first_name, contact.last_name, contact.email, contact.tags) == (
        "Maria", "P.", "m@example.com", ["A"],
    )  # fmt: skip


def test_an_older_update_is_ignored(shop):
    changed(shop, first_name="New", updated_at=at(10))

    assert changed(shop, first_name="Old", updated_at=at(9)) == "stale"
    assert the_contact(shop).first_name == "New"


def test_an_older_update_may_still_bring_a_newer_consent(shop):
    changed(shop, updated_at=at(10))

    changed(shop, updated_at=at(9), sms_marketing_consent=consent("subscribed", 8))

    assert the_contact(shop).consent == "opted_in"


def test_the_same_webhook_again_changes_nothing(shop):
    payload = customer(sms_marketing_consent=consent("subscribed", 5))
    for _ in range(3):
        deliver(shop, customer_changed, payload)
        deliver(shop, consent_changed, consent_payload("subscribed", 5))

    assert (how_many(shop), story(shop)) == (1, [(PHONE, "grant", "shopify")])


def test_a_consent_of_unknown_people_makes_a_contact(shop):
    assert deliver(shop, consent_changed, consent_payload("subscribed", 5)) == "applied"

    assert (the_contact(shop).consent, the_contact(shop).shopify_customer_id) == ("opted_in", 7)


def test_a_newer_opt_in_at_shopify_lifts_an_opt_out(shop):
    deliver(shop, consent_changed, consent_payload("unsubscribed", 5))
    assert suppressed_phones(shop) == {PHONE}

    deliver(shop, consent_changed, consent_payload("subscribed", 6))

    assert (the_contact(shop).consent, suppressed_phones(shop)) == ("opted_in", set())


def test_an_older_opt_in_does_not_revive_our_stop(shop):
    changed(shop, sms_marketing_consent=consent("subscribed", 5))
    with unit_of_work(shop.id):
        consents.withdraw_by_phone(shop.id, PHONE, source=ConsentSource.SMS_REPLY)

    changed(shop, sms_marketing_consent=consent("subscribed", 5), updated_at=at(20))
    changed(shop, sms_marketing_consent=consent("subscribed", 6), updated_at=at(21))

    assert the_contact(shop).consent == "opted_out"


def test_an_opt_out_wins_over_a_consent_of_the_same_second(shop):
    for first, second in (("subscribed", "unsubscribed"), ("unsubscribed", "subscribed")):
        phone = PHONE if first == "subscribed" else OTHER_PHONE
        shopify_id = 7 if first == "subscribed" else 8
        for state in (first, second):
            payload = consent_payload(state, 5, phone=phone, shopify_id=shopify_id)
            deliver(shop, consent_changed, payload)

        assert the_contact(shop, phone).consent == "opted_out"


def test_a_suppressed_number_stays_suppressed_for_an_older_consent(shop):
    phone = a_suppression(shop)

    changed(shop, phone=phone, sms_marketing_consent=consent("subscribed", 5))

    assert the_contact(shop, phone).consent == "opted_out"


def test_a_changed_number_leaves_the_consent_behind(shop):
    changed(shop, sms_marketing_consent=consent("subscribed", 5))

    changed(shop, phone=OTHER_PHONE, updated_at=at(30))

    assert the_contact(shop, OTHER_PHONE).consent == "unknown"
    assert story(shop)[-1] == (OTHER_PHONE, "reset", "shopify")
    assert how_many(shop) == 1


def test_a_changed_number_has_the_consent_stated_with_it(shop):
    changed(shop, sms_marketing_consent=consent("subscribed", 5))

    changed(shop, phone=OTHER_PHONE, updated_at=at(30), sms_marketing_consent=consent("subscribed", 29))

    assert the_contact(shop, OTHER_PHONE).consent == "opted_in"


def test_an_opt_out_moves_along_unless_consent_was_given_later(shop):
    changed(shop, sms_marketing_consent=consent("unsubscribed", 5))

    changed(shop, phone=OTHER_PHONE, updated_at=at(30), sms_marketing_consent=consent("subscribed", 4))
    assert the_contact(shop, OTHER_PHONE).consent == "opted_out"

    changed(shop, phone=OTHER_PHONE, updated_at=at(31), sms_marketing_consent=consent("subscribed", 6))
    assert the_contact(shop, OTHER_PHONE).consent == "opted_in"
    assert PHONE in suppressed_phones(shop)


def test_a_number_of_another_contact_is_not_taken(shop):
    changed(shop)
    other = a_contact(shop, phone=OTHER_PHONE)

    assert changed(shop, phone=OTHER_PHONE, updated_at=at(30)) == "phone_of_another_contact"

    assert the_contact(shop).shopify_customer_id == 7
    assert reload_contact(shop, other.id).shopify_customer_id is None


def test_an_opt_out_of_a_number_that_is_no_contact_suppresses_it(shop):
    changed(shop)

    deliver(shop, consent_changed, consent_payload("unsubscribed", 5, phone=OTHER_PHONE))

    assert {PHONE, OTHER_PHONE} == suppressed_phones(shop)


def test_a_deleted_customer_leaves_the_contact_with_its_history(shop):
    changed(shop, sms_marketing_consent=consent("subscribed", 5))

    assert deliver(shop, customer_deleted, {"id": 7}, "customers/delete") == "applied"
    assert deliver(shop, customer_deleted, {"id": 7}, "customers/delete") == "unknown_customer"

    contact = the_contact(shop)
    assert (contact.shopify_customer_id, contact.consent, contact.first_name) == (None, "opted_in", "Maria")


def test_a_merged_customer_leaves_its_contact_to_the_one_that_stays(shop):
    changed(shop)
    payload = {
        "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/9",
        "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/7",
        "status": "completed",
    }

    assert deliver(shop, customers_merged, payload, "customers/merge") == "applied"
    assert deliver(shop, customers_merged, payload, "customers/merge") == "unknown_customer"

    assert the_contact(shop).shopify_customer_id == 9


def test_of_two_contacts_of_merged_customers_both_stay(shop):
    changed(shop)
    changed(shop, shopify_id=9, phone=OTHER_PHONE, email="m@example.com")
    payload = {
        "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/9",
        "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/7",
    }

    deliver(shop, customers_merged, payload, "customers/merge")

    assert the_contact(shop).shopify_customer_id is None
    assert the_contact(shop, OTHER_PHONE).shopify_customer_id == 9


def test_events_that_name_nobody_are_put_aside(shop):
    for step in (customer_changed, consent_changed, customer_deleted, customers_merged):
        assert deliver(shop, step, {"id": None, "customer_id": "x"}) == "names_no_customer"


def test_odd_payloads_do_no_harm(shop):
    changed(shop, first_name=["x"], tags=7, email={"a": 1}, sms_marketing_consent="yes", updated_at=3)

    assert the_contact(shop).first_name is None


def test_another_shops_customer_is_another_person(shop):
    stranger = build.a_shop()
    changed(shop)
    deliver(stranger, customer_changed, customer(first_name="Other"))

    assert the_contact(shop).first_name == "Maria"
    assert the_contact(stranger).first_name == "Other"
    assert the_contact(shop).shopify_updated_at == NOON
