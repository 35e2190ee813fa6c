"""What the billing and subscription pages read (contract §13, §14)."""

from __future__ import annotations

from typing import Any

from tests.clients.objects import BALANCE, CURRENCY, SUBSCRIPTION, page_of
from tests.clients.shapes import COUNT, FLAG, FULL, MOMENT, NUMBER, TEXT, WHOLE, Maybe, Shape, words

PLAN, INTERVAL = words("starter", "pro"), words("month", "year")
SKU: dict[str, Any] = {"planCode": PLAN, "interval": INTERVAL, "currency": CURRENCY}
# The whole object, as the pages about the subscription read it.
STATUS: dict[str, Any] = {
    **SUBSCRIPTION,
    "planCode": Maybe(PLAN),
    "lastBillingError": Maybe(TEXT),
    **dict.fromkeys(("stripeCustomerId", "stripeSubscriptionId"), Maybe(FULL)),
    **dict.fromkeys(("lastFreeCreditsAllocatedAt", "lastSyncedAt"), Maybe(MOMENT)),
    "pendingChange": Maybe({**SKU, "effectiveAt": MOMENT}),
    "plan": Maybe({"priceEur": NUMBER, "freeCredits": COUNT}),
    "availableOptions": [{**SKU, "priceId": FULL}],
    "derivedFrom": FULL,
    "mismatchDetected": FLAG,
    "sourceOfTruth": Maybe(FULL),
}
SHOWN: dict[str, Any] = {"subscription": STATUS}
CHANGED: dict[str, Any] = {
    **SHOWN,
    "planType": PLAN,
    "planCode": PLAN,
    "interval": INTERVAL,
    "currency": CURRENCY,
    "behavior": FULL,
    "changeMode": words("immediate", "checkout", "scheduled", "none"),
    "scheduled": FLAG,
    "effectiveAt": Maybe(MOMENT),
    "checkoutUrl": Maybe(FULL),
    "alreadyUpdated": FLAG,
}
SUMMARY: dict[str, Any] = {
    **SHOWN,
    "allowance": {
        **dict.fromkeys(("includedPerPeriod", "usedThisPeriod", "remainingThisPeriod"), COUNT),
        **dict.fromkeys(("currentPeriodStart", "currentPeriodEnd"), Maybe(MOMENT)),
        "interval": Maybe(INTERVAL),
    },
    "credits": {"balance": COUNT, "currency": CURRENCY},
    "billingCurrency": CURRENCY,
}
ITEM: dict[str, Any] = {
    **dict.fromkeys(("id", "type", "title", "packageName", "packageType", "status"), FULL),
    **dict.fromkeys(("subtitle", "description", "linkUrl", "stripeInvoiceId"), Maybe(TEXT)),
    **dict.fromkeys(("credits", "creditsAdded", "creditsGranted", "amountCents"), WHOLE),
    **dict.fromkeys(("amount", "price"), NUMBER),
    "currency": CURRENCY,
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
    "package": {"name": FULL, "credits": WHOLE},
}
INVOICE: dict[str, Any] = {
    **dict.fromkeys(("id", "stripeInvoiceId", "status"), FULL),
    "invoiceNumber": Maybe(TEXT),
    **dict.fromkeys(("subtotal", "tax", "total"), NUMBER),
    "currency": CURRENCY,
    **dict.fromkeys(("pdfUrl", "hostedInvoiceUrl"), Maybe(TEXT)),
    "issuedAt": MOMENT,
    "createdAt": MOMENT,
}
BOTH: dict[str, Shape] = {
    "GET /billing/balance": {**BALANCE, **SHOWN},
    "GET /billing/history": page_of(ITEM, "transactions"),
    "GET /billing/billing-history": page_of(ITEM, "transactions"),
    "GET /subscriptions/status": STATUS,
    "POST /subscriptions/subscribe": {
        "checkoutUrl": FULL,
        "sessionId": FULL,
        "planType": PLAN,
        "interval": INTERVAL,
        "currency": CURRENCY,
    },
    "POST /subscriptions/update": CHANGED,
    "POST /subscriptions/cancel": {**SHOWN, "cancelledAt": MOMENT},
    "GET /subscriptions/portal": {"portalUrl": FULL, "url": FULL},
}
WEB: dict[str, Shape] = {
    "GET /billing/summary": SUMMARY,
    "GET /billing/invoices": page_of(INVOICE, "invoices"),
    "POST /subscriptions/switch": CHANGED,
    "POST /subscriptions/scheduled/change": {
        **SHOWN,
        "scheduled": FLAG,
        "changeMode": words("scheduled"),
        "effectiveAt": MOMENT,
    },
    "POST /subscriptions/scheduled/cancel": {**SHOWN, "scheduled": FLAG},
    "POST /subscriptions/resume": SHOWN,
    "POST /subscriptions/reconcile": {**SHOWN, "reconciled": FLAG, "reason": FULL},
    "POST /subscriptions/finalize": {
        **SHOWN,
        "finalized": FLAG,
        "alreadyActive": FLAG,
        "creditsAllocated": FLAG,
        "credits": COUNT,
    },
}
EMBEDDED: dict[str, Shape] = {
    "POST /subscriptions/verify-session": {
        **SHOWN,
        "alreadyProcessed": FLAG,
        "creditsAllocated": COUNT,
        "finalized": FLAG,
    },
}
