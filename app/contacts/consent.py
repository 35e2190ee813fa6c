"""The only code that writes consent: the events, the suppression list, and their projection onto contacts.

Consent belongs to a phone number. A number that has opted out is suppressed, whether or not it is a contact,
and only an explicit new consent lifts that. Everything here is a step: it runs in the caller's unit of work.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text

from app.contacts.models import Consent, ConsentAction, ConsentEvent, ConsentSource, Contact, Suppression
from app.core.cache import changed
from app.core.clock import now
from app.core.uow import require_unit_of_work

Evidence = dict[str, Any]

TAKE_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('consent of shop ' || :shop_id, 0))")

# Every phone that was not suppressed, or whose contact had not opted out, gets one event.
WITHDRAW = text("""
WITH suppressed AS (
  INSERT INTO suppressions (shop_id, phone, source, created_at)
  SELECT :shop_id, phone, :source, :at FROM unnest(CAST(:phones AS text[])) AS phone
  ON CONFLICT DO NOTHING
  RETURNING phone
), opted_out AS (
  UPDATE contacts
  SET consent = 'opted_out', consent_at = :at, consent_source = :source, unsubscribed_at = :at,
      updated_at = :at
  WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[])) AND consent <> 'opted_out'
  RETURNING phone
)
INSERT INTO consent_events (shop_id, contact_id, phone, action, source, evidence, at)
SELECT :shop_id, contacts.id, changed.phone, 'withdraw', :source, CAST(:evidence AS jsonb), :at
FROM (SELECT phone FROM suppressed UNION SELECT phone FROM opted_out) AS changed
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


def take_turn(shop_id: int) -> None:
    """Let no other transaction change this shop's consent until ours ends.

    Without it an opt-out and a consent for the same number could pass each other unseen. Every step here
    calls it; a caller that locks contact rows calls it before that, or the two could wait for each other.
    Whoever takes a turn is about to write, so kept answers about contacts end with the commit.
    """
    require_unit_of_work().execute(TAKE_TURN, {"shop_id": str(shop_id)})
    changed(shop_id, "contacts")


def is_suppressed(shop_id: int, phone: str) -> bool:
    """Whether this number has opted out of this shop's texts."""
    return _suppression(shop_id, phone) is not None


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
    _read_latest(shop_id, contact)
    if is_suppressed(shop_id, contact.phone):
        if not lift_suppression:
            _follow_suppression(shop_id, contact)
            return False
        _unsuppress(shop_id, contact.phone)
    elif contact.consent == Consent.OPTED_IN:
        return False
    at = _project(contact, Consent.OPTED_IN, source)
    _record(shop_id, contact, ConsentAction.GRANT, source, at, wording=wording, evidence=evidence)
    return True


def withdraw(
    shop_id: int, contact: Contact, *, source: ConsentSource, evidence: Evidence | None = None
) -> bool:
    """Opt the contact out and suppress its number. True when that changed anything."""
    _read_latest(shop_id, contact)
    changed = withdraw_by_phone(shop_id, contact.phone, source=source, evidence=evidence)
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
    shop_id: int, phones: Iterable[str], *, source: ConsentSource, evidence: Evidence | None = None
) -> set[str]:
    """`withdraw_by_phone` for many E.164 numbers in one statement. Gives those that it changed."""
    return _change(WITHDRAW, shop_id, phones, source=source, evidence=_json(evidence))


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
        _read_latest(shop_id, contact)
        if not _follow_suppression(shop_id, contact) and contact.consent == Consent.OPTED_IN:
            _reset(shop_id, contact, source)


