"""What the pages of S read of reports (contract §15)."""

from __future__ import annotations

from typing import Any

from tests.clients.objects import CURRENCY, PAGING, STATUS
from tests.clients.shapes import COUNT, DAY, FLAG, FULL, MOMENT, NUMBER, TEXT, WHOLE, Maybe, Shape, words

RANGE: dict[str, Any] = {"from": TEXT, "to": TEXT}
HEALTH: dict[str, Any] = {
    "creditStatus": words("healthy", "low"),
    "contactGrowth": words("active", "inactive"),
    "automationHealth": words("active", "inactive"),
}
RECENT: dict[str, Any] = dict.fromkeys(("campaigns", "messages", "automations"), COUNT)
TRENDS: list[Any] = [{"date": DAY, "messages": COUNT}]
BREAKDOWN: list[Any] = [{"status": FULL, "count": COUNT}]
TOP: list[Any] = [
    {"id": FULL, "name": FULL, "status": STATUS, "delivered": COUNT, "sent": COUNT, "createdAt": MOMENT}
]
PERFORMANCE: dict[str, Any] = {
    **dict.fromkeys(("totalCampaigns", "activeCampaigns", "totalMessages", "totalSent"), COUNT),
    **dict.fromkeys(("delivered", "totalDelivered", "failed", "totalFailed", "creditsUsed"), COUNT),
    "deliveryRate": NUMBER,
}
AUTOMATIONS: dict[str, Any] = {
    **dict.fromkeys(("totalTriggered", "totalActive", "totalInactive"), COUNT),
    "completionRate": NUMBER,
}
CREDITS: dict[str, Any] = {
    **dict.fromkeys(("totalCredits", "usedCredits", "totalPurchases"), COUNT),
    "remainingCredits": WHOLE,
    "avgDailyUsage": NUMBER,
}
CONTACTS: dict[str, Any] = {
    **dict.fromkeys(("totalContacts", "optedInContacts", "optedOutContacts", "birthdayContacts"), COUNT),
    **dict.fromkeys(("recentContacts", "engagedContacts"), COUNT),
    "consentRate": NUMBER,
    "engagementRate": NUMBER,
}
REPORTS: dict[str, Shape] = {
    "GET /reports/overview": {
        "overview": {
            **dict.fromkeys(("totalCampaigns", "totalContacts", "totalSmsSent"), COUNT),
            "deliveryRate": NUMBER,
            "creditsRemaining": WHOLE,
        },
        "campaignPerformance": {
            **PERFORMANCE,
            "summary": PERFORMANCE,
            "trends": TRENDS,
            "statusBreakdown": BREAKDOWN,
            "topPerformers": TOP,
        },
        "automationInsights": {**AUTOMATIONS, "summary": AUTOMATIONS},
        "creditUsage": {**CREDITS, "summary": CREDITS},
        "contactInsights": {**CONTACTS, "summary": CONTACTS},
        "recentActivity": RECENT,
        "health": HEALTH,
        "dateRange": {**RANGE, "window": TEXT},
    },
    "GET /reports/kpis": {
        "overview": {
            **dict.fromkeys(("totalCampaigns", "totalContacts", "activeAutomations"), COUNT),
            "creditsRemaining": WHOLE,
        },
        "recentActivity": RECENT,
        "health": HEALTH,
    },
    "GET /reports/campaigns": {
        "campaigns": [
            {
                "id": FULL,
                "name": FULL,
                "status": STATUS,
                "scheduleType": FULL,
                "createdAt": MOMENT,
                "updatedAt": MOMENT,
                "messageCount": COUNT,
            }
        ],
        "reports": [
            {
                **dict.fromkeys(("id", "campaignId", "campaignName", "name"), FULL),
                "status": STATUS,
                **dict.fromkeys(("sent", "delivered", "failed"), COUNT),
                "deliveryRate": NUMBER,
                "date": MOMENT,
            }
        ],
        "totalCount": COUNT,
        "campaignStats": {
            **dict.fromkeys(("totalSent", "totalDelivered", "totalFailed"), COUNT),
            "avgDeliveryRate": NUMBER,
        },
        "topPerformers": TOP,
        "trends": TRENDS,
        "statusBreakdown": BREAKDOWN,
        "pagination": PAGING,
        "dateRange": RANGE,
    },
    "GET /reports/automations": {
        "summary": AUTOMATIONS,
        "statusBreakdown": BREAKDOWN,
        "typeBreakdown": [{"type": FULL, "count": COUNT}],
        "trends": [{"date": DAY, "triggered": COUNT}],
        "activeAutomations": [
            {"id": FULL, "title": FULL, "triggerEvent": FULL, "isActive": FLAG, "userMessage": Maybe(TEXT)}
        ],
        "dateRange": RANGE,
    },
    "GET /reports/messaging": {
        "totalMessages": COUNT,
        "byDirection": {"inbound": COUNT, "outbound": COUNT},
        "byStatus": {"sent": COUNT, "delivered": COUNT, "failed": COUNT},
        "trends": TRENDS,
        "dateRange": RANGE,
    },
    "GET /reports/credits": {
        "summary": CREDITS,
        "usageBreakdown": [{"type": FULL, "count": COUNT, "percentage": NUMBER}],
        "trends": [{"date": DAY, "creditsUsed": COUNT}],
        "recentPurchases": [
            {
                "id": FULL,
                "creditsAdded": COUNT,
                "amount": NUMBER,
                "currency": CURRENCY,
                "packageType": TEXT,
                "createdAt": MOMENT,
            }
        ],
        "dateRange": RANGE,
    },
    "GET /reports/contacts": {
        "summary": CONTACTS,
        "genderDistribution": [
            {"gender": words("male", "female", "other", "unknown"), "count": COUNT, "percentage": NUMBER}
        ],
        "consentBreakdown": {"opted_in": COUNT, "opted_out": COUNT, "unknown": COUNT},
        "dateRange": RANGE,
    },
}
