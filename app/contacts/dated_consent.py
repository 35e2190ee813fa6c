"""Consent that was told to another system, which tells us later, perhaps twice and in any order.

The newest word wins, and a withdrawal wins over a consent of the same second, so the end does not depend on
the order of arrival. Our own changes are words of the moment at which they were made.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text

from app.contacts import consent
from app.contacts.consent_record import (
    Evidence,
    follow_suppression,
    project,
    read_latest,
    record,
    reset,
    suppression_of,
    unsuppress,
)
from app.contacts.models import Consent, ConsentAction, ConsentSource, Contact
from app.core.clock import now
from app.core.uow import require_unit_of_work

SKEW = timedelta(minutes=5)  # by how much the other system's clock may be ahead of ours

LAST_EVENT = text("SELECT max(at) FROM consent_events WHERE shop_id = :shop_id AND phone = :phone")


def settle(
    shop_id: int,
    contact: Contact,
    stated: Consent,
    at: datetime,
    *,
    source: ConsentSource = ConsentSource.SHOPIFY,
    evidence: Evidence | None = None,
) -> bool:
    """Take in what the person behind the contact's number said at `at`. True when its consent changed.

    A step. What is older than the last word changes nothing, and neither does the same word again. A newer
    consent lifts a suppression. A consent dated in the future is not believed: it would outlive later
    withdrawals.
    """
    read_latest(shop_id, contact)
    if stated == Consent.UNKNOWN:
        return False
    last = _last_word(shop_id, contact.phone, contact.consent_at, contact.shopify_consent_at)
    if stated == Consent.OPTED_OUT:
        # Shopify's times end with the second: what it dates to the second of a consent may be later.
        if last is not None and at < last.replace(microsecond=0):
            return False
        moment = min(at, now())
        return consent.withdraw(shop_id, contact, source=source, evidence=evidence, at=moment)
    if at > now() + SKEW or (last is not None and at <= last):
        return False
    return _grant(shop_id, contact, at, source, evidence)


def move(
    shop_id: int,
    contact: Contact,
    old_phone: str,
    stated: Consent,
    stated_at: datetime | None,
    *,
    moved_at: datetime,
    source: ConsentSource = ConsentSource.SHOPIFY,
    evidence: Evidence | None = None,
) -> None:
    """`consent.move` for a number that was changed in another system at `moved_at`. A step.

    A consent stays with the old number. An opt-out moves along, unless consent was given after it. What was
    stated, and when, is about the new number.
    """
    read_latest(shop_id, contact)
    before, before_at, before_source = contact.consent, contact.consent_at, contact.consent_source
    proof = {"previous_phone": old_phone, **(evidence or {})}
    if not follow_suppression(shop_id, contact):
        project(contact, Consent.UNKNOWN, source)
        if before == Consent.OPTED_OUT:
            kept_source = ConsentSource(before_source) if before_source else source
            consent.withdraw(shop_id, contact, source=kept_source, evidence=proof, at=before_at or moved_at)
        elif before == Consent.OPTED_IN and stated != Consent.OPTED_IN:
            reset(shop_id, contact, source, proof, moved_at)
    if stated_at is not None:
        settle(shop_id, contact, stated, stated_at, source=source, evidence=proof)


def withdraw_number(
    shop_id: int,
    phone: str,
    at: datetime,
    *,
    source: ConsentSource = ConsentSource.SHOPIFY,
    evidence: Evidence | None = None,
) -> bool:
    """`settle` for the opt-out of a number that is no contact. A step; True when it changed anything."""
    consent.take_turn(shop_id)
    last = _last_word(shop_id, phone)
    if last is not None and at < last.replace(microsecond=0):
        return False
    moment = min(at, now())
    return bool(consent.withdraw_by_phones(shop_id, [phone], source=source, evidence=evidence, at=moment))


def _last_word(shop_id: int, phone: str, *shown: datetime | None) -> datetime | None:
    """When something was last said about the number, whatever it was; `shown` is what its contact knows."""
    event_at = require_unit_of_work().scalar(LAST_EVENT, {"shop_id": shop_id, "phone": phone})
    suppression = suppression_of(shop_id, phone)
    refused = (suppression.created_at, suppression.confirmed_at) if suppression else ()
    moments = (event_at, *shown, *refused)
    return max((moment for moment in moments if moment), default=None)


def _grant(
    shop_id: int, contact: Contact, at: datetime, source: ConsentSource, evidence: Evidence | None
) -> bool:
    if not unsuppress(shop_id, contact.phone) and contact.consent == Consent.OPTED_IN:
        return False
    project(contact, Consent.OPTED_IN, source, at)
    record(shop_id, contact, ConsentAction.GRANT, source, at, evidence=evidence)
    return True
