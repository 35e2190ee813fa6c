"""What W's page of billing details reads (contract §13)."""

from __future__ import annotations

from typing import Any

from tests.clients.objects import CURRENCY
from tests.clients.shapes import FLAG, FULL, MOMENT, TEXT, Maybe, Shape, words

ADDRESS = dict.fromkeys(("line1", "line2", "city", "state", "postalCode", "country"), Maybe(FULL))
PROFILE: dict[str, Any] = {
    "shopId": FULL,
    **dict.fromkeys(("legalName", "vatNumber", "vatCountry", "billingEmail"), Maybe(FULL)),
    "billingAddress": Maybe(ADDRESS),
    "currency": CURRENCY,
    "taxStatus": Maybe(words("verified", "pending", "unverified", "invalid")),
    **dict.fromkeys(("taxExempt", "isBusiness"), FLAG),
    "vatValidated": Maybe(FLAG),
    "validatedAt": Maybe(MOMENT),
    "validationSource": Maybe(TEXT),
    "taxTreatment": Maybe(
        words("unknown", "non_eu", "domestic_vat", "eu_reverse_charge", "eu_b2c"),
    ),
}
WEB: dict[str, Shape] = {
    "GET /billing/profile": PROFILE,
    "PUT /billing/profile": PROFILE,
    "POST /billing/profile/sync-from-stripe": PROFILE,
}
