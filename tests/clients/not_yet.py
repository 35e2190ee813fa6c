"""What the clients call, and the API does not serve yet: the pages and quirks that nobody walks today.

test_not_yet.py fails when one of these calls is served: then it moves to pages.py and gets a walk.
"""

from __future__ import annotations

STRIPE = "payments by Stripe"

CALLS: dict[str, str] = {
    "GET /billing/summary": STRIPE,
    "GET /billing/history": STRIPE,
    "GET /billing/billing-history": STRIPE,
    "GET /billing/profile": STRIPE,
    "PUT /billing/profile": STRIPE,
    "POST /billing/profile/sync-from-stripe": STRIPE,
    "GET /billing/invoices": STRIPE,
    "GET /subscriptions/status": STRIPE,
    "POST /subscriptions/subscribe": STRIPE,
    "POST /subscriptions/update": STRIPE,
    "POST /subscriptions/switch": STRIPE,
    "POST /subscriptions/scheduled/change": STRIPE,
    "POST /subscriptions/scheduled/cancel": STRIPE,
    "POST /subscriptions/cancel": STRIPE,
    "POST /subscriptions/resume": STRIPE,
    "POST /subscriptions/reconcile": STRIPE,
    "GET /subscriptions/portal": STRIPE,
    "POST /subscriptions/finalize": STRIPE,
    "POST /subscriptions/verify-session": STRIPE,
}
# Lines of the checklist (contract §23) without a test of their own, and what they wait for.
QUIRKS: dict[int, str] = {
    4: STRIPE,
    5: STRIPE,
    6: STRIPE,
    10: STRIPE,
    18: STRIPE,
    19: STRIPE,
    32: STRIPE,
}
# Lines that a walk proves, and which.
WALKED: dict[int, str] = {
    7: "test_web_walks.test_templates",
    12: "test_web_walks.test_automations",
    13: "test_web_walks.test_automations",
    22: "test_embedded_walks.test_campaign_scheduled_twice_and_cancelled",
    24: "test_embedded_walks.test_route_guard",
    29: "test_embedded_walks.test_templates",
}
