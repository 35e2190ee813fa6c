"""Contacts as Shopify's customers: whose contact somebody is, and what Shopify tells of them.

A contact is found by the customer's id, then by phone, then by e-mail. Two numbers are two contacts: an
e-mail alone never moves a consent from one number to another. Everything here is a step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select

from app.contacts import dated_consent, values
from app.contacts.consent_record import Evidence, follow_suppression, take_turn
from app.contacts.models import Consent, Contact
from app.core.clock import now
from app.core.phones import Phone
from app.core.uow import require_unit_of_work


@dataclass(frozen=True)
class StatedConsent:
    """What a customer has said about texts to their own number, and when. UNKNOWN is nothing."""

    consent: Consent = Consent.UNKNOWN
    at: datetime | None = None


@dataclass(frozen=True)
class Customer:
    """A customer as a payload tells of them; None is nothing said. `phone` is the one that may get texts."""

    shopify_id: int | None = None
    phone: Phone | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    tags: tuple[str, ...] = ()
    stated: StatedConsent = StatedConsent()
    updated_at: datetime | None = None


def find(shop_id: int, shopify_id: int | None, phones: Iterable[str], email: str | None) -> Contact | None:
    """The contact with this customer id, else the first of these phones, else this e-mail."""
    wanted = list(phones)
    keys: list[ColumnElement[bool]] = []
    if shopify_id is not None:
        keys.append(Contact.shopify_customer_id == shopify_id)
    if wanted:
        keys.append(Contact.phone.in_(wanted))
    if email:
        keys.append(Contact.email == email)
    if not keys:
        return None
    found = (
        require_unit_of_work()
        .scalars(
            select(Contact)
            .where(Contact.shop_id == shop_id, or_(*keys))
            .execution_options(populate_existing=True)
        )
        .all()
    )
    ranks = {phone: rank for rank, phone in enumerate(wanted, 1)}

    def rank(contact: Contact) -> int:
        if shopify_id is not None and contact.shopify_customer_id == shopify_id:
            return 0
        return ranks.get(contact.phone, len(wanted) + 1)

    return min(found, key=rank, default=None)


def add(shop_id: int, phone: Phone) -> Contact:
    """A new contact with nothing but a number. The caller holds the turn and has found none.

    A suppressed number is opted out from the start.
    """
    contact = Contact(
        shop_id=shop_id, phone=phone.e164, region=phone.region, consent=Consent.UNKNOWN, tags=[]
    )
    session = require_unit_of_work()
    session.add(contact)
    session.flush()  # consent needs the id
    follow_suppression(shop_id, contact)
    return contact


def write(shop_id: int, contact: Contact, customer: Customer, *, only_gaps: bool = False) -> None:
    """Put what Shopify tells of the customer on the contact; nothing that is there gives way to nothing.

    With `only_gaps` what is there stays. An e-mail of another contact is left out. The caller holds the turn.
    """
    changes: dict[str, object] = {}
    for name in ("first_name", "last_name"):
        told, known = getattr(customer, name), getattr(contact, name)
        if told and told != known and not (only_gaps and known):
            changes[name] = told
    email = customer.email
    is_news = email and email != contact.email and not (only_gaps and contact.email)
    if is_news and email and not _is_taken(shop_id, contact, email):
        changes["email"] = email
    tags = list(dict.fromkeys([*contact.tags, *customer.tags]))[: values.TAGS_MAX]
    if tags != contact.tags:
        changes["tags"] = tags
    for name, value in changes.items():
        setattr(contact, name, value)
    if changes:
        contact.updated_at = now()


def link(shop_id: int, contact: Contact, shopify_id: int) -> bool:
    """Remember whose contact this is. False when it is another customer's, or the customer has another."""
    if contact.shopify_customer_id is not None:
        return contact.shopify_customer_id == shopify_id
    if find(shop_id, shopify_id, (), None) is not None:
        return False
    contact.shopify_customer_id = shopify_id
    return True


def unlink(shop_id: int, shopify_id: int) -> Contact | None:
    """Let go of the customer's id: Shopify has it no more. The contact keeps its history."""
    take_turn(shop_id)
    contact = find(shop_id, shopify_id, (), None)
    if contact is not None:
        contact.shopify_customer_id = contact.shopify_updated_at = None
        contact.shopify_consent = contact.shopify_consent_at = None
        contact.updated_at = now()
    return contact


def hear_consent(shop_id: int, contact: Contact, stated: StatedConsent, evidence: Evidence) -> bool:
    """Take in what Shopify says of the consent to the contact's number. True when ours changed.

    What Shopify is known to say is kept beside ours, so that it can be told where the two differ.
    """
    changed = False
    if stated.consent != Consent.UNKNOWN and stated.at is not None:
        changed = dated_consent.settle(shop_id, contact, stated.consent, stated.at, evidence=evidence)
    _note(contact, stated)
    return changed


def note_told(
    shop_id: int, contact_id: int, shopify_id: int, answer: StatedConsent, phone: str | None
) -> None:
    """Keep what Shopify says of the consent to `phone` after it was told ours. What it knew better counts."""
    take_turn(shop_id)
    told = select(Contact).where(
        Contact.shop_id == shop_id, Contact.id == contact_id, Contact.shopify_customer_id == shopify_id
    )
    contact = require_unit_of_work().scalar(told.with_for_update())
    if contact is not None and contact.phone == phone:
        hear_consent(shop_id, contact, answer, {"topic": "answer"})
    elif contact is not None:
        _note(contact, answer)


def hear_of_number(shop_id: int, phone: Phone, stated: StatedConsent, evidence: Evidence) -> bool:
    """The same for a number by itself. A consent to a number without a contact waits for its contact."""
    owner = find(shop_id, None, [phone.e164], None)
    if stated.at is None or stated.consent == Consent.UNKNOWN:
        return False
    if owner is not None:
        return dated_consent.settle(shop_id, owner, stated.consent, stated.at, evidence=evidence)
    if stated.consent == Consent.OPTED_IN:
        return False
    return dated_consent.withdraw_number(shop_id, phone.e164, stated.at, evidence=evidence)


def change_phone(
    shop_id: int,
    contact: Contact,
    phone: Phone,
    stated: StatedConsent,
    moved_at: datetime,
    evidence: Evidence,
) -> bool:
    """Give the contact another number. False when another contact has it: then nothing changes."""
    if find(shop_id, None, [phone.e164], None) is not None:
        return False
    old_phone = contact.phone
    contact.phone, contact.region, contact.updated_at = phone.e164, phone.region, now()
    require_unit_of_work().flush()
    dated_consent.move(
        shop_id, contact, old_phone, stated.consent, stated.at, moved_at=moved_at, evidence=evidence
    )
    contact.shopify_consent = contact.shopify_consent_at = None
    _note(contact, stated)
    return True


def _note(contact: Contact, stated: StatedConsent) -> None:
    if stated.at is None or stated.consent == Consent.UNKNOWN or stated.at > now() + dated_consent.SKEW:
        return
    # At the same second the later arrival is believed: if it contradicts our opt-out, Shopify is told again.
    if contact.shopify_consent_at is None or stated.at >= contact.shopify_consent_at:
        contact.shopify_consent, contact.shopify_consent_at = stated.consent, stated.at


def _is_taken(shop_id: int, contact: Contact, email: str) -> bool:
    owner = find(shop_id, None, (), email)
    return owner is not None and owner.id != contact.id
