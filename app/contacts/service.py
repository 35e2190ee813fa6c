"""Contacts: keep them, find them, count them, and keep the suppression list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextlib import suppress as suppress_errors
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Select, delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.contacts import consent, exporting, finding, queries, suppression_file, values
from app.contacts import cursor as cursors
from app.contacts.errors import ContactNotFound, EmailTaken, ListNotFound, NotSuppressed, PhoneTaken
from app.contacts.models import Consent, ConsentSource, Contact, Suppression
from app.contacts.queries import ContactFilter
from app.core.activity import record
from app.core.cache import changed
from app.core.clock import now
from app.core.errors import DomainError, ValidationFailed
from app.core.http import Page
from app.core.uow import unit_of_work
from app.shops import service as shops

T = TypeVar("T")
MembersOf = Callable[[int, int], Select[int] | None]
BIRTHDAYS_SHOWN = 1000
CONFLICTS: dict[str, type[DomainError]] = {
    "uq_contacts_shop_id_phone": PhoneTaken,
    "uq_contacts_shop_id_email": EmailTaken,
}
_members_of: MembersOf = queries.explicit_members


@dataclass(frozen=True)
class ContactPage(Page[Contact]):
    """One page of contacts, the filter that chose them, and where the next one begins.

    `total` may stop at 10,000 for searches and rare filters; `is_total_exact` says so.
    """

    applied: ContactFilter = field(default_factory=ContactFilter)
    next_cursor: str | None = None
    is_total_exact: bool = True
    is_after_cursor: bool = False

    @property
    def pagination(self) -> dict[str, Any]:
        has_previous = self.is_after_cursor or self.page > 1
        has_next = self.next_cursor is not None
        return {**super().pagination, "hasNextPage": has_next, "hasPrevPage": has_previous}


def resolve_lists_with(members_of: MembersOf) -> None:
    """Let the feature that owns segments say who is on a list, rules included.

    `members_of(shop_id, list_id)` is called in a unit of work and gives a selectable of contact ids, or None
    when the shop has no such list. Call it once, when the application is made.
    """
    global _members_of
    _members_of = members_of


def list_contacts(
    shop_id: int,
    wanted: ContactFilter,
    *,
    page: int,
    page_size: int,
    cursor: str | None = None,
    within: Select[int] | None = None,
) -> ContactPage:
    """One page of the shop's contacts, narrowed to the ids of `within` when given.

    With a `cursor`, what comes after it, whatever `page` says: that costs the same anywhere in the list, and
    nobody who stays in the list is shown twice or left out when others come and go. Raises ListNotFound, and
    ValidationFailed for a cursor of another list.
    """
    came_from = cursors.read(cursor, wanted) if cursor else None
    with unit_of_work(shop_id):
        members = [] if within is None else [within]
        if wanted.list_id is not None:
            members.append(_on_list(shop_id, wanted.list_id))
        found = finding.find(shop_id, wanted, members, page=page, page_size=page_size, after=came_from)
    leads_to = cursors.write(found.leads_to, wanted) if found.leads_to else None
    return ContactPage(
        found.contacts, found.total, page, page_size, wanted, leads_to, found.is_exact, came_from is not None
    )


def export_contacts(shop_id: int, wanted: ContactFilter) -> Iterator[str]:
    """The contacts that `wanted` chooses, with the evidence of their consent, as pieces of a CSV file.

    Raises ListNotFound before the first piece.
    """

    def members() -> list[Select[int]]:
        return [] if wanted.list_id is None else [_on_list(shop_id, wanted.list_id)]

    with unit_of_work(shop_id):
        members()
        record(shop_id, "contact.exported", "contact")
    return exporting.contacts_file(shop_id, wanted, members)


def find_contact(shop_id: int, contact_id: int) -> Contact:
    """The contact. Raises ContactNotFound."""
    with unit_of_work(shop_id) as session:
        return _found(session.scalar(_one(shop_id, contact_id)))


def create_contact(shop_id: int, given: dict[str, Any]) -> Contact:
    """Add a contact. A suppressed number is stored as opted out, whatever was said about it.

    Raises ValidationFailed, PhoneTaken or EmailTaken.
    """
    with unit_of_work(shop_id) as session:
        consent.take_turn(shop_id)
        columns = _columns(shop_id, given)
        contact = Contact(shop_id=shop_id, **columns)
        session.add(contact)
        with _named_conflicts():
            session.flush()  # the consent event needs the id; a taken phone or e-mail shows here
        consent.restate(shop_id, contact, _stated(given) or Consent.UNKNOWN)
        session.flush()
        session.refresh(contact)  # what the database computes, while its rows can still be seen
    return contact


def update_contact(shop_id: int, contact_id: int, changes: dict[str, Any]) -> Contact:
    """Change what `changes` names; None clears. Stating consent for an opted-out number is a new consent.

    Raises ContactNotFound, ValidationFailed, PhoneTaken or EmailTaken.
    """
    with unit_of_work(shop_id) as session:
        consent.take_turn(shop_id)
        contact = _found(session.scalar(_one(shop_id, contact_id).with_for_update()))
        old_phone, stated = contact.phone, _stated(changes)
        for column, value in _columns(shop_id, changes).items():
            setattr(contact, column, value)
        contact.updated_at = now()
        with _named_conflicts():
            session.flush()  # a taken phone or e-mail shows here
        if contact.phone != old_phone:
            consent.move(shop_id, contact, old_phone, stated)
        elif stated is not None:
            consent.restate(shop_id, contact, stated, lift_suppression=True)
        session.flush()
        session.refresh(contact)
    return contact


def delete_contact(shop_id: int, contact_id: int) -> None:
    """Forget the contact. Its messages, consent events and suppression stay. Raises ContactNotFound."""
    with unit_of_work(shop_id) as session:
        gone = session.execute(
            delete(Contact).where(Contact.shop_id == shop_id, Contact.id == contact_id).returning(Contact.id)
        ).first()
        if gone is None:
            raise ContactNotFound
        record(shop_id, "contact.deleted", "contact", contact_id)
        changed(shop_id, "contacts")


def contact_stats(shop_id: int) -> dict[str, Any]:
    """The shop's contacts counted by consent, gender and birth date; rates are percentages."""
    with unit_of_work(shop_id):
        counted = dict(queries.figures(shop_id))
    total = counted["total"] or 1
    return {
        **counted,
        "consent_rate": round(counted["opted_in"] * 100 / total, 1),
        "without_birth_date": counted["total"] - counted["with_birth_date"],
        "birth_date_rate": round(counted["with_birth_date"] * 100 / total, 1),
    }


