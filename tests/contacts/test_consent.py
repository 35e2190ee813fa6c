"""Consent: what changes it, what is kept as evidence, and that an opt-out is not undone by accident."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.contacts import consent
from app.contacts.models import ConsentSource, Suppression
from app.contacts.queries import opted_in
from app.core.database import db
from app.core.uow import NoUnitOfWork, unit_of_work
from app.shops.models import Shop
from tests import build, build_contacts
from tests.build_contacts import consent_events, reload_contact, suppressed_phones

PHONE = "+306912345678"
OTHER_PHONE = "+306912345679"


def create(client: FlaskClient, shop: Shop, **body: Any) -> dict[str, Any]:
    response = client.post("/contacts", json={"phoneE164": PHONE, **body}, headers=build.auth(shop))
    assert response.status_code == 201, response.json
    return response.json["data"]


def change(client: FlaskClient, shop: Shop, contact: dict[str, Any], **body: Any) -> dict[str, Any]:
    response = client.put(f"/contacts/{contact['id']}", json=body, headers=build.auth(shop))
    assert response.status_code == 200, response.json
    return response.json["data"]


def story(shop: Shop) -> list[tuple[str, str, str]]:
    """What the shop's consent events say, oldest first."""
    return [(event.phone, event.action, event.source) for event in consent_events(shop)]


def withdraw(shop: Shop, phone: str = PHONE) -> bool:
    with unit_of_work(shop.id):
        return consent.withdraw_by_phone(
            shop.id, phone, source=ConsentSource.SMS_REPLY, evidence={"text": "STOP"}
        )


def test_a_contact_created_with_consent_leaves_evidence(client, shop):
    contact = create(client, shop, smsConsent="opted_in")

    event = consent_events(shop)[0]
    assert story(shop) == [(PHONE, "grant", "manual")]
    assert event.contact_id == int(contact["id"])
    assert contact["smsConsentAt"] is not None
    assert reload_contact(shop, int(contact["id"])).consent_source == "manual"


def test_a_contact_of_unknown_consent_leaves_no_evidence(client, shop):
    create(client, shop)

    assert story(shop) == []


def test_a_contact_created_as_opted_out_is_suppressed(client, shop):
    contact = create(client, shop, smsConsent="opted_out")

    assert contact["isSubscribed"] is False
    assert contact["smsConsentStatus"] == "opted_out"
    assert story(shop) == [(PHONE, "withdraw", "manual")]
    assert suppressed_phones(shop) == {PHONE}
    assert reload_contact(shop, int(contact["id"])).unsubscribed_at is not None


@pytest.mark.parametrize("also", [{}, {"smsConsent": "opted_in"}, {"smsConsent": "unknown"}])
def test_not_subscribed_means_opted_out(client, shop, also):
    contact = create(client, shop, isSubscribed=False, **also)

    assert contact["smsConsent"] == "opted_out"


def test_subscribed_without_consent_is_no_consent(client, shop):
    assert create(client, shop, isSubscribed=True)["smsConsent"] == "unknown"


@pytest.mark.parametrize("stated", ["opted_in", "unknown", None])
def test_a_new_contact_with_a_suppressed_number_stays_opted_out(client, shop, stated):
    withdraw(shop)

    contact = create(client, shop, smsConsent=stated)

    assert contact["smsConsent"] == "opted_out"
    assert contact["isSubscribed"] is False
    assert story(shop) == [(PHONE, "withdraw", "sms_reply")]
    assert suppressed_phones(shop) == {PHONE}


def test_an_opt_out_survives_deleting_and_adding_the_contact(client, shop):
    contact = create(client, shop, smsConsent="opted_out")
    client.delete(f"/contacts/{contact['id']}", headers=build.auth(shop))

    again = create(client, shop, smsConsent="opted_in")

    assert again["smsConsent"] == "opted_out"
    assert suppressed_phones(shop) == {PHONE}


@pytest.mark.parametrize("state", ["opted_in", "opted_out", "unknown"])
def test_stating_the_same_consent_again_changes_nothing(client, shop, state):
    contact = create(client, shop, smsConsent=state)
    before = story(shop)

    changed = change(client, shop, contact, smsConsent=state, firstName="Maria")

    assert changed["smsConsentAt"] == contact["smsConsentAt"]
    assert story(shop) == before


def test_consent_that_an_update_does_not_mention_stays(client, shop):
    contact = create(client, shop, smsConsent="opted_in")

    changed = change(client, shop, contact, firstName="Maria")

    assert changed["smsConsent"] == "opted_in"
    assert changed["smsConsentAt"] == contact["smsConsentAt"]


