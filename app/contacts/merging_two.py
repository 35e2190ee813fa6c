"""Two contacts that are one person: one stays, with the facts of both."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, text

from app.contacts import consent, values
from app.contacts.errors import ContactNotFound
from app.contacts.models import Consent, ConsentSource, Contact
from app.core.activity import record
from app.core.clock import now
from app.core.errors import ValidationFailed
from app.core.uow import require_unit_of_work, unit_of_work

FILLED = ("first_name", "last_name", "gender", "birth_date")

MOVE_MEMBERSHIPS = text("""
INSERT INTO segment_members (shop_id, segment_id, contact_id)
SELECT shop_id, segment_id, :kept_id FROM segment_members
WHERE shop_id = :shop_id AND contact_id = :gone_id
ON CONFLICT DO NOTHING
""")
# The kept contact counts the orders of both, so it has them.
MOVE_ORDERS = text(
    "UPDATE orders SET contact_id = :kept_id WHERE shop_id = :shop_id AND contact_id = :gone_id"
)
MOVE_CHECKOUTS = text(
    "UPDATE checkouts SET contact_id = :kept_id WHERE shop_id = :shop_id AND contact_id = :gone_id"
)
LEAVE_SEGMENTS = text("DELETE FROM segment_members WHERE shop_id = :shop_id AND contact_id = :gone_id")
DELETE = text("DELETE FROM contacts WHERE shop_id = :shop_id AND id = :gone_id")


def merge_contacts(shop_id: int, *, keep_id: int, merge_id: int) -> Contact:
    """Give one contact the facts of another one and delete that one, in one transaction.

    What is missing is filled, tags are united, orders are summed, the earlier creation counts. Consent is a
    number's: the kept number keeps its own, the other one's opt-out stays on the suppression list and its
    evidence where it was. So no consent of one number ever speaks for the other.

    Raises ContactNotFound, and ValidationFailed for a contact that is to be merged with itself. Merging again
    finds no second contact.
    """
    if keep_id == merge_id:
        raise ValidationFailed("mergeId", "must be another contact than keepId")
    with unit_of_work(shop_id) as session:
        consent.take_turn(shop_id)
        both = select(Contact).where(Contact.shop_id == shop_id, Contact.id.in_((keep_id, merge_id)))
        found = {
            contact.id: contact for contact in session.scalars(both.order_by(Contact.id).with_for_update())
        }
        if len(found) < 2:
            raise ContactNotFound
        kept, gone = found[keep_id], found[merge_id]
        facts = _facts_of_both(kept, gone)
        if gone.consent == Consent.OPTED_OUT:
            consent.withdraw_by_phone(shop_id, gone.phone, source=ConsentSource.MANUAL)
        _delete(shop_id, kept.id, gone)
        for column, value in facts.items():
            setattr(kept, column, value)
        kept.updated_at = now()
        record(shop_id, "contact.merged", "contact", keep_id, merged=merge_id)
        session.flush()
        session.refresh(kept)
    return kept


def _facts_of_both(kept: Contact, gone: Contact) -> dict[str, Any]:
    facts: dict[str, Any] = {name: getattr(kept, name) or getattr(gone, name) for name in (*FILLED, "email")}
    ordered = [one for one in (kept.first_order_at, gone.first_order_at) if one]
    last_ordered = [one for one in (kept.last_order_at, gone.last_order_at) if one]
    return {
        **facts,
        "tags": list(dict.fromkeys([*kept.tags, *gone.tags]))[: values.TAGS_MAX],
        "orders_count": kept.orders_count + gone.orders_count,
        "first_order_at": min(ordered, default=None),
        "last_order_at": max(last_ordered, default=None),
        "created_at": min(kept.created_at, gone.created_at),
    }


def _delete(shop_id: int, kept_id: int, gone: Contact) -> None:
    """Before the kept contact is written: an e-mail address belongs to one contact at a time."""
    session = require_unit_of_work()
    given = {"shop_id": shop_id, "kept_id": kept_id, "gone_id": gone.id}
    for statement in (MOVE_MEMBERSHIPS, MOVE_ORDERS, MOVE_CHECKOUTS, LEAVE_SEGMENTS, DELETE):
        session.execute(statement, given)
    session.expunge(gone)
