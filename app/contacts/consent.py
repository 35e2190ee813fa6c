"""The rules of consent: the events, the suppression list, and their projection onto contacts.

What another system was told, and when, is judged in `dated_consent.py`. Consent belongs to a phone number. A
number that has opted out is suppressed, whether or not it is a contact, and only an explicit new consent
lifts that. Everything here is a step: it runs in the caller's unit of work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, text

from app.contacts.consent_record import (
    Evidence,
    follow_suppression,
    project,
    read_latest,
    record,
    reset,
    suppression_of,
    tell_shopify,
    unsuppress,
)
from app.contacts.consent_record import take_turn as take_turn
from app.contacts.models import Consent, ConsentAction, ConsentEvent, ConsentSource, Contact
from app.contacts.suppressed_hashes import recall
from app.core.clock import now
from app.core.uow import require_unit_of_work

# Every phone that was not suppressed, or whose contact had not opted out, gets one event.
WITHDRAW = text("""
WITH suppressed AS (
  INSERT INTO suppressions (shop_id, phone, source, created_at)
  SELECT :shop_id, phone, :source, :at FROM unnest(CAST(:phones AS text[])) AS phone
  -- A repeated opt-out changes nothing but how new a consent must be to lift it.
  ON CONFLICT (shop_id, phone) DO UPDATE
    SET confirmed_at = greatest(suppressions.created_at, suppressions.confirmed_at, excluded.created_at)
  RETURNING phone, xmax = 0 AS is_new
), opted_out AS (
  UPDATE contacts
  SET consent = 'opted_out', consent_at = :at, consent_source = :source, unsubscribed_at = :at,
      updated_at = :at
  WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[])) AND consent <> 'opted_out'
  RETURNING phone
)
INSERT INTO consent_events (shop_id, contact_id, phone, action, source, evidence, at)
SELECT :shop_id, contacts.id, changed.phone, 'withdraw', :source, CAST(:evidence AS jsonb), :at
FROM (SELECT phone FROM suppressed WHERE is_new UNION SELECT phone FROM opted_out) AS changed
LEFT JOIN contacts ON contacts.shop_id = :shop_id AND contacts.phone = changed.phone
RETURNING phone
""")

# Only where nothing is known: an opt-out, or a suppression, is never revived by a list.
GRANT_UNKNOWN = text("""
WITH opted_in AS (
  UPDATE contacts
  SET consent = 'opted_in', consent_at = :at, consent_source = :source, unsubscribed_at = NULL,
      updated_at = :at
  WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[])) AND consent = 'unknown'
    AND NOT EXISTS (SELECT FROM suppressions
                    WHERE suppressions.shop_id = contacts.shop_id AND suppressions.phone = contacts.phone)
  RETURNING id, phone
)
INSERT INTO consent_events (shop_id, contact_id, phone, action, source, wording, evidence, at)
SELECT :shop_id, id, phone, 'grant', :source, :wording, CAST(:evidence AS jsonb), :at FROM opted_in
RETURNING phone
""")

# No event: the number's own withdrawal is on record already.
FOLLOW_SUPPRESSIONS = text("""
UPDATE contacts
SET consent = 'opted_out', consent_at = suppressions.created_at, consent_source = suppressions.source,
    unsubscribed_at = suppressions.created_at, updated_at = :at
FROM suppressions
WHERE contacts.shop_id = :shop_id AND contacts.phone = ANY(CAST(:phones AS text[]))
  AND contacts.consent <> 'opted_out'
  AND suppressions.shop_id = contacts.shop_id AND suppressions.phone = contacts.phone
RETURNING contacts.phone
""")


def is_suppressed(shop_id: int, phone: str) -> bool:
    """Whether this number has opted out of this shop's texts."""
    return suppression_of(shop_id, phone) is not None


def grant(
    shop_id: int,
    contact: Contact,
    *,
    source: ConsentSource,
    wording: str | None = None,
    evidence: Evidence | None = None,
    lift_suppression: bool = False,
) -> bool:
    """Record that the contact consents to texts. True when that changed anything; no event otherwise.

    A suppressed number stays opted out unless `lift_suppression` says that this is a new, explicit consent.
    """
    read_latest(shop_id, contact)
    if is_suppressed(shop_id, contact.phone):
        if not lift_suppression:
            follow_suppression(shop_id, contact)
            return False
        unsuppress(shop_id, contact.phone)
    elif contact.consent == Consent.OPTED_IN:
        return False
    at = project(contact, Consent.OPTED_IN, source)
    record(shop_id, contact, ConsentAction.GRANT, source, at, wording=wording, evidence=evidence)
    return True


def withdraw(
    shop_id: int,
    contact: Contact,
    *,
    source: ConsentSource,
    evidence: Evidence | None = None,
    at: datetime | None = None,
) -> bool:
    """Opt the contact out and suppress its number. True when that changed anything."""
    read_latest(shop_id, contact)
    changed = bool(withdraw_by_phones(shop_id, [contact.phone], source=source, evidence=evidence, at=at))
    require_unit_of_work().refresh(contact)
    return changed