def upcoming_birthdays(shop_id: int, *, days_ahead: int) -> dict[str, Any]:
    """Opted-in contacts with a birthday today, in the shop's time zone, or in the next `days_ahead` days.

    29 February is kept on the 28th in common years. At most 1000 contacts; `total` counts all.
    """
    with unit_of_work(shop_id):
        today = now().astimezone(shops.zone_of(shops.find_shop(shop_id))).date()
        rows = queries.birthdays(shop_id, today=today, days_ahead=days_ahead, most=BIRTHDAYS_SHOWN)
    total = rows[0]["total"] if rows else 0
    return {"days_ahead": days_ahead, "total": total, "count": len(rows), "contacts": rows}


def list_suppressions(shop_id: int, *, page: int, page_size: int) -> Page[Suppression]:
    """One page of the numbers that get no texts from this shop, the latest first."""
    with unit_of_work(shop_id) as session:
        listed = select(Suppression).where(Suppression.shop_id == shop_id)
        ordered = listed.order_by(Suppression.created_at.desc(), Suppression.phone)
        rows, total = _page(session, listed, ordered, page, page_size)
    return Page(rows, total, page, page_size)


def suppress(shop_id: int, phones: Sequence[Any]) -> dict[str, Any]:
    """Opt numbers out by hand, contacts or not; a number that has opted out already stays so.

    A number that cannot be read is reported with its row, counted from 1, and the others are taken.
    """
    return _suppress(shop_id, enumerate(phones, start=1), ConsentSource.MANUAL)


