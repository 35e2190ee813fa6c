"""Lists to keep: contacts with the evidence of their consent, and the suppression list, as CSV.

Rows are read a portion at a time, each in a short transaction of its own, and never held all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, select, text

from app.contacts import finding, walking
from app.contacts.models import Contact, Suppression
from app.contacts.queries import ContactFilter
from app.contacts.walking import Order, Position
from app.core.csv import Cell, Row, csv_file
from app.core.uow import require_unit_of_work, unit_of_work

PORTION = 1000
CONTACT_HEADER = (
    "phoneE164", "firstName", "lastName", "email", "gender", "birthDate", "smsConsent", "tags", "ordersCount",
    "lastOrderAt", "createdAt", "smsConsentAt", "consentSource", "unsubscribedAt", "evidenceAction",
    "evidenceSource", "evidenceAt", "evidenceWording", "evidence",
)  # fmt: skip
SUPPRESSION_HEADER = ("phone", "source", "createdAt")

# The latest word on each number: it is what its consent rests on.
LATEST_EVIDENCE = text("""
SELECT DISTINCT ON (phone) phone, action, source, at, wording, CAST(evidence AS text) AS evidence
FROM consent_events
WHERE shop_id = :shop_id AND phone = ANY(CAST(:phones AS text[]))
ORDER BY phone, id DESC
""")


def contacts_file(
    shop_id: int, wanted: ContactFilter, members: Callable[[], Sequence[Select[int]]]
) -> Iterator[str]:
    """The contacts that `wanted` chooses, in its order, as lines of CSV.

    `members` gives the ids on the lists that `wanted` names; it is called in a unit of work.
    """
    return csv_file(CONTACT_HEADER, _contacts(shop_id, wanted, members))


def _contacts(
    shop_id: int, wanted: ContactFilter, members: Callable[[], Sequence[Select[int]]]
) -> Iterator[Row]:
    order = Order(wanted.sort_by, wanted.sort_order == "desc")
    position: Position | None = None
    while True:
        with unit_of_work(shop_id):
            chosen = finding.choose(shop_id, wanted, members())
            rows = walking.rows_to_walk(chosen.contacts, order, are_few=chosen.are_few)
            ids = walking.ids_after(rows, order, position, PORTION)
            contacts = finding.read_in_order(shop_id, ids)
            evidence = _evidence(shop_id, [contact.phone for contact in contacts])
            require_unit_of_work().expunge_all()
        if contacts:
            yield from (_contact(contact, evidence.get(contact.phone)) for contact in contacts)
            position = Position(getattr(contacts[-1], order.column.key), contacts[-1].id)
        if len(ids) < PORTION:
            return


def suppressions_file(shop_id: int) -> Iterator[str]:
    """The whole suppression list as lines of CSV, by number; what `POST /suppressions/import` takes back."""
    return csv_file(SUPPRESSION_HEADER, _suppressions(shop_id))


def _suppressions(shop_id: int) -> Iterator[Row]:
    after = ""
    while True:
        portion = (
            select(Suppression)
            .where(Suppression.shop_id == shop_id, Suppression.phone > after)
            .order_by(Suppression.phone)
            .limit(PORTION)
        )
        with unit_of_work(shop_id) as session:
            found = session.scalars(portion).all()
            session.expunge_all()
        if found:
            yield from ((one.phone, one.source, _told(one.created_at)) for one in found)
            after = found[-1].phone
        if len(found) < PORTION:
            return


def _evidence(shop_id: int, phones: Sequence[str]) -> dict[str, Any]:
    rows = require_unit_of_work().execute(LATEST_EVIDENCE, {"shop_id": shop_id, "phones": list(phones)})
    return {row.phone: row for row in rows}


def _contact(one: Contact, proof: Any) -> Iterable[Cell]:
    yield from (one.phone, one.first_name, one.last_name, one.email, one.gender, _told(one.birth_date))
    yield from (one.consent, ";".join(one.tags), one.orders_count, _told(one.last_order_at))
    yield from (_told(one.created_at), _told(one.consent_at), one.consent_source, _told(one.unsubscribed_at))
    if proof:
        yield from (proof.action, proof.source, _told(proof.at), proof.wording, proof.evidence)
    else:
        yield from (None,) * 5


def _told(moment: date | None) -> str | None:
    if isinstance(moment, datetime):
        return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
    return moment.isoformat() if moment else None
