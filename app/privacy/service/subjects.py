"""Whom a request is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.phones import NotAPhone, parse_phone
from app.core.uow import require_unit_of_work
from app.integrations.shopify.events import object_id
from app.privacy import queries
from app.shops.models import Shop

NOBODY = -1  # no customer and no contact has this id


@dataclass(frozen=True)
class Subject:
    """A person, by everything that leads to their rows. All their numbers, present and past."""

    customer_id: int
    email: str | None
    phones: tuple[str, ...]
    contact_ids: tuple[int, ...]
    order_ids: tuple[int, ...]

    @property
    def words(self) -> list[str]:
        """What names the person."""
        return [*self.phones, *([self.email] if self.email else [])]

    def values(self, shop_id: int, inbox_id: int) -> dict[str, Any]:
        """The parameters that the statements of `queries` share."""
        customer = [f"customers:{self.customer_id}"] if self.customer_id != NOBODY else []
        return {
            "shop_id": shop_id,
            "inbox_id": inbox_id,
            "customer_id": self.customer_id,
            "email": self.email,
            "phones": list(self.phones),
            "words": self.words,
            "contact_ids": list(self.contact_ids),
            "order_ids": list(self.order_ids),
            "object_keys": [*customer, *(f"orders:{order_id}" for order_id in self.order_ids)],
        }


def subject_of(shop_id: int, inbox_id: int) -> Subject | None:
    """The person of a request, as the inbox names them; None once that was scrubbed or forgotten. A step."""
    session = require_unit_of_work()
    payload = session.scalar(queries.SUBJECT, {"shop_id": shop_id, "inbox_id": inbox_id})
    if payload is None:
        return None
    customer = payload.get("customer") if isinstance(payload.get("customer"), dict) else {}
    shop = session.get(Shop, shop_id)
    phone = _phone(customer.get("phone"), shop.country if shop else "GR")
    email = str(customer.get("email") or "").strip().lower() or None
    number = object_id(customer.get("id")) or NOBODY
    values = {"shop_id": shop_id, "customer_id": number, "phone": phone, "email": email}
    contacts = session.execute(queries.CONTACTS_OF, values).all()
    named = sorted({contact.phone for contact in contacts} | ({phone} if phone else set()))
    phones = session.scalars(queries.EARLIER_PHONES, {"shop_id": shop_id, "phones": named}).all()
    return Subject(
        number, email, tuple(sorted(phones)), tuple(contact.id for contact in contacts), _orders(payload)
    )


def _phone(raw: object, country: str) -> str | None:
    try:
        return parse_phone(raw, country).e164 if isinstance(raw, str) and raw.strip() else None
    except NotAPhone:
        return None


def _orders(payload: Mapping[str, Any]) -> tuple[int, ...]:
    listed = payload.get("orders_to_redact") or payload.get("orders_requested") or ()
    given: Sequence[Any] = listed if isinstance(listed, list) else ()
    return tuple(number for one in given if (number := object_id(one)) is not None)
