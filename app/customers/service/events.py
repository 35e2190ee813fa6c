"""What Shopify's customer webhooks do to contacts. Steps of the inbox: each gives a word for what it did.

Events come twice, late and in any order. A customer is judged by its `updated_at`, a consent by its
`consent_updated_at`, never by when it arrived.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from app.contacts import shopify_customers as contacts
from app.contacts.consent_record import take_turn
from app.contacts.models import Consent, Contact
from app.contacts.shopify_customers import Customer
from app.core.clock import now
from app.core.queue import wake
from app.core.uow import after_commit
from app.customers import queries
from app.customers.service import payloads
from app.integrations.shopify.events import ShopifyEvent, object_id
from app.shops import service as shops

APPLIED, STALE = "applied", "stale"
UNKNOWN_CUSTOMER, NO_PHONE, NO_CUSTOMER = "unknown_customer", "no_phone", "names_no_customer"
PHONE_TAKEN = "phone_of_another_contact"
NOT_OURS = "unknown_operation"


def customer_changed(event: ShopifyEvent) -> str:
    """customers/create and customers/update: the customer's contact is made, or brought up to date.

    Idempotent by the customer's id and `updated_at`; what is older than we have is ignored, but for its
    consent, which has a time of its own. Nothing is overwritten with nothing.
    """
    told = payloads.read_customer(event.payload, shops.find_shop(event.shop_id).country)
    if told.shopify_id is None:
        return NO_CUSTOMER
    take_turn(event.shop_id)
    contact = _contact_of(event.shop_id, told)
    if contact is None:
        if told.phone is None:
            return NO_PHONE
        contact = contacts.add(event.shop_id, told.phone)
    return _bring_up_to_date(event, contact, told)


def consent_changed(event: ShopifyEvent) -> str:
    """customers_marketing_consent/update: the consent to one number, newest wins, an opt-out wins a tie.

    A number that is not, or not yet, the contact's is settled by itself.
    """
    payload = {**event.payload, "id": event.payload.get("customer_id")}
    told = payloads.read_customer(payload, shops.find_shop(event.shop_id).country)
    if told.shopify_id is None:
        return NO_CUSTOMER
    take_turn(event.shop_id)
    numbers = [told.phone.e164] if told.phone else []
    contact = contacts.find(event.shop_id, told.shopify_id, numbers, None)
    if contact is None:
        if told.phone is None or told.stated.consent == Consent.UNKNOWN:
            return UNKNOWN_CUSTOMER
        contact = contacts.add(event.shop_id, told.phone)
    contacts.link(event.shop_id, contact, told.shopify_id)
    return _hear_consent(event, contact, told)


def customer_deleted(event: ShopifyEvent) -> str:
    """customers/delete: the contact keeps its history and its consent; the reference is dropped."""
    shopify_id = object_id(event.payload.get("id"))
    if shopify_id is None:
        return NO_CUSTOMER
    gone = contacts.unlink(event.shop_id, shopify_id)
    return APPLIED if gone else UNKNOWN_CUSTOMER


def customers_merged(event: ShopifyEvent) -> str:
    """customers/merge: the customer that is gone leaves its contact to the one that stays.

    Two contacts stay two, because a consent belongs to a number; the one that is left over keeps its history.
    """
    kept_id, gone_id = _merged(event.payload)
    if kept_id is None or gone_id is None or kept_id == gone_id:
        return NO_CUSTOMER
    gone = contacts.unlink(event.shop_id, gone_id)
    if gone is None:
        return UNKNOWN_CUSTOMER
    contacts.link(event.shop_id, gone, kept_id)
    return APPLIED


def bulk_finished(event: ShopifyEvent) -> str:
    """bulk_operations/finish: the import that waits for the file goes on. Idempotent by its id."""
    operation_id = event.payload.get("admin_graphql_api_id")
    kind = event.payload.get("type")
    if not isinstance(operation_id, str) or (isinstance(kind, str) and kind.lower() != "query"):
        return NOT_OURS
    if queries.note_finished(event.shop_id, operation_id[:200], now()) is None:
        return NOT_OURS
    after_commit(lambda: wake("customers.import_all", event.shop_id))
    return APPLIED


def _contact_of(shop_id: int, told: Customer) -> Contact | None:
    """Two numbers are two contacts: the e-mail decides only about a customer without a usable number."""
    numbers = [told.phone.e164] if told.phone else []
    contact = contacts.find(shop_id, told.shopify_id, numbers, None if told.phone else told.email)
    is_anothers = contact and contact.shopify_customer_id not in (None, told.shopify_id)
    return None if is_anothers and not told.phone else contact


def _bring_up_to_date(event: ShopifyEvent, contact: Contact, told: Customer) -> str:
    is_linked = contacts.link(event.shop_id, contact, told.shopify_id or 0)
    if is_linked and _is_older(told, contact):
        _hear_if_theirs(event, contact, told)
        return STALE
    contacts.write(event.shop_id, contact, told, only_gaps=not is_linked)
    outcome = APPLIED
    if is_linked:
        contact.shopify_updated_at = told.updated_at or contact.shopify_updated_at
        outcome = _follow_phone(event, contact, told)
    _hear_if_theirs(event, contact, told)
    return outcome


def _is_older(told: Customer, contact: Contact) -> bool:
    known_at: datetime | None = contact.shopify_updated_at
    return known_at is not None and (told.updated_at is None or told.updated_at < known_at)


def _follow_phone(event: ShopifyEvent, contact: Contact, told: Customer) -> str:
    if told.phone is None or told.phone.e164 == contact.phone:
        return APPLIED
    moved = contacts.change_phone(
        event.shop_id,
        contact,
        told.phone,
        told.stated,
        told.updated_at or event.triggered_at,
        _evidence(event),
    )
    return APPLIED if moved else PHONE_TAKEN


def _hear_if_theirs(event: ShopifyEvent, contact: Contact, told: Customer) -> None:
    if told.phone is not None and told.phone.e164 == contact.phone:
        contacts.hear_consent(event.shop_id, contact, told.stated, _evidence(event))


def _hear_consent(event: ShopifyEvent, contact: Contact, told: Customer) -> str:
    """An opt-out of the customer counts for the contact under whatever number; a consent for its own only."""
    is_theirs = told.phone is not None and told.phone.e164 == contact.phone
    evidence = _evidence(event)
    changed = False
    if is_theirs or told.stated.consent == Consent.OPTED_OUT:
        changed = contacts.hear_consent(event.shop_id, contact, told.stated, evidence)
    if told.phone is not None and not is_theirs:
        changed = contacts.hear_of_number(event.shop_id, told.phone, told.stated, evidence) or changed
    return APPLIED if changed else STALE


def _evidence(event: ShopifyEvent) -> dict[str, str]:
    return payloads.consent_evidence(event.payload, topic=event.topic, webhook_id=event.webhook_id)


def _merged(payload: Mapping[str, object]) -> tuple[int | None, int | None]:
    """(kept, gone). NC: the payload's names are those of Shopify's documentation of customers/merge."""
    kept = payload.get("admin_graphql_api_customer_kept_id")
    gone = payload.get("admin_graphql_api_customer_deleted_id")
    return object_id(kept), object_id(gone)
