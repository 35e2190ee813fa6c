"""The billing and subscription pages of both clients, in their order, beside the pretend Stripe."""

from __future__ import annotations

import pytest

from app.integrations.stripe.events import StripeEvent
from app.webhooks.service import stripe_topics
from tests import build
from tests.clients.browser import Embedded, Rejected, Web
from tests.clients.conftest import signed_in
from tests.stripe_world import StripeWorld


def test_subscribing_on_the_web(web: Web, stripe_world: StripeWorld) -> None:
    web = signed_in(web, build.a_shop(plan=None))
    before = web.get("/billing/summary")
    assert before["subscription"]["allowedActions"] == ["subscribe", "viewPlans"]
    with pytest.raises(Rejected) as refused:
        web.get("/subscriptions/portal")
    assert [refused.value.status, refused.value.code] == [400, "MISSING_CUSTOMER_ID"]

    checkout = web.post(
        "/subscriptions/subscribe", {"planType": "starter", "interval": "month", "currency": "EUR"}
    )
    stripe_world.pay(checkout["checkoutUrl"])
    done = web.post("/subscriptions/finalize", {"sessionId": checkout["sessionId"], "type": "subscription"})
    hear(stripe_world)

    assert [done["finalized"], done["creditsAllocated"], done["credits"]] == [True, True, 100]
    assert web.get("/billing/summary")["allowance"]["remainingThisPeriod"] == 100
    assert web.get("/subscriptions/status")["active"] is True
    assert web.get("/billing/invoices", page=1, pageSize=10)["invoices"][0]["total"] == 40
    charges = web.get("/billing/history", page=1, pageSize=20)["items"]
    assert [one["type"] for one in charges if one["amount"]] == ["subscription_charge"]
    assert web.get("/billing/billing-history", status="completed")["items"] == charges
    assert web.get("/subscriptions/portal")["portalUrl"].startswith("http")
    assert web.get("/billing/balance")["subscription"]["active"] is True


def test_changing_plans_on_the_web(web: Web, stripe_world: StripeWorld) -> None:
    web = signed_in(web, build.a_shop(plan=None))
    checkout = web.post("/subscriptions/subscribe", {"planType": "pro"})
    stripe_world.pay(checkout["checkoutUrl"])
    web.post("/subscriptions/finalize", {"sessionId": checkout["sessionId"]})

    down = web.post("/subscriptions/switch", {"interval": "month", "currency": "EUR"})
    assert [down["changeMode"], down["subscription"]["pendingChange"]["planCode"]] == ["scheduled", "starter"]
    assert web.post("/subscriptions/scheduled/change", {"planType": "starter"})["scheduled"] is True
    assert web.post("/subscriptions/scheduled/cancel")["subscription"]["pendingChange"] is None
    assert web.post("/subscriptions/cancel")["subscription"]["cancelAtPeriodEnd"] is True
    assert web.post("/subscriptions/resume")["subscription"]["cancelAtPeriodEnd"] is False
    assert web.post("/subscriptions/update", {"planType": "starter"})["scheduled"] is True
    assert web.post("/subscriptions/reconcile")["subscription"]["active"] is True


def test_subscribing_in_the_embedded_client(embedded: Embedded, stripe_world: StripeWorld) -> None:
    embedded = signed_in(embedded, build.a_shop(plan=None))
    assert embedded.get("/subscriptions/status")["active"] is False
    assert embedded.get("/billing/packages")["subscriptionRequired"] is True

    checkout = embedded.post("/subscriptions/subscribe", {"planType": "starter"})
    stripe_world.pay(checkout["checkoutUrl"])
    verified = embedded.post("/subscriptions/verify-session", {"sessionId": checkout["sessionId"]})

    assert [verified["finalized"], verified["creditsAllocated"]] == [True, 100]
    assert embedded.get("/subscriptions/status")["active"] is True
    assert embedded.get("/billing/balance")["subscription"]["remainingSmsThisPeriod"] == 100
    assert [f"{one['price']:.2f}" for one in embedded.get("/billing/history")["transactions"]]
    assert embedded.get("/billing/billing-history")["items"]
    assert embedded.post("/subscriptions/update", {"planType": "pro"})["checkoutUrl"]
    assert embedded.post("/subscriptions/cancel")["cancelledAt"]
    assert embedded.get("/subscriptions/portal")["url"].startswith("http")


def hear(stripe_world: StripeWorld) -> None:
    """Everybody who listens is told of what has happened at Stripe."""
    for told in stripe_world.pull():
        event = StripeEvent.from_payload(told)
        for handler in stripe_topics.handlers_of(event.type):
            handler(event)
