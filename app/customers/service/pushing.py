"""Telling Shopify of consent that was given or withdrawn here.

What must be told stands on the contacts: where ours and Shopify's differ, and ours is not older. Shopify
believes the newest word, so each is sent with the time at which it was true; twice does no harm.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Row

from app.connections.errors import NotConnected
from app.connections.service import tokens
from app.contacts import shopify_customers as contacts
from app.contacts.models import Consent
from app.contacts.shopify_customers import StatedConsent
from app.core.clock import now
from app.core.queue import wake
from app.core.uow import unit_of_work
from app.customers import queries
from app.customers.service.payloads import state_consent
from app.integrations.shopify.client import ShopifyClient
from app.integrations.shopify.errors import ShopifyRefused, ShopifyUnauthorized, ShopifyUnavailable

log = structlog.get_logger(__name__)

UPDATE = """
mutation UpdateSmsConsent($input: CustomerSmsMarketingConsentUpdateInput!) {
  customerSmsMarketingConsentUpdate(input: $input) {
    customer {
      id
      defaultPhoneNumber { phoneNumber }
      smsMarketingConsent { marketingState consentUpdatedAt }
    }
    userErrors { field message code }
  }
}
"""
AT_ONCE = 100
SECONDS_A_JOB = 20.0
PATIENCE_SECONDS = 20.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 10, 3600
SECOND = timedelta(seconds=1)
LONGEST_WAIT_SECONDS = 2.0
# A refusal of the whole shop: about it the next contact would fare no better.
OF_THE_SHOP = frozenset({"ACCESS_DENIED", "SHOP_INACTIVE", "GRAPHQL_ERROR", "MAX_COST_EXCEEDED"})


def push_consent(shop_id: int) -> None:
    """Tell Shopify what it does not know of the shop's consents, the oldest first, for a while.

    Rings for the rest. A consent that Shopify refuses is noted and not told again until it changes; when
    Shopify cannot be reached, all of it waits and is tried later and later.
    """
    with unit_of_work(shop_id) as session:
        is_put_off = session.execute(queries.IS_PUT_OFF, {"shop_id": shop_id, "now": now()}).first()
        waiting = [] if is_put_off else queries.consents_to_tell(shop_id, AT_ONCE)
    if not waiting:
        return
    try:
        client = tokens.admin(shop_id, patience_seconds=PATIENCE_SECONDS)
        is_done = _tell_all(shop_id, client, waiting)
    except (NotConnected, ShopifyUnauthorized, ShopifyUnavailable, ShopifyRefused) as trouble:
        log.warning("consent_push_put_off", shop_id=shop_id, error=type(trouble).__name__)
        _put_off(shop_id)
        return
    with unit_of_work(shop_id):
        queries.change(queries.REACHED, {"shop_id": shop_id})
    if not is_done or len(waiting) == AT_ONCE:
        wake("customers.push_consent", shop_id)


def shops_to_tell() -> list[int]:
    """The shops with a consent that Shopify does not know, and that may be tried now."""
    return queries.shops_to_tell(now())


def _tell_all(shop_id: int, client: ShopifyClient, waiting: Any) -> bool:
    """False when the time was up first."""
    deadline = time.monotonic() + SECONDS_A_JOB
    for contact in waiting:
        if time.monotonic() > deadline:
            return False
        _tell(shop_id, client, contact)
    return True


def _tell(shop_id: int, client: ShopifyClient, contact: Row[Any]) -> None:
    at = _moment(contact)
    try:
        answer, phone = _send(client, contact, at)
        is_tie = answer.consent == Consent.OPTED_IN and answer.at == at
        if is_tie and contact.consent == Consent.OPTED_OUT:
            # Shopify has a consent of the same second, and kept it; but an opt-out wins ties.
            at = at + SECOND
            answer, phone = _send(client, contact, at)
    except ShopifyRefused as refusal:
        if refusal.code in OF_THE_SHOP or refusal.code.startswith("http_"):
            raise
        _note_refusal(shop_id, contact, refusal.code)
        return
    with unit_of_work(shop_id):
        contacts.note_told(shop_id, contact.id, contact.shopify_customer_id, answer, phone)
    if answer.consent != contact.consent and (answer.at is None or answer.at <= at):
        _note_refusal(shop_id, contact, "NOT_TAKEN")


def _moment(contact: Row[Any]) -> datetime:
    """The true time of the consent, in Shopify's whole seconds; of the same second as its own, one later."""
    at: datetime = contact.consent_at.astimezone(UTC).replace(microsecond=0)
    if contact.consent == Consent.OPTED_OUT and contact.shopify_consent_at is not None:
        return max(at, contact.shopify_consent_at.replace(microsecond=0) + SECOND)
    return at


def _send(client: ShopifyClient, contact: Row[Any], at: datetime) -> tuple[StatedConsent, str | None]:
    """What Shopify says of the consent thereafter, and to which number."""
    # Shopify refuses what is yet to come; the second after a tie may be.
    time.sleep(min(max((at - now()).total_seconds(), 0.0), LONGEST_WAIT_SECONDS))
    consent: dict[str, Any] = {"consentUpdatedAt": at.isoformat().replace("+00:00", "Z")}
    if contact.consent == Consent.OPTED_IN:
        consent |= {"marketingState": "SUBSCRIBED", "marketingOptInLevel": "SINGLE_OPT_IN"}
    else:
        consent |= {"marketingState": "UNSUBSCRIBED"}
    customer_id = f"gid://shopify/Customer/{contact.shopify_customer_id}"
    told = client.run(UPDATE, {"input": {"customerId": customer_id, "smsMarketingConsent": consent}})
    customer = (told.get("customerSmsMarketingConsentUpdate") or {}).get("customer") or {}
    state = customer.get("smsMarketingConsent") or {}
    phone = (customer.get("defaultPhoneNumber") or {}).get("phoneNumber")
    return state_consent(state.get("marketingState"), state.get("consentUpdatedAt"), at), phone


def _note_refusal(shop_id: int, contact: Row[Any], code: str) -> None:
    log.warning("consent_push_refused", shop_id=shop_id, contact_id=contact.id, code=code[:40])
    values = {"shop_id": shop_id, "contact_id": contact.id, "code": code[:100], "now": now()}
    with unit_of_work(shop_id):
        queries.change(
            queries.REFUSE, {**values, "consent": contact.consent, "consent_at": contact.consent_at}
        )


def _put_off(shop_id: int) -> None:
    pauses = {"first": FIRST_PAUSE_SECONDS, "longest": LONGEST_PAUSE_SECONDS}
    with unit_of_work(shop_id):
        queries.change(queries.PUT_OFF, {"shop_id": shop_id, "now": now(), **pauses})