def move(shop_id: int, contact: Contact, old_phone: str, stated: Consent | None) -> None:
    """Settle the consent of a contact that has just been given another number.

    A suppressed number makes it opted out. A consent stays with the old number: the new one has what was
    `stated` with the change, else none. An opt-out moves along unless consent was stated.
    """
    _read_latest(shop_id, contact)
    before = contact.consent
    if _follow_suppression(shop_id, contact):
        return
    evidence = {"previous_phone": old_phone}
    _project(contact, Consent.UNKNOWN, ConsentSource.MANUAL)
    if stated == Consent.OPTED_IN:
        grant(shop_id, contact, source=ConsentSource.MANUAL, evidence=evidence)
    elif Consent.OPTED_OUT in (stated, before):
        withdraw(shop_id, contact, source=ConsentSource.MANUAL, evidence=evidence)
    elif before == Consent.OPTED_IN:
        _reset(shop_id, contact, ConsentSource.MANUAL, evidence)


def lift_suppression(shop_id: int, phone: str, *, source: ConsentSource = ConsentSource.MANUAL) -> bool:
    """Take a number off the suppression list, its contact back to unknown. False if it was not there."""
    session = require_unit_of_work()
    take_turn(shop_id)
    if not _unsuppress(shop_id, phone):
        return False
    contact = session.scalar(
        select(Contact).where(Contact.shop_id == shop_id, Contact.phone == phone).with_for_update()
    )
    if contact is None:
        session.add(ConsentEvent(shop_id=shop_id, phone=phone, action=ConsentAction.RESET, source=source))
    else:
        _reset(shop_id, contact, source)
    return True


def _read_latest(shop_id: int, contact: Contact) -> None:
    session = require_unit_of_work()
    session.flush()  # the refresh would undo what the caller has set
    take_turn(shop_id)
    session.refresh(contact, with_for_update=True)


def _suppression(shop_id: int, phone: str) -> Suppression | None:
    return require_unit_of_work().scalar(
        select(Suppression).where(Suppression.shop_id == shop_id, Suppression.phone == phone)
    )


def _unsuppress(shop_id: int, phone: str) -> bool:
    gone = require_unit_of_work().execute(
        delete(Suppression)
        .where(Suppression.shop_id == shop_id, Suppression.phone == phone)
        .returning(Suppression.phone)
    )
    return gone.first() is not None


def _follow_suppression(shop_id: int, contact: Contact) -> bool:
    suppression = _suppression(shop_id, contact.phone)
    if suppression is None:
        return False
    if contact.consent != Consent.OPTED_OUT:
        _project(contact, Consent.OPTED_OUT, suppression.source, suppression.created_at)
    return True


def _reset(shop_id: int, contact: Contact, source: ConsentSource, evidence: Evidence | None = None) -> None:
    at = _project(contact, Consent.UNKNOWN, source)
    _record(shop_id, contact, ConsentAction.RESET, source, at, evidence=evidence)


def _project(contact: Contact, consent: Consent, source: str, at: datetime | None = None) -> datetime:
    at = at or now()
    known = consent != Consent.UNKNOWN
    contact.consent = consent
    contact.consent_at = at if known else None
    contact.consent_source = source if known else None
    contact.unsubscribed_at = at if consent == Consent.OPTED_OUT else None
    contact.updated_at = now()
    return at


def _record(
    shop_id: int,
    contact: Contact,
    action: ConsentAction,
    source: ConsentSource,
    at: datetime,
    *,
    wording: str | None = None,
    evidence: Evidence | None = None,
) -> None:
    require_unit_of_work().add(
        ConsentEvent(
            shop_id=shop_id,
            contact_id=contact.id,
            phone=contact.phone,
            action=action,
            source=source,
            wording=wording,
            evidence=evidence or {},
            at=at,
        )
    )


def _change(statement: Any, shop_id: int, phones: Iterable[str], **values: Any) -> set[str]:
    session = require_unit_of_work()
    session.flush()  # contacts that the caller has just added
    take_turn(shop_id)
    given = {"shop_id": shop_id, "phones": sorted(set(phones)), "at": now(), **values}
    return set(session.execute(statement, given).scalars())


def _json(evidence: Evidence | None) -> str:
    return json.dumps(evidence or {})
