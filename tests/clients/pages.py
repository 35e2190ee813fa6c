"""Every call of the pages of W and of S that is served today, with what they read of the answer.

Written by hand from the contract (§4-§17, marks [W] and [S]). What still waits is in NOT_YET.
"""

from __future__ import annotations

from typing import Any

from tests.clients import billing, profile
from tests.clients.objects import (
    AUDIENCE,
    AUTOMATION,
    BY_STATUS,
    CAMPAIGN,
    CHECKOUT,
    CONSENT,
    CONTACT,
    CONTACT_STATS,
    CURRENCY,
    DELIVERY,
    DISCOUNT,
    PACKAGE,
    PAGING,
    STATUS,
    STORE,
    SUMS,
    TEMPLATE,
    TOPUP_PRICE,
    TOTALS,
    page_of,
)
from tests.clients.reports import REPORTS
from tests.clients.shapes import (
    COUNT,
    FLAG,
    FULL,
    MOMENT,
    NOTHING,
    NUMBER,
    OBJECT,
    TEXT,
    WHOLE,
    Maybe,
    Shape,
    words,
)

SETTINGS: dict[str, Any] = {
    **dict.fromkeys(("shopId", "shopDomain", "shopName", "timezone"), FULL),
    "credits": WHOLE,
    "senderId": TEXT,
    "senderNumber": Maybe(TEXT),
    "senderName": Maybe(TEXT),
    "currency": CURRENCY,
    "baseUrl": Maybe(FULL),
    "eshopType": Maybe(FULL),
    "createdAt": MOMENT,
    "updatedAt": MOMENT,
    "recentTransactions": [
        {
            "id": FULL,
            "creditsAdded": COUNT,
            "amount": NUMBER,
            "currency": CURRENCY,
            "packageType": TEXT,
            "status": TEXT,
            "createdAt": MOMENT,
        }
    ],
    "usageGuide": {"title": FULL, "sections": [{"title": FULL, "content": FULL}]},
}
ACCOUNT: dict[str, Any] = {
    "shopDomain": FULL,
    "createdAt": MOMENT,
    "settings": {"senderId": TEXT, "timezone": FULL, "currency": CURRENCY},
    "account": {"shopDomain": FULL, "credits": WHOLE, "createdAt": MOMENT},
    "usage": {
        **dict.fromkeys(("totalContacts", "totalCampaigns", "totalAutomations", "totalMessages"), COUNT),
        "totalSpent": NUMBER,
    },
}
METRICS: dict[str, Any] = {
    **dict.fromkeys(("total", "totalRecipients", "sent", "accepted", "delivered", "failed"), COUNT),
    **dict.fromkeys(("pendingDelivery", "clicks", "unsubscribes", *SUMS), COUNT),
    **dict.fromkeys(("sentPercentage", "failedPercentage", "deliveredPercentage", "deliveryRate"), NUMBER),
    "totals": TOTALS,
    "delivery": DELIVERY,
}
PROGRESS: dict[str, Any] = {
    **dict.fromkeys(("total", "sent", "failed", "pending", "processed", "accepted", "delivered"), COUNT),
    **dict.fromkeys(("failedDelivery", "pendingDelivery", "progress", "percentage"), COUNT),
    "status": STATUS,
}
CAMPAIGN_STATUS: dict[str, Any] = {
    "campaign": {
        "id": FULL,
        "name": FULL,
        "status": STATUS,
        **dict.fromkeys(("total", "sent", "failed", "processed"), COUNT),
        "createdAt": MOMENT,
        "updatedAt": MOMENT,
    },
    "metrics": dict.fromkeys(("queued", "success", "processed", "failed"), COUNT),
    "canonical": {
        "status": STATUS,
        "statusRaw": STATUS,
        "startedAt": Maybe(MOMENT),
        "finishedAt": Maybe(MOMENT),
        "queued": COUNT,
        "totals": TOTALS,
        "delivery": DELIVERY,
    },
    "status": STATUS,
    **dict.fromkeys(("queued", "processed", "sent", "failed"), COUNT),
}
PREVIEW: dict[str, Any] = {
    "ok": FLAG,
    "reason": Maybe(FULL),
    "message": Maybe(TEXT),
    "canSend": FLAG,
    **dict.fromkeys(("recipientCount", "estimatedCost", "remainingAllowance", "missingCredits"), COUNT),
    "availableCredits": WHOLE,
    "totalAvailable": WHOLE,
    "insufficientCredits": FLAG,
    "renderedMessage": TEXT,
    "segments": COUNT,
}
FAILED_RECIPIENTS: dict[str, Any] = {
    "campaignId": FULL,
    "failedCount": COUNT,
    "recipients": [
        {
            "id": FULL,
            "phoneE164": FULL,
            "error": Maybe(TEXT),
            "failedAt": MOMENT,
            "contact": Maybe(
                {"id": FULL, "firstName": Maybe(TEXT), "lastName": Maybe(TEXT), "email": Maybe(TEXT)}
            ),
        }
    ],
    "pagination": PAGING,
}
SUMMARY: dict[str, Any] = {
    "total": COUNT,
    "totalCampaigns": COUNT,
    "byStatus": BY_STATUS,
    "stats": {"total": COUNT, "byStatus": BY_STATUS},
    "recent": [CAMPAIGN],
    "recentCampaigns": [CAMPAIGN],
}
DASHBOARD: dict[str, Any] = {
    "credits": WHOLE,
    **dict.fromkeys(("totalCampaigns", "totalContacts", "totalMessagesSent", "activeAutomations"), COUNT),
    "reports": {
        "last7Days": dict.fromkeys(("sent", "delivered", "failed", "unsubscribes"), COUNT),
        "topCampaigns": [
            {
                "id": FULL,
                "name": FULL,
                "sent": COUNT,
                "delivered": COUNT,
                "failed": COUNT,
                "createdAt": MOMENT,
            }
        ],
        "deliveryRateTrend": [{"date": FULL, "deliveredRate": NUMBER}],
        "creditsUsage": [{"date": FULL, "creditsDebited": COUNT}],
    },
}
IMPORTED: dict[str, Any] = {
    **dict.fromkeys(("total", "created", "updated", "skipped", "imported", "invalid"), COUNT),
    "errors": [{"phone": Maybe(TEXT), "error": FULL}],
}
UNSUBSCRIBE: dict[str, Any] = {
    "contact": {
        "id": FULL,
        "firstName": Maybe(TEXT),
        "lastName": Maybe(TEXT),
        "phoneE164": FULL,
        "smsConsent": CONSENT,
    },
    "shop": {"id": FULL, "shopName": FULL, "shopDomain": FULL},
    "token": FULL,
}
UNSUBSCRIBED: dict[str, Any] = {
    "success": FLAG,
    "message": TEXT,
    "contact": {"id": FULL, "phoneE164": FULL, "smsConsent": words("opted_out")},
}
CANCELLED: dict[str, Any] = {
    **CAMPAIGN,
    "ok": FLAG,
    "campaignId": FULL,
    "cancelledRecipients": COUNT,
    "removedJobs": COUNT,
}
BOTH: dict[str, Shape] = {
    "GET /auth/verify": {
        "valid": FLAG,
        "store": STORE,
        "token": {"storeId": FULL, "source": FULL, "exp": COUNT},
    },
    "GET /dashboard": DASHBOARD,
    "GET /contacts": page_of(
        CONTACT,
        "contacts",
        total=COUNT,
        page=COUNT,
        pageSize=COUNT,
        filters={
            "applied": OBJECT,
            "available": {"genders": [FULL], "smsConsent": [FULL], "filters": [FULL]},
        },
    ),
    "GET /contacts/stats": CONTACT_STATS,
    "GET /contacts/{id}": CONTACT,
    "POST /contacts": CONTACT,
    "PUT /contacts/{id}": CONTACT,
    "DELETE /contacts/{id}": NOTHING,
    "POST /contacts/import": IMPORTED,
    "GET /audiences": {
        "audiences": [AUDIENCE],
        "totalContacts": COUNT,
        "summary": dict.fromkeys(("total", "men", "women", "segments"), COUNT),
    },
    "GET /campaigns": page_of(CAMPAIGN, "campaigns", total=COUNT),
    "GET /campaigns/stats/summary": SUMMARY,
    "GET /campaigns/{id}": CAMPAIGN,
    "POST /campaigns": CAMPAIGN,
    "PUT /campaigns/{id}": CAMPAIGN,
    "DELETE /campaigns/{id}": NOTHING,
    "PUT /campaigns/{id}/schedule": CAMPAIGN,
    "POST /campaigns/{id}/enqueue": {
        "ok": FLAG,
        "queued": COUNT,
        "enqueuedJobs": COUNT,
        "campaignId": FULL,
        "status": STATUS,
    },
    "POST /campaigns/{id}/cancel": CANCELLED,
    "GET /campaigns/{id}/metrics": METRICS,
    "GET /campaigns/{id}/status": CAMPAIGN_STATUS,
    "GET /campaigns/{id}/progress": PROGRESS,
    "GET /campaigns/{id}/preview": PREVIEW,
    "GET /campaigns/{id}/failed-recipients": FAILED_RECIPIENTS,
    "POST /campaigns/{id}/retry-failed": {
        "ok": FLAG,
        "campaignId": FULL,
        "retried": COUNT,
        "enqueuedJobs": COUNT,
        "message": TEXT,
    },
    "GET /templates": page_of(
        TEMPLATE, "templates", total=COUNT, page=COUNT, pageSize=COUNT, categories=[FULL]
    ),
    "GET /templates/categories": [FULL],
    "GET /templates/{id}": TEMPLATE,
    "POST /templates/{id}/track": NOTHING,
    "GET /automations": [AUTOMATION],
    "GET /automations/stats": {
        **dict.fromkeys(("total", "active", "paused", "draft", "enabled", "disabled"), COUNT),
        **dict.fromkeys(("messagesSent", "totalSent"), COUNT),
        "successRate": NUMBER,
    },
    "POST /automations": AUTOMATION,
    "PUT /automations/{id}": AUTOMATION,
    "DELETE /automations/{id}": NOTHING,
    "GET /shopify/discounts": {"discounts": [DISCOUNT], "total": COUNT, "active": COUNT},
    "GET /settings": SETTINGS,
    "PUT /settings": SETTINGS,
    "GET /settings/account": ACCOUNT,
    **billing.BOTH,
    "GET /billing/packages": {"packages": [PACKAGE], "currency": CURRENCY, "subscriptionRequired": FLAG},
    "GET /billing/topup/calculate": TOPUP_PRICE,
    "POST /billing/topup": {
        **CHECKOUT,
        "credits": COUNT,
        "priceEur": NUMBER,
        "priceBreakdown": TOPUP_PRICE,
    },
    "POST /billing/purchase": {
        **CHECKOUT,
        "package": {"id": FULL, "name": FULL, "credits": COUNT, "price": NUMBER, "currency": CURRENCY},
    },
    "GET /unsubscribe/{token}": UNSUBSCRIBE,
    "POST /unsubscribe/{token}": UNSUBSCRIBED,
}
WEB: dict[str, Shape] = {
    **BOTH,
    **billing.WEB,
    **profile.WEB,
    "POST /auth/shopify-token": {"token": FULL, "store": STORE, "expiresIn": FULL},
    "POST /auth/refresh": {"token": FULL, "expiresIn": FULL},
    "GET /automations/variables/{trigger}": {
        "triggerType": FULL,
        "variables": [{"name": FULL, "description": FULL, "example": FULL}],
        "variableDescriptions": [{"name": FULL, "description": FULL, "example": FULL}],
        "names": [FULL],
    },
    "POST /templates/ensure-defaults": {
        **dict.fromkeys(("created", "updated", "repaired", "skipped", "total"), COUNT),
        "message": TEXT,
    },
}
EMBEDDED: dict[str, Shape] = {
    **BOTH,
    **billing.EMBEDDED,
    **REPORTS,
    "GET /automations/defaults": [
        {
            **dict.fromkeys(("id", "title", "description", "triggerEvent", "defaultMessage"), FULL),
            "isSystemDefault": FLAG,
            "createdAt": MOMENT,
            "updatedAt": MOMENT,
        }
    ],
    "POST /automations/sync": dict.fromkeys(
        ("syncedCount", "synced", "totalShops", "totalAutomations"), COUNT
    ),
    "GET /whoami": {
        "success": FLAG,
        "shop": {"id": FULL, "shopDomain": FULL, "credits": WHOLE, "currency": CURRENCY, "timezone": FULL},
    },
    "POST /public/contact": {"message": FULL, "submitted": FLAG},
}