def test_opting_in_again_by_hand_lifts_the_suppression_and_is_on_record(client, shop):
    contact = create(client, shop, smsConsent="opted_out")

    changed = change(client, shop, contact, smsConsent="opted_in")

    assert changed["smsConsent"] == "opted_in"
    assert changed["isSubscribed"] is True
    assert story(shop) == [(PHONE, "withdraw", "manual"), (PHONE, "grant", "manual")]
    assert suppressed_phones(shop) == set()
    assert reload_contact(shop, int(contact["id"])).unsubscribed_at is None


def test_pending_takes_back_a_consent_but_not_an_opt_out(client, shop):
    consenting = create(client, shop, smsConsent="opted_in")
    refusing = create(client, shop, phoneE164=OTHER_PHONE, smsConsent="opted_out")

    assert change(client, shop, consenting, smsConsent="unknown")["smsConsent"] == "unknown"
    assert change(client, shop, refusing, smsConsent="unknown")["smsConsent"] == "opted_out"

    assert story(shop) == [
        (PHONE, "grant", "manual"),
        (OTHER_PHONE, "withdraw", "manual"),
        (PHONE, "reset", "manual"),
    ]


def test_opting_out_by_hand_suppresses_the_number(client, shop):
    contact = create(client, shop, smsConsent="opted_in")

    changed = change(client, shop, contact, isSubscribed=False)

    assert changed["smsConsent"] == "opted_out"
    assert suppressed_phones(shop) == {PHONE}


@pytest.mark.parametrize("stated", [{}, {"smsConsent": "opted_in"}])
def test_moving_to_a_suppressed_number_opts_the_contact_out(client, shop, stated):
    contact = create(client, shop, smsConsent="opted_in")
    withdraw(shop, OTHER_PHONE)

    changed = change(client, shop, contact, phoneE164=OTHER_PHONE, **stated)

    assert changed["smsConsent"] == "opted_out"
    assert suppressed_phones(shop) == {OTHER_PHONE}


def test_consent_does_not_move_to_a_new_number_by_itself(client, shop):
    contact = create(client, shop, smsConsent="opted_in")

    changed = change(client, shop, contact, phoneE164=OTHER_PHONE)

    assert changed["smsConsent"] == "unknown"
    assert changed["smsConsentAt"] is None
    assert story(shop) == [(PHONE, "grant", "manual"), (OTHER_PHONE, "reset", "manual")]
    assert consent_events(shop)[1].evidence == {"previous_phone": PHONE}


def test_consent_stated_with_a_new_number_is_that_numbers(client, shop):
    contact = create(client, shop, smsConsent="opted_in")

    changed = change(client, shop, contact, phoneE164=OTHER_PHONE, smsConsent="opted_in")

    assert changed["smsConsent"] == "opted_in"
    assert story(shop) == [(PHONE, "grant", "manual"), (OTHER_PHONE, "grant", "manual")]


@pytest.mark.parametrize("stated", [{}, {"smsConsent": "opted_out"}, {"smsConsent": "unknown"}])
def test_an_opt_out_moves_to_the_new_number_and_stays_with_the_old(client, shop, stated):
    contact = create(client, shop, smsConsent="opted_out")

    changed = change(client, shop, contact, phoneE164=OTHER_PHONE, **stated)

    assert changed["smsConsent"] == "opted_out"
    assert suppressed_phones(shop) == {PHONE, OTHER_PHONE}


def test_consent_stated_with_a_new_number_leaves_the_old_number_suppressed(client, shop):
    contact = create(client, shop, smsConsent="opted_out")

    changed = change(client, shop, contact, phoneE164=OTHER_PHONE, smsConsent="opted_in")

    assert changed["smsConsent"] == "opted_in"
    assert suppressed_phones(shop) == {PHONE}


def test_the_same_number_written_otherwise_is_no_move(client, shop):
    contact = create(client, shop, smsConsent="opted_in")

    changed = change(client, shop, contact, phoneE164="691 234 5678")

    assert changed["smsConsent"] == "opted_in"
    assert len(story(shop)) == 1


def test_a_reply_opts_a_number_out_once_contact_or_not(client, shop):
    contact = create(client, shop, smsConsent="opted_in")

    assert [withdraw(shop), withdraw(shop)] == [True, False]
    assert [withdraw(shop, OTHER_PHONE), withdraw(shop, OTHER_PHONE)] == [True, False]

    assert reload_contact(shop, int(contact["id"])).consent == "opted_out"
    withdrawals = [event for event in consent_events(shop) if event.action == "withdraw"]
    assert [(event.phone, event.contact_id) for event in withdrawals] == [
        (PHONE, int(contact["id"])),
        (OTHER_PHONE, None),
    ]
    assert withdrawals[0].evidence == {"text": "STOP"}
    assert suppressed_phones(shop) == {PHONE, OTHER_PHONE}


