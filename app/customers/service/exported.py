"""Reading the lines of Shopify's file of customers. Pure, and no line is so bad that it raises.

Shape: one object per line, in the fields of the query that asked for it (shopify.dev, bulk operations).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from app.contacts.dated_consent import SKEW
from app.contacts.importing.customers import CustomerRow
from app.contacts.models import Consent
from app.contacts.shopify_customers import StatedConsent
from app.customers.service import payloads
from app.integrations.shopify.events import instant, object_id

CUSTOMERS = """
{
  customers {
    edges {
      node {
        id
        firstName
        lastName
        tags
        updatedAt
        defaultEmailAddress { emailAddress }
        defaultPhoneNumber {
          phoneNumber
          marketingState
          marketingOptInLevel
          marketingUpdatedAt
          marketingCollectedFrom
        }
        defaultAddress { countryCodeV2 }
      }
    }
  }
}
"""


class Left(Enum):
    """Why a line became no contact."""

    NO_PHONE = "no number that can receive texts"
    UNREADABLE = "no customer"


def read_line(number: int, line: bytes, region: str, now: datetime) -> CustomerRow | Left:
    """The customer in a line; `region` is the country of national numbers if no address tells it."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return Left.UNREADABLE
    shopify_id = object_id(found.get("id")) if isinstance(found, dict) else None
    if shopify_id is None or not str(found["id"]).startswith("gid://shopify/Customer/"):
        return Left.UNREADABLE
    given = _mapping(found.get("defaultPhoneNumber"))
    country = _country(found.get("defaultAddress")) or region
    phone = payloads.read_phone(given.get("phoneNumber"), country)
    if phone is None:
        return Left.NO_PHONE
    updated_at = instant(found.get("updatedAt"))
    stated = _stated(given, updated_at, now)
    tags = found.get("tags")
    return CustomerRow(
        number=number,
        shopify_id=shopify_id,
        phone=phone.e164,
        region=phone.region,
        first_name=payloads.read_name(found.get("firstName")),
        last_name=payloads.read_name(found.get("lastName")),
        email=payloads.read_email(_mapping(found.get("defaultEmailAddress")).get("emailAddress")),
        tags=payloads.read_tags(tags if isinstance(tags, list) else ()),
        consent=stated.consent if stated.at else None,
        consent_at=stated.at.isoformat(timespec="microseconds") if stated.at else None,
        evidence=_evidence(given) if stated.at else None,
        updated_at=updated_at.isoformat() if updated_at else None,
    )


def _stated(given: Mapping[str, Any], updated_at: datetime | None, now: datetime) -> StatedConsent:
    stated = payloads.state_consent(given.get("marketingState"), given.get("marketingUpdatedAt"), updated_at)
    if stated.at is None or stated.at <= now:
        return stated
    if stated.consent == Consent.OPTED_OUT:
        return StatedConsent(stated.consent, now)
    return stated if stated.at <= now + SKEW else StatedConsent()  # it would outlive later withdrawals


def _evidence(given: Mapping[str, Any]) -> str:
    """`import` tells these from consents that were given while the shop was connected."""
    told = {
        "opt_in_level": given.get("marketingOptInLevel"),
        "consent_collected_from": given.get("marketingCollectedFrom"),
        "consent_updated_at": given.get("marketingUpdatedAt"),
    }
    words = {key: str(value)[: payloads.EVIDENCE_MAX] for key, value in told.items() if value}
    return json.dumps({"import": True, **words})


def _country(address: object) -> str | None:
    code = _mapping(address).get("countryCodeV2")
    return code if isinstance(code, str) and len(code) == 2 and code.isascii() else None


def _mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, Mapping) else {}