def withdraw_by_phone(
    shop_id: int, phone: str, *, source: ConsentSource, evidence: Evidence | None = None
) -> bool:
    """Suppress a number, contact or not. True when that changed anything; doing it again changes nothing.

    A `Contact` that the caller has loaded is not refreshed.
    """
    return bool(withdraw_by_phones(shop_id, [phone], source=source, evidence=evidence))


def withdraw_by_phones(
    shop_id: int,
    phones: Iterable[str],
    *,
    source: ConsentSource,
    evidence: Evidence | None = None,
    at: datetime | None = None,
) -> set[str]:
    """`withdraw_by_phone` for many E.164 numbers in one statement. Gives those that it changed.

    `at` is when they opted out, if that was not now.
    """
    return _change(WITHDRAW, shop_id, phones, source=source, evidence=_json(evidence), at=at or now())


def grant_by_phones(
    shop_id: int,
    phones: Iterable[str],
    *,
    source: ConsentSource,
    wording: str | None = None,
    evidence: Evidence | None = None,
) -> set[str]:
    """Record consent for contacts of unknown consent, in one statement. Gives the numbers that changed.

    Opted-out contacts and suppressed numbers stay as they are: a list of numbers never revives an opt-out.
    """
    return _change(GRANT_UNKNOWN, shop_id, phones, source=source, wording=wording, evidence=_json(evidence))


def follow_suppressions(shop_id: int, phones: Iterable[str]) -> set[str]:
    """Mark contacts whose number is suppressed as opted out, in one statement. Gives what it changed."""
    return _change(FOLLOW_SUPPRESSIONS, shop_id, phones)


def restate(
    shop_id: int,
    contact: Contact,
    stated: Consent,
    *,
    source: ConsentSource = ConsentSource.MANUAL,
    lift_suppression: bool = False,
) -> None:
    """Bring the contact's consent to what somebody stated.

    `unknown` takes back a consent, but never an opt-out: that is undone by consenting only.
    """
    if stated == Consent.OPTED_IN:
        grant(shop_id, contact, source=source, lift_suppression=lift_suppression)
    elif stated == Consent.OPTED_OUT:
        withdraw(shop_id, contact, source=source)
    else:
        read_latest(shop_id, contact)
        if not follow_suppression(shop_id, contact) and contact.consent == Consent.OPTED_IN:
            reset(shop_id, contact, source)


def move(shop_id: int, contact: Contact, old_phone: str, stated: Consent | None) -> None:
    """Settle the consent of a contact that has just been given another number.

    A suppressed number makes it opted out. A consent stays with the old number: the new one has what was
    `stated` with the change, else none. An opt-out moves along unless consent was stated.
    """
    read_latest(shop_id, contact)
    before = contact.consent
    if follow_suppression(shop_id, contact):
        return
    evidence = {"previous_phone": old_phone}
    project(contact, Consent.UNKNOWN, ConsentSource.MANUAL)
    if stated == Consent.OPTED_IN:
        grant(shop_id, contact, source=ConsentSource.MANUAL, evidence=evidence)
    elif Consent.OPTED_OUT in (stated, before):
        withdraw(shop_id, contact, source=ConsentSource.MANUAL, evidence=evidence)
    elif before == Consent.OPTED_IN:
        reset(shop_id, contact, ConsentSource.MANUAL, evidence)


def lift_suppression(shop_id: int, phone: str, *, source: ConsentSource = ConsentSource.MANUAL) -> bool:
    """Take a number off the suppression list, its contact back to unknown. False if it was not there."""
    session = require_unit_of_work()
    take_turn(shop_id)
    if not unsuppress(shop_id, phone):
        return False
    contact = session.scalar(
        select(Contact).where(Contact.shop_id == shop_id, Contact.phone == phone).with_for_update()
    )
    if contact is None:
        session.add(ConsentEvent(shop_id=shop_id, phone=phone, action=ConsentAction.RESET, source=source))
    else:
        reset(shop_id, contact, source)
    return True


def _change(statement: Any, shop_id: int, phones: Iterable[str], **values: Any) -> set[str]:
    session = require_unit_of_work()
    session.flush()  # contacts that the caller has just added
    take_turn(shop_id)
    numbers = sorted(set(phones))
    recall(shop_id, numbers)
    given = {"shop_id": shop_id, "phones": numbers, "at": now(), **values}
    changed = set(session.execute(statement, given).scalars())
    if changed and values.get("source") != ConsentSource.SHOPIFY and _are_linked(shop_id, changed):
        tell_shopify(shop_id)
    return changed


def _are_linked(shop_id: int, phones: Iterable[str]) -> bool:
    """Whether Shopify has a customer for any of these numbers."""
    linked = exists().where(
        Contact.shop_id == shop_id, Contact.phone.in_(list(phones)), Contact.shopify_customer_id.is_not(None)
    )
    return bool(require_unit_of_work().scalar(select(linked)))


def _json(evidence: Evidence | None) -> str:
    return json.dumps(evidence or {})
