"""What a rule may ask: for every field its operators, for every operator the value it takes."""

from __future__ import annotations

from app.audiences.rules.values import (
    Reader,
    list_of,
    moment,
    nothing,
    number_range,
    one_of,
    region,
    text,
    whole_number,
    yes_or_no,
)

CONSENTS = ("opted_in", "opted_out", "unknown")
GENDERS = ("male", "female", "other")
MAX_AGE = 150
MAX_DAYS = 36_500
MAX_ORDERS = 2**31 - 1
MAX_TAG = 50
MAX_NAME = 100
MAX_EMAIL = 255

Operators = dict[str, Reader]


def _words(longest: int) -> Operators:
    """Operators on a text that may be absent. Case does not count."""
    word = text(longest)
    return {
        "is": word,
        "isNot": word,
        "contains": word,
        "startsWith": word,
        "endsWith": word,
        "isEmpty": nothing,
        "isNotEmpty": nothing,
    }


TAGS = list_of(text(MAX_TAG))
GENDER = one_of(GENDERS)
CONSENT = one_of(CONSENTS)
AGE = whole_number(0, MAX_AGE)
ORDERS = whole_number(0, MAX_ORDERS)
MONTH = whole_number(1, 12)
DAYS = whole_number(1, MAX_DAYS)
INSTANTS: Operators = {"before": moment, "after": moment, "inLastDays": DAYS, "notInLastDays": DAYS}

FIELDS: dict[str, Operators] = {
    "consent": {"is": CONSENT, "isNot": CONSENT},
    "firstName": _words(MAX_NAME),
    "lastName": _words(MAX_NAME),
    "email": _words(MAX_EMAIL),
    "tags": {"anyOf": TAGS, "allOf": TAGS, "noneOf": TAGS},
    "gender": {"is": GENDER, "isNot": GENDER, "isUnknown": nothing},
    "age": {"between": number_range(0, MAX_AGE), "atLeast": AGE, "atMost": AGE, "equals": AGE},
    "birthMonth": {"is": MONTH, "anyOf": list_of(MONTH)},
    "ordersCount": {"atLeast": ORDERS, "atMost": ORDERS, "equals": ORDERS},
    "hasPurchased": {"is": yes_or_no},
    "lastOrderAt": INSTANTS,
    "createdAt": INSTANTS,
    "region": {"is": region, "isNot": region, "anyOf": list_of(region)},
}
