"""Lines of Shopify's file into contacts."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import sqlalchemy as sa

from app.contacts.importing.customers import MergedCustomers, merge_customers, one_each
from app.contacts.models import Contact
from app.core.clock import now
from app.core.uow import unit_of_work
from app.customers.models import CustomerImport
from app.customers.service import batches
from app.customers.service.events import consent_changed
from app.customers.service.exported import Left, read_line
from app.integrations.shopify.downloads import Line
from app.shops.models import Shop
from tests import build
from tests.build_contacts import (
    a_contact,
    a_phone,
    a_suppression,
    consent_events,
    reload_contact,
    suppressed_phones,
)
from tests.build_customers import OTHER_PHONE, PHONE, at, consent_payload, deliver

STATES = {"SUBSCRIBED": "opted_in", "UNSUBSCRIBED": "opted_out"}


def line(
    shopify_id: int = 7,
    phone: str | None = PHONE,
    state: str = "NOT_SUBSCRIBED",
    seconds: float = 0,
    **columns: Any,
) -> bytes:
    """A customer as the file has them."""
    number = phone and {
        "phoneNumber": phone,
        "marketingState": state,
        "marketingOptInLevel": "SINGLE_OPT_IN",
        "marketingUpdatedAt": at(seconds) if state in STATES else None,
        "marketingCollectedFrom": "OTHER",
    }
    return json.dumps(
        {
            "id": f"gid://shopify/Customer/{shopify_id}",
            "firstName": "Maria",
            "lastName": None,
            "tags": ["VIP"],
            "updatedAt": at(0),
            "defaultEmailAddress": {"emailAddress": f"c{shopify_id}@example.com"},
            "defaultPhoneNumber": number,
            "defaultAddress": {"countryCodeV2": "GR"},
            **columns,
        }
    ).encode()


def take(shop: Shop, *lines: bytes | None) -> CustomerImport:
    """The lines as one batch."""
    with unit_of_work(shop.id) as session:
        job = CustomerImport(shop_id=shop.id, status="running")
        session.add(job)
        session.flush()
        session.refresh(job)
        batches.take(job, [Line(content, 0) for content in lines])
        job.status = "completed"
    return job


def merge(shop: Shop, *lines: bytes) -> MergedCustomers:
    rows = [read_line(number, one, "GR", now()) for number, one in enumerate(lines, 1)]
    with unit_of_work(shop.id):
        return merge_customers(shop.id, one_each([row for row in rows if not isinstance(row, Left)]))


def the_contact(shop: Shop, phone: str = PHONE) -> Contact:
    with unit_of_work(shop.id) as session:
        return session.scalars(sa.select(Contact).where(Contact.phone == phone)).one()


def test_customers_become_contacts_with_the_evidence_of_their_consent(shop):
    job = take(
        shop, line(state="SUBSCRIBED", seconds=5), line(8, OTHER_PHONE, "UNSUBSCRIBED", 6), line(9, None)
    )

    first, second = the_contact(shop), the_contact(shop, OTHER_PHONE)
    grant, withdrawal = consent_events(shop)
    assert (job.created, job.updated, job.skipped, job.unreadable) == (2, 0, 1, 0)
    assert (first.consent, first.consent_source, first.tags) == ("opted_in", "shopify", ["VIP"])
    assert (second.consent, second.shopify_customer_id) == ("opted_out", 8)
    assert (grant.action, grant.source, grant.at.isoformat(), grant.contact_id) == (
        "grant", "shopify", at(5), first.id,
    )  # fmt: skip
    assert grant.evidence == {
        "import": True,
        "opt_in_level": "SINGLE_OPT_IN",
        "consent_collected_from": "OTHER",
        "consent_updated_at": at(5),
    }
    assert (withdrawal.action, suppressed_phones(shop)) == ("withdraw", {OTHER_PHONE})


def test_taking_the_same_lines_again_changes_nothing(shop):
    lines = [line(state="SUBSCRIBED", seconds=5), line(8, OTHER_PHONE, "UNSUBSCRIBED", 6)]
    take(shop, *lines)
    before = the_contact(shop).updated_at

    job = take(shop, *lines)

    assert (job.created, job.updated, len(consent_events(shop))) == (0, 2, 2)
    assert the_contact(shop).updated_at == before


def test_an_import_revives_no_opt_out_however_new_the_consent(shop):
    a_contact(shop, phone=PHONE, consent="opted_out")
    a_suppression(shop, OTHER_PHONE)
    later = {"marketingState": "SUBSCRIBED", "marketingUpdatedAt": now().isoformat()}

    job = take(
        shop,
        line(defaultPhoneNumber={"phoneNumber": PHONE, **later}),
        line(8, defaultPhoneNumber={"phoneNumber": OTHER_PHONE, **later}),
    )

    assert job.opt_outs_kept == 2
    assert {the_contact(shop).consent, the_contact(shop, OTHER_PHONE).consent} == {"opted_out"}


def test_an_opt_out_older_than_a_consent_given_here_is_no_news(shop):
    known = a_contact(shop, phone=PHONE)

    take(shop, line(state="UNSUBSCRIBED", seconds=5))

    assert reload_contact(shop, known.id).consent == "opted_in"
    assert suppressed_phones(shop) == set()


def test_numbers_are_read_by_the_country_of_the_address_then_the_shops(shop):
    take(
        shop,
        line(phone="691 234 5678", defaultAddress=None),
        line(8, "(415) 555-2671", defaultAddress={"countryCodeV2": "US"}),
        line(9, "2101234567"),
    )

    assert the_contact(shop).region == "GR"
    assert the_contact(shop, "+14155552671").region == "US"


def test_lines_that_are_no_customers_are_counted_and_passed_over(shop):
    broken = [
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"id": "gid://shopify/Order/7"}',
        b'{"id": null}',
        b"[" * 9999,
        None,
    ]

    job = take(shop, *broken, line())

    assert (job.unreadable, job.created, job.done_rows) == (len(broken), 1, len(broken) + 1)


def test_of_two_lines_about_one_number_the_newer_consent_counts(shop):
    take(shop, line(7, PHONE, "UNSUBSCRIBED", 5), line(8, PHONE, "SUBSCRIBED", 5))

    assert the_contact(shop).consent == "opted_out"


def test_an_email_of_another_contact_stays_there(shop):
    owner = a_contact(shop, email="c7@example.com")

    job = take(shop, line(), line(8, OTHER_PHONE, defaultEmailAddress={"emailAddress": "c7@example.com"}))

    assert job.emails_taken == 2
    assert reload_contact(shop, owner.id).email == "c7@example.com"
    assert the_contact(shop).email is None


def test_what_a_webhook_brought_meanwhile_is_newer_than_the_file(shop):
    known = a_contact(shop, phone=PHONE, first_name="Newer", shopify_customer_id=7)
    with unit_of_work(shop.id) as session:
        session.get(Contact, known.id).shopify_updated_at = now()

    take(shop, line())

    assert reload_contact(shop, known.id).first_name == "Newer"


def test_what_the_merchant_typed_is_not_overwritten_with_nothing(shop):
    known = a_contact(shop, phone=PHONE, first_name="M.", last_name="P.", tags=["own"])

    take(shop, line(firstName=None))

    contact = reload_contact(shop, known.id)
    assert (contact.first_name, contact.last_name, contact.tags) == ("M.", "P.", ["own", "VIP"])


def test_a_customer_with_another_number_than_before_moves_with_the_rules_of_consent(shop):
    known = a_contact(shop, phone=OTHER_PHONE, shopify_customer_id=7)

    assert merge(shop, line()).moved == [1]
    take(shop, line())

    contact = reload_contact(shop, known.id)
    assert (contact.phone, contact.consent) == (PHONE, "unknown")


def test_a_number_that_another_contact_has_stays_there(shop):
    mine = a_contact(shop, phone=OTHER_PHONE, shopify_customer_id=7)
    other = a_contact(shop, phone=PHONE)

    take(shop, line())

    assert reload_contact(shop, mine.id).phone == OTHER_PHONE
    assert reload_contact(shop, other.id).shopify_customer_id is None


def test_another_shop_sees_nothing(shop):
    stranger = build.a_shop()
    a_suppression(stranger, PHONE)

    take(shop, line(state="SUBSCRIBED", seconds=5))

    assert the_contact(shop).consent == "opted_in"


@pytest.mark.parametrize("seed", range(3))
def test_file_and_webhooks_end_alike_in_any_order_but_for_revived_opt_outs(shop, seed):
    """The newest word stands; only an opt-out that was there before the file stays for good."""
    chance = random.Random(seed)  # noqa: S311 (not a secret)
    for shopify_id in range(1, 30):
        phone = a_phone()
        by_file = (chance.randrange(6), chance.choice(list(STATES)))
        words = [(chance.randrange(6), chance.choice(list(STATES))) for _ in range(chance.randrange(3))]
        place = chance.randrange(len(words) + 1)
        for index in range(len(words) + 1):
            if index == place:
                was_out = phone in suppressed_phones(shop)
                take(shop, line(shopify_id, phone, by_file[1], by_file[0]))
            if index < len(words):
                seconds, state = words[index]
                payload = consent_payload(state.lower(), seconds, phone=phone, shopify_id=shopify_id)
                deliver(shop, consent_changed, payload)

        newest = max([*words, by_file], key=lambda word: (word[0], word[1] == "UNSUBSCRIBED"))
        refused = was_out and by_file[1] == "SUBSCRIBED" and newest == by_file
        expected = "opted_out" if refused else STATES[newest[1]]
        assert the_contact(shop, phone).consent == expected, (words, by_file, place)
        assert (phone in suppressed_phones(shop)) == (expected == "opted_out")
