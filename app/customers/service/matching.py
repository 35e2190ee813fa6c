"""Which contact somebody is who did something in the shop."""

from __future__ import annotations

from typing import Any

from app.contacts import shopify_customers as contacts
from app.contacts.consent_record import take_turn
from app.contacts.models import Consent, Contact
from app.contacts.shopify_customers import Customer
from app.customers.service import payloads
from app.shops import service as shops


def contact_of(
    shop_id: int,
    customer: dict[str, Any] | None,
    phone: str | None,
    email: str | None,
    *,
    region: str | None,
) -> int | None:
    """The id of the contact who did it: by customer id, then phone, then e-mail; made when a phone is valid.

    `customer` is the customer inside Shopify's payload; `phone` and `email` are those given with the deed,
    and `region` is the country of national numbers. Gaps of the contact are filled, nothing is overwritten.
    The consent in the payload counts for the customer's own number only, newest wins. None when nobody is
    known and no number can receive texts. A step; doing it again changes nothing.
    """
    country = region or shops.find_shop(shop_id).country
    told = payloads.read_customer(customer or {}, country)
    given = payloads.read_phone(phone, country)
    addresses = [one for one in (told.email, payloads.read_email(email)) if one]
    phones = [one for one in (told.phone, given) if one]
    numbers = list(dict.fromkeys(one.e164 for one in phones))
    found = _found(shop_id, told, numbers, addresses)
    if found and _says_nothing_new(found, told):
        return found.id
    take_turn(shop_id)
    contact = _found(shop_id, told, numbers, addresses)
    if contact is None:
        if not phones:
            return None
        contact = contacts.add(shop_id, phones[0])
    _take_in(shop_id, contact, told, customer or {})
    return contact.id


def _found(shop_id: int, told: Customer, numbers: list[str], addresses: list[str]) -> Contact | None:
    found = contacts.find(shop_id, told.shopify_id, numbers, addresses[0] if addresses else None)
    return found or (contacts.find(shop_id, None, (), addresses[1]) if len(addresses) > 1 else None)


def _says_nothing_new(contact: Contact, told: Customer) -> bool:
    """Whether the shop's turn need not be taken: many orders come from customers that are known already."""
    known = (contact.shopify_consent, contact.shopify_consent_at)
    says_consent = told.stated.consent != Consent.UNKNOWN and _is_theirs(contact, told)
    return (
        (told.shopify_id is None or contact.shopify_customer_id == told.shopify_id)
        and (not says_consent or known == (told.stated.consent, told.stated.at))
        and all((contact.first_name or not told.first_name, contact.last_name or not told.last_name))
        and bool(contact.email or not told.email)
        and set(told.tags) <= set(contact.tags)
    )


def _take_in(shop_id: int, contact: Contact, told: Customer, customer: dict[str, Any]) -> None:
    contacts.write(shop_id, contact, told, only_gaps=True)
    is_theirs = _is_theirs(contact, told)
    # The number given with an order may be that of whom it is sent to.
    if told.shopify_id is not None and (is_theirs or told.phone is None):
        contacts.link(shop_id, contact, told.shopify_id)
    if is_theirs:
        evidence = payloads.consent_evidence(customer, seen_with="order")
        contacts.hear_consent(shop_id, contact, told.stated, evidence)


def _is_theirs(contact: Contact, told: Customer) -> bool:
    return told.phone is not None and told.phone.e164 == contact.phone
