"""The record of consent: its parts, which only the rules of consent put together.

The rules are in `consent.py` (what we are told now) and `dated_consent.py` (what another system was told, and
when). Everything here is a step and takes the shop's turn where it says so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, text

from app.contacts.models import Consent, ConsentAction, ConsentEvent, ConsentSource, Contact, Suppression
from app.contacts.suppressed_hashes import recall
from app.core.cache import changed
from app.core.clock import now
from app.core.queue import wake
from app.core.uow import after_commit, require_unit_of_work

Evidence = dict[str, Any]

TAKE_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('consent of shop ' || :shop_id, 0))")


def take_turn(shop_id: int) -> None:
    """Let no other transaction change this shop's consent until ours ends.

    Without it an opt-out and a consent for the same number could pass each other unseen. Every step here
    calls it; a caller that locks contact rows calls it before that, or the two could wait for each other.
    Whoever takes a turn is about to write, so kept answers about contacts end with the commit.
    """
    require_unit_of_work().execute(TAKE_TURN, {"shop_id": str(shop_id)})
    changed(shop_id, "contacts")


def read_latest(shop_id: int, contact: Contact) -> None:
    """Take the turn, then read the contact as it is now, locked."""
    session = require_unit_of_work()
    session.flush()  # the refresh would undo what the caller has set
    take_turn(shop_id)
    session.refresh(contact, with_for_update=True)


def suppression_of(shop_id: int, phone: str) -> Suppression | None:
    """The number's place on the list of those who get no texts, also when only its hash is left of it."""
    recall(shop_id, [phone])
    return require_unit_of_work().scalar(
        select(Suppression).where(Suppression.shop_id == shop_id, Suppression.phone == phone)
    )


def unsuppress(shop_id: int, phone: str) -> bool:
    """Take the number off the list. False when it was not there."""
    gone = require_unit_of_work().execute(
        delete(Suppression)
        .where(Suppression.shop_id == shop_id, Suppression.phone == phone)
        .returning(Suppression.phone)
    )
    return gone.first() is not None


def follow_suppression(shop_id: int, contact: Contact) -> bool:
    """Show the contact as opted out if its number is suppressed; says whether it is."""
    suppression = suppression_of(shop_id, contact.phone)
    if suppression is None:
        return False
    if contact.consent != Consent.OPTED_OUT:
        project(contact, Consent.OPTED_OUT, suppression.source, suppression.created_at)
    return True


def reset(
    shop_id: int,
    contact: Contact,
    source: ConsentSource,
    evidence: Evidence | None = None,
    at: datetime | None = None,
) -> None:
    """Forget what was known of the contact's consent, with evidence that it was."""
    at = project(contact, Consent.UNKNOWN, source, at)
    record(shop_id, contact, ConsentAction.RESET, source, at, evidence=evidence)


def project(contact: Contact, consent: Consent, source: str, at: datetime | None = None) -> datetime:
    """Show on the contact what is known of its consent since `at`, which is given back."""
    at = at or now()
    known = consent != Consent.UNKNOWN
    contact.consent = consent
    contact.consent_at = at if known else None
    contact.consent_source = source if known else None
    contact.unsubscribed_at = at if consent == Consent.OPTED_OUT else None
    contact.updated_at = now()
    return at


def record(
    shop_id: int,
    contact: Contact,
    action: ConsentAction,
    source: ConsentSource,
    at: datetime,
    *,
    wording: str | None = None,
    evidence: Evidence | None = None,
) -> None:
    """Keep the evidence of one change. Rings for Shopify when it does not know of the change yet."""
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
    if contact.shopify_customer_id and source != ConsentSource.SHOPIFY:
        tell_shopify(shop_id)


def tell_shopify(shop_id: int) -> None:
    """Ring for the feature that tells Shopify of consent; what it must tell stands on the contacts."""
    after_commit(lambda: wake("customers.push_consent", shop_id))
