"""Shapes of the objects that both clients read (contract §1.7, §3, §6.1, §7.1, §9.1, §11, §13, §14.1)."""

from __future__ import annotations

from typing import Any

from tests.clients.shapes import (
    COUNT,
    DAY,
    FLAG,
    FULL,
    MOMENT,
    NUMBER,
    OBJECT,
    TEXT,
    WHOLE,
    Maybe,
    Shape,
    words,
)

CONSENT = words("opted_in", "opted_out", "unknown")
STATUS = words("draft", "scheduled", "sending", "paused", "completed", "sent", "failed", "cancelled")
CURRENCY = words("EUR", "USD")
PAGING: dict[str, Any] = {
    "page": COUNT,
    "pageSize": COUNT,
    "total": COUNT,
    "totalPages": COUNT,
    "hasNextPage": FLAG,
    "hasPrevPage": FLAG,
}
CONTACT: dict[str, Any] = {
    "id": FULL,
    "phone": FULL,
    "phoneE164": FULL,
    "email": Maybe(TEXT),
    "firstName": Maybe(TEXT),
    "lastName": Maybe(TEXT),
    "gender": Maybe(words("male", "female", "other")),
    "birthday": Maybe(DAY),
    "birthDate": Maybe(DAY),
    "isSubscribed": FLAG,
    "smsConsent": CONSENT,
    "smsConsentStatus": Maybe(words("opted_in", "opted_out")),
    "smsConsentAt": Maybe(MOMENT),
    "consentStatus": CONSENT,
    "tags": [TEXT],
    "hasPurchased": FLAG,
    "lastOrderAt": Maybe(MOMENT),
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
}
AUTOMATION: dict[str, Any] = {
    **dict.fromkeys(("id", "automationId", "name", "title", "trigger", "triggerEvent", "message"), FULL),
    "description": Maybe(TEXT),
    "userMessage": Maybe(TEXT),
    "defaultMessage": FULL,
    "status": words("draft", "active", "paused"),
    "isActive": FLAG,
    "isSystemDefault": FLAG,
    "triggerConditions": OBJECT,
    "messagesSent": COUNT,
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
}
CONTACT_STATS: dict[str, Any] = {
    "total": COUNT,
    "optedIn": COUNT,
    "optedOut": COUNT,
    "unknown": COUNT,
    "smsConsent": {"optedIn": COUNT, "optedOut": COUNT, "unknown": COUNT, "consentRate": NUMBER},
    "byGender": {"male": COUNT, "female": COUNT, "other": COUNT, "unspecified": COUNT},
    "gender": {"male": COUNT, "female": COUNT, "other": COUNT, "unspecified": COUNT},
    "birthDate": {"withBirthDate": COUNT, "withoutBirthDate": COUNT, "birthDateRate": NUMBER},
    "automation": {"birthdayEligible": COUNT, "smsEligible": COUNT},
}
TOTALS: dict[str, Any] = dict.fromkeys(("recipients", "accepted", "sent", "delivered", "failed"), COUNT)
DELIVERY: dict[str, Any] = dict.fromkeys(("pendingDelivery", "delivered", "failedDelivery"), COUNT)
FIGURES = ("recipientCount", "totalRecipients", "sentCount", "deliveredCount", "failedCount")
SUMS = ("totalSent", "totalDelivered", "totalFailed", "totalProcessed", "totalClicked")
CAMPAIGN: dict[str, Any] = {
    "id": FULL,
    "name": FULL,
    "message": FULL,
    "status": STATUS,
    "statusRaw": STATUS,
    "audience": FULL,
    "discountId": Maybe(FULL),
    "scheduleType": words("immediate", "scheduled", "recurring"),
    "scheduleAt": Maybe(MOMENT),
    "scheduledAt": Maybe(MOMENT),
    "recurringDays": Maybe(COUNT),
    "priority": words("low", "normal", "high", "urgent"),
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
    "startedAt": Maybe(MOMENT),
    "finishedAt": Maybe(MOMENT),
    **dict.fromkeys((*FIGURES, *SUMS), COUNT),
    "lastEnqueueError": Maybe(TEXT),
    "totals": TOTALS,
    "delivery": DELIVERY,
    "sourceOfTruth": TEXT,
}
STATUSES = ("draft", "scheduled", "sending", "paused", "completed", "sent", "failed", "cancelled")
BY_STATUS: dict[str, Any] = dict.fromkeys(STATUSES, COUNT)
TEMPLATE: dict[str, Any] = {
    **dict.fromkeys(("id", "name", "title", "category", "text", "content", "eshopType"), FULL),
    "tags": [TEXT],
    "useCount": COUNT,
    **dict.fromkeys(
        (
            "conversionRate",
            "productViewsIncrease",
            "clickThroughRate",
            "averageOrderValue",
            "customerRetention",
        ),
        Maybe(NUMBER),
    ),
    "previewImage": Maybe(TEXT),
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
}
AUDIENCE: dict[str, Any] = {
    "id": FULL,
    "name": FULL,
    "description": TEXT,
    "type": words("predefined", "segment"),
    "contactCount": COUNT,
    "isAvailable": FLAG,
}
DISCOUNT: dict[str, Any] = {
    "id": FULL,
    **dict.fromkeys(("code", "title", "type", "discountType", "valueLabel", "validityLabel"), TEXT),
    "isActive": FLAG,
    "isExpired": FLAG,
}
SUBSCRIPTION: dict[str, Any] = {
    "active": FLAG,
    "planType": Maybe(words("starter", "pro")),
    "status": words(
        "active", "trialing", "past_due", "unpaid", "cancelled", "incomplete", "paused", "inactive"
    ),
    "interval": Maybe(words("month", "year")),
    "currentPeriodStart": Maybe(MOMENT),
    "currentPeriodEnd": Maybe(MOMENT),
    "cancelAtPeriodEnd": FLAG,
    "includedSmsPerPeriod": COUNT,
    "usedSmsThisPeriod": COUNT,
    "remainingSmsThisPeriod": COUNT,
    "billingCurrency": CURRENCY,
    "currency": CURRENCY,
    "allowedActions": [FULL],
}
BALANCE: dict[str, Any] = {
    **dict.fromkeys(("credits", "balance", "reserved"), COUNT),
    "available": WHOLE,
    "currency": CURRENCY,
    "subscription": SUBSCRIPTION,
}
STORE: dict[str, Any] = {
    "id": FULL,
    "shopDomain": FULL,
    "shopName": FULL,
    "credits": WHOLE,
    "currency": CURRENCY,
}
PACKAGE: dict[str, Any] = {
    **dict.fromkeys(("id", "name", "displayName", "currency", "type"), FULL),
    "units": COUNT,
    "credits": COUNT,
    "priceCents": COUNT,
    "amount": NUMBER,
    "price": NUMBER,
    "available": FLAG,
    "features": [TEXT],
    "popular": FLAG,
    "originalPrice": Maybe(NUMBER),
}

TOPUP_PRICE: dict[str, Any] = {
    "credits": COUNT,
    "currency": FULL,
    **dict.fromkeys(("basePrice", "taxAmount", "totalPrice", "price"), NUMBER),
    "taxRate": Maybe(NUMBER),
    "taxTreatment": FULL,
    "taxJurisdiction": Maybe(FULL),
    **dict.fromkeys(("priceEur", "vatAmount", "priceEurWithVat"), NUMBER),
}
CHECKOUT: dict[str, Any] = {
    **dict.fromkeys(("purchaseId", "sessionId", "sessionUrl", "checkoutUrl", "status"), FULL),
    "idempotent": FLAG,
}


def page_of(item: Shape, alias: str, **more: Shape) -> dict[str, Any]:
    """A list with paging: `items` and the domain's own name for them."""
    return {"items": [item], alias: [item], "pagination": PAGING, **more}
