"""A shop's first payments, for its plan and for credits: from Stripe's page to the wallet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.demo.cast import Cast
from app.demo.merchant import Merchant
from app.demo.stripe import Payments
from app.demo.waiting import wait_for

SECONDS = 60
PLAN = "starter"
CREDITS_PER_CONTACT = 4


@dataclass(frozen=True)
class Bought:
    """What the API quoted and credited, and what Stripe was paid, in cents."""

    credits: int
    quoted_cents: int
    credited: int
    paid_cents: int


def buy(cast: Cast, merchant: Merchant) -> Bought:
    """Subscribe, and buy credits for the list. Raises DemoStopped when a payment has no effect."""
    cast.step("It subscribes and buys credits: its wallet is empty")
    stripe, credits = Payments(cast.sandbox_url), CREDITS_PER_CONTACT * len(cast.contacts.rows)
    stripe.pay(merchant.post("/subscriptions/subscribe", {"planType": PLAN})["checkoutUrl"])
    status = wait_for(
        lambda: merchant.get("/subscriptions/status"),
        lambda now: bool(now["active"]),
        seconds=SECONDS,
        otherwise="The subscription was paid and did not begin: see worker-events.log.",
    )
    checkout = merchant.post("/billing/topup", {"credits": credits})
    paid = stripe.pay(checkout["checkoutUrl"])
    balance = wait_for(
        lambda: merchant.get("/billing/balance"),
        lambda now: now["balance"] >= credits,
        seconds=SECONDS,
        otherwise="The credits were paid and did not come: see worker-events.log.",
    )
    quoted = round(checkout["priceBreakdown"]["totalPrice"] * 100)
    _show(cast, status, checkout["priceBreakdown"])
    return Bought(credits, quoted, int(balance["balance"]), int(paid["amount_total"]))


def _show(cast: Cast, status: dict[str, Any], price: dict[str, Any]) -> None:
    included = status["includedSmsPerPeriod"]
    cast.screen.fact(f"{PLAN} plan", included, "texts included in each period")
    vat = f"{price['basePrice']:.2f} and {price['taxAmount']:.2f} VAT"
    cast.screen.fact("credits", price["credits"], f"for {price['totalPrice']:.2f} {price['currency']}: {vat}")
