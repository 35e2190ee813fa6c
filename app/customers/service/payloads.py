"""Reading what Shopify posts about customers. Pure, and nothing is so odd that it raises.

Field names: the REST shapes of webhooks, where states are in lower case (shopify.dev, Customer webhooks). The
consent is about `customer.phone` only, never about the phone of an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from app.contacts import values
from app.contacts.models import Consent
from app.contacts.shopify_customers import Customer, StatedConsent
from app.core.phones import NotAPhone, Phone, parse_phone
from app.integrations.shopify.events import instant, object_id

Payload = Mapping[str, Any]
CONSENTS = {"subscribed": Consent.OPTED_IN, "unsubscribed": Consent.OPTED_OUT}
EVIDENCE = ("opt_in_level", "consent_collected_from", "consent_updated_at")
EVIDENCE_MAX = 40


def read_customer(payload: Payload, region: str) -> Customer:
    """The customer in a payload; `region` is the country of national numbers if no address tells it."""
    tags = payload.get("tags")
    pieces = tags.split(",") if isinstance(tags, str) else tags if isinstance(tags, list) else ()
    return Customer(
        shopify_id=object_id(payload.get("id")),
        phone=read_phone(payload.get("phone"), country_of(payload) or region),
        email=read_email(payload.get("email")),
        first_name=read_name(payload.get("first_name")),
        last_name=read_name(payload.get("last_name")),
        tags=read_tags(pieces),
        stated=read_consent(payload),
        updated_at=instant(payload.get("updated_at")),
    )


def read_consent(payload: Payload) -> StatedConsent:
    """What the payload says of consent. Without a date a consent proves nothing; an opt-out needs none."""
    given = payload.get("sms_marketing_consent")
    if not isinstance(given, Mapping):
        return StatedConsent()
    return state_consent(
        given.get("state"), given.get("consent_updated_at"), instant(payload.get("updated_at"))
    )


def state_consent(state: object, at: object, seen_at: datetime | None) -> StatedConsent:
    """Shopify's state (in any case) and date of it; `seen_at` dates an opt-out that has none."""
    consent = CONSENTS.get(state.lower(), Consent.UNKNOWN) if isinstance(state, str) else Consent.UNKNOWN
    stated_at = instant(at)
    if stated_at is None and consent == Consent.OPTED_OUT:
        stated_at = seen_at
    return StatedConsent(consent, stated_at) if stated_at else StatedConsent()


def consent_evidence(payload: Payload, **told_by: str) -> dict[str, Any]:
    """What is kept to prove the consent: where Shopify has it from, and what told us."""
    given = payload.get("sms_marketing_consent")
    told = given if isinstance(given, Mapping) else {}
    words = {key: str(told[key])[:EVIDENCE_MAX] for key in EVIDENCE if told.get(key)}
    return {**words, **told_by}


def country_of(payload: Payload) -> str | None:
    """The country of the customer's default address."""
    address = payload.get("default_address")
    code = address.get("country_code") if isinstance(address, Mapping) else None
    return code.upper() if isinstance(code, str) and len(code) == 2 and code.isascii() else None


def read_phone(raw: object, region: str) -> Phone | None:
    """A number that can receive texts, else None."""
    if not isinstance(raw, str) or len(raw) > 50:
        return None
    with suppress(NotAPhone):
        return parse_phone(raw, region)
    return None


def read_email(raw: object) -> str | None:
    """An address as contacts keep it, else None."""
    if isinstance(raw, str) and raw.isprintable():
        with suppress(ValueError):
            return values.clean_email(raw)
    return None


def read_name(raw: object) -> str | None:
    """A name as contacts keep it, cut if need be."""
    name = values.clean_text(_storable(raw)) if isinstance(raw, str) else None
    return name[: values.NAME_MAX].rstrip() if name else None


def read_tags(pieces: Any) -> tuple[str, ...]:
    """Tags as contacts keep them; too long ones are left out."""
    cleaned = (values.clean_text(_storable(piece)) for piece in pieces if isinstance(piece, str))
    fitting = dict.fromkeys(tag for tag in cleaned if tag and len(tag) <= values.TAG_MAX)
    return tuple(fitting)[: values.TAGS_MAX]


def _storable(raw: str) -> str:
    return raw.encode(errors="ignore").decode()  # JSON may contain halves of surrogate pairs