def import_suppressions(shop_id: int, content: bytes) -> dict[str, Any]:
    """The same for a file of numbers: CSV with a header, or one number a line. Doing it again adds nothing.

    Raises ValidationFailed for a file that cannot be read, has no rows, or too many.
    """
    return _suppress(shop_id, suppression_file.read_numbers(content), ConsentSource.IMPORT)


def _suppress(shop_id: int, rows: Iterable[tuple[int, Any]], source: ConsentSource) -> dict[str, Any]:
    with unit_of_work(shop_id):
        country = shops.find_shop(shop_id).country
        readable: list[str] = []
        errors: list[dict[str, Any]] = []
        for row, raw in rows:
            try:
                readable.append(values.read_phone(raw if isinstance(raw, str) else "", country).e164)
            except ValueError as refusal:
                errors.append({"row": row, "phone": str(raw)[:50], "error": str(refusal)})
        added = len(consent.withdraw_by_phones(shop_id, readable, source=source))
        record(shop_id, "suppression.added", "suppression", given=len(readable), added=added)
    return {"added": added, "already": len(readable) - added, "errors": errors}


def unsuppress(shop_id: int, phone: str) -> None:
    """Take a number off the suppression list; consent must be given anew. Raises NotSuppressed."""
    with unit_of_work(shop_id):
        with suppress_errors(ValueError):  # what was valid when it was stored may not be so any more
            phone = values.read_phone(phone, shops.find_shop(shop_id).country).e164
        if not consent.lift_suppression(shop_id, phone):
            raise NotSuppressed
        record(shop_id, "suppression.lifted", "suppression")


def _one(shop_id: int, contact_id: int) -> Select[Contact]:
    return select(Contact).where(Contact.shop_id == shop_id, Contact.id == contact_id)


def _found(contact: Contact | None) -> Contact:
    if contact is None:
        raise ContactNotFound
    return contact


def _on_list(shop_id: int, list_id: int) -> Select[int]:
    members = _members_of(shop_id, list_id)
    if members is None:
        raise ListNotFound
    return members


def _page(
    session: Session, chosen: Select[T], ordered: Select[T], page: int, page_size: int
) -> tuple[Sequence[T], int]:
    total = session.scalar(select(func.count()).select_from(chosen.order_by(None).subquery())) or 0
    return session.scalars(ordered.limit(page_size).offset((page - 1) * page_size)).all(), total


def _columns(shop_id: int, given: dict[str, Any]) -> dict[str, Any]:
    """What was given about a contact as column values, consent apart. Raises ValidationFailed."""
    shop = shops.find_shop(shop_id)
    columns: dict[str, Any] = {
        key: given[key] for key in ("first_name", "last_name", "email", "gender", "tags") if key in given
    }
    if given.get("phone") is not None:
        with _refusing("phoneE164"):
            phone = values.read_phone(given["phone"], shop.country)
        columns |= {"phone": phone.e164, "region": phone.region}
    if "birth_date" in given:
        zone = shops.zone_of(shop)
        with _refusing("birthDate"):
            columns["birth_date"] = values.read_birth_date(
                given["birth_date"] or "", zone, now().astimezone(zone).date()
            )
    return columns


def _stated(given: dict[str, Any]) -> Consent | None:
    """The consent that the request states, if any. "Not subscribed" outweighs a consent beside it."""
    if given.get("is_subscribed") is False:
        return Consent.OPTED_OUT
    return Consent(given["consent"]) if given.get("consent") else None


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as refusal:
        raise ValidationFailed(name, str(refusal)) from None


@contextmanager
def _named_conflicts() -> Iterator[None]:
    try:
        yield
    except IntegrityError as broken:
        refusal = CONFLICTS.get(broken.orig.diag.constraint_name or "")  # type: ignore[union-attr]
        if refusal is None:
            raise
        raise refusal from None