def test_an_opt_out_concerns_one_shop_only(client, shop, stranger):
    contact = create(client, shop, smsConsent="opted_in")

    withdraw(stranger)

    assert reload_contact(shop, int(contact["id"])).consent == "opted_in"
    assert suppressed_phones(shop) == set()
    assert [event.action for event in consent_events(shop)] == ["grant"]


def test_the_wording_that_was_agreed_to_is_kept(shop):
    contact = build_contacts.a_contact(shop, consent="unknown")

    with unit_of_work(shop.id) as session:
        granted = consent.grant(
            shop.id,
            session.merge(contact),
            source=ConsentSource.OPT_IN_FORM,
            wording="Ναι, θέλω SMS 📱",
            evidence={"ip": "192.0.2.1"},
        )

    event = consent_events(shop)[0]
    assert granted
    assert (event.wording, event.evidence) == ("Ναι, θέλω SMS 📱", {"ip": "192.0.2.1"})
    assert event.source == "opt_in_form"


def test_consent_from_a_form_does_not_revive_an_opt_out_unless_it_may(shop):
    contact = build_contacts.a_contact(shop, consent="opted_out")

    with unit_of_work(shop.id) as session:
        mine = session.merge(contact)
        refused = consent.grant(shop.id, mine, source=ConsentSource.OPT_IN_FORM)
        between = mine.consent
        granted = consent.grant(shop.id, mine, source=ConsentSource.OPT_IN_FORM, lift_suppression=True)

    assert (refused, between, granted) == (False, "opted_out", True)
    assert reload_contact(shop, contact.id).consent == "opted_in"


def test_a_list_of_numbers_grants_only_where_nothing_is_known(shop):
    unknown, refusing, consenting = (
        build_contacts.a_contact(shop, consent=state) for state in ("unknown", "opted_out", "opted_in")
    )
    phones = [unknown.phone, refusing.phone, consenting.phone, PHONE]

    with unit_of_work(shop.id):
        granted = consent.grant_by_phones(shop.id, phones, source=ConsentSource.IMPORT)

    assert granted == {unknown.phone}
    assert reload_contact(shop, unknown.id).consent == "opted_in"
    assert reload_contact(shop, refusing.id).consent == "opted_out"


def test_only_consenting_contacts_whose_number_is_not_suppressed_may_be_texted(shop):
    fine = build_contacts.a_contact(shop, first_name="Μαρία")
    build_contacts.a_contact(shop, consent="unknown")
    build_contacts.a_contact(shop, consent="opted_out")
    torn = build_contacts.a_contact(shop)
    with unit_of_work(shop.id) as session:  # as a row that slipped past the projection would be
        session.add(Suppression(shop_id=shop.id, phone=torn.phone, source="manual"))

    with unit_of_work(shop.id) as session:
        rows = session.execute(opted_in(shop.id)).all()

    assert [(row.id, row.phone, row.first_name) for row in rows] == [(fine.id, fine.phone, "Μαρία")]
    assert rows[0].first_name_utf16 == 5


def test_an_opt_out_and_a_new_contact_at_the_same_moment_end_opted_out(app, shop):
    start = threading.Barrier(2)

    def add() -> None:
        with app.app_context():
            start.wait()
            create(app.test_client(), shop, smsConsent="opted_in")
            db.session.remove()

    def reply() -> None:
        with app.app_context():
            start.wait()
            withdraw(shop)
            db.session.remove()

    for _ in range(10):
        threads = [threading.Thread(target=add), threading.Thread(target=reply)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with unit_of_work(shop.id) as session:
            states = session.execute(
                sa.text("SELECT consent, (SELECT count(*) FROM suppressions) FROM contacts")
            ).all()
            session.execute(sa.text("DELETE FROM contacts"))
            session.execute(sa.text("DELETE FROM suppressions"))
        assert [tuple(row) for row in states] == [("opted_out", 1)]


@pytest.mark.parametrize(
    "change", ["UPDATE consent_events SET action = 'grant'", "DELETE FROM consent_events"]
)
def test_evidence_cannot_be_changed_or_removed(shop, owner, change):
    build_contacts.a_contact(shop)

    with (
        pytest.raises(sa.exc.DBAPIError, match=r"permission denied|append-only"),
        unit_of_work(shop.id) as session,
    ):
        session.execute(sa.text(change))
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), owner.connect() as connection:
        connection.exec_driver_sql(change)

    assert len(consent_events(shop)) == 1


def test_consent_is_not_written_outside_a_unit_of_work(shop):
    with pytest.raises(NoUnitOfWork):
        consent.withdraw_by_phone(shop.id, PHONE, source=ConsentSource.SMS_REPLY)
