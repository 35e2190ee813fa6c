"""Builders of contacts, and what a test may ask about consent."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.contacts import consent as consents
from app.contacts.models import Consent, ConsentEvent, ConsentSource, Contact, Suppression
from app.core.uow import unit_of_work
from app.shops.models import Shop

numbers = itertools.count(1)

MANY = sa.text("""
INSERT INTO contacts (shop_id, phone, region, first_name, last_name)
SELECT :shop_id, '+3069' || lpad(CAST(n AS text), 8, '0'), 'GR', 'Maria', 'Papadopoulou ' || n
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n
RETURNING id, phone
""")


def a_phone() -> str:
    """A valid Greek mobile number that no other builder has used."""
    return f"+3069{next(numbers):08}"


def a_contact(
    shop: Shop,
    *,
    consent: str = Consent.OPTED_IN,
    source: ConsentSource = ConsentSource.MANUAL,
    **columns: Any,
) -> Contact:
    """A contact who consents, unless told otherwise; `columns` are those of the table."""
    with unit_of_work(shop.id) as session:
        contact = Contact(shop_id=shop.id, **{"phone": a_phone(), "region": "GR", **columns})
        session.add(contact)
        consents.restate(shop.id, contact, Consent(consent), source=source)
        session.flush()
        session.refresh(contact)
    session.expunge(contact)  # it keeps its values when a refused request rolls the shared session back
    return contact


def contacts(shop: Shop, count: int, *, consent: str = Consent.OPTED_IN) -> list[int]:
    """Many contacts in few statements; gives their ids in order."""
    first = next(numbers)
    for _ in range(count - 1):
        next(numbers)
    with unit_of_work(shop.id) as session:
        given = {"shop_id": shop.id, "first": first, "last": first + count - 1}
        added = {row.id: row.phone for row in session.execute(MANY, given)}
        if consent == Consent.OPTED_IN:
            consents.grant_by_phones(shop.id, added.values(), source=ConsentSource.IMPORT)
        elif consent == Consent.OPTED_OUT:
            consents.withdraw_by_phones(shop.id, added.values(), source=ConsentSource.MANUAL)
    return sorted(added)


def a_suppression(shop: Shop, phone: str | None = None) -> str:
    """A number that has opted out by reply; gives the number."""
    phone = phone or a_phone()
    with unit_of_work(shop.id):
        consents.withdraw_by_phone(shop.id, phone, source=ConsentSource.SMS_REPLY)
    return phone


def consent_events(shop: Shop) -> Sequence[ConsentEvent]:
    """The shop's consent events, oldest first."""
    with unit_of_work(shop.id) as session:
        return session.scalars(sa.select(ConsentEvent).order_by(ConsentEvent.id)).all()


def suppressed_phones(shop: Shop) -> set[str]:
    """The numbers on the shop's suppression list."""
    with unit_of_work(shop.id) as session:
        return set(session.scalars(sa.select(Suppression.phone)))


def reload_contact(shop: Shop, contact_id: int) -> Contact | None:
    """The contact as the database has it now."""
    with unit_of_work(shop.id) as session:
        return session.get(Contact, contact_id, populate_existing=True)
