"""What the clients call, and the API does not serve yet: the pages and quirks that nobody walks today.

test_not_yet.py fails when one of these calls is served: then it moves to pages.py and gets a walk.
"""

from __future__ import annotations

STRIPE = "payments by Stripe"

CALLS: dict[str, str] = {}
# Lines of the checklist (contract §23) without a test of their own, and what they wait for.
QUIRKS: dict[int, str] = {}
# Lines that a walk proves, and which.
WALKED: dict[int, str] = {
    7: "test_web_walks.test_templates",
    12: "test_web_walks.test_automations",
    13: "test_web_walks.test_automations",
    22: "test_embedded_walks.test_campaign_scheduled_twice_and_cancelled",
    24: "test_embedded_walks.test_route_guard",
    29: "test_embedded_walks.test_templates",
    32: "test_billing_walks.test_subscribing_in_the_embedded_client",
}
