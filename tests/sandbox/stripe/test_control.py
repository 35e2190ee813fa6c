"""The control API: everything that a test can make happen, as the app then finds it by the real client."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.stripe_world import DECLINED, FAILS_LATER, NO_FUNDS, SECURE, SEPA, Event, StripeWorld

SHOP = "https://app.example.com"


def a_checkout(world: StripeWorld, cents: int = 5580, **wish: Any) -> Any:
    """A top-up that nobody has paid yet."""
    sold = {"currency": "eur", "unit_amount": cents, "product_data": {"name": "1,000 SMS credits"}}
    return world.client().v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price_data": sold, "quantity": 1}],
            "success_url": f"{SHOP}/success?session_id={{CHECKOUT_SESSION_ID}}",
            "cancel_url": f"{SHOP}/cancel",
            **wish,
        }
    )


def a_subscription(world: StripeWorld, plan: str = "starter", **payer: Any) -> Event:
    """A plan that was bought on the page."""
    session = world.client().v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "line_items": [{"price": f"price_sandbox_{plan}_eur", "quantity": 1}],
            "success_url": f"{SHOP}/success",
            "customer_email": "owner@example.com",
        }
    )
    return world.object("subscription", world.pay(session.url, **payer)["subscription"])


def types(events: list[Event]) -> list[str]:
    return [event["type"] for event in events]


def test_a_session_is_paid_by_its_url(world: StripeWorld):
    session = world.pay(a_checkout(world).url)
    assert (session["status"], session["payment_status"]) == ("complete", "paid")
    assert {"payment_intent.succeeded", "checkout.session.completed"} <= set(types(world.pull()))


@pytest.mark.parametrize("card", [DECLINED, NO_FUNDS])
def test_a_refused_card_leaves_the_session_open(world: StripeWorld, card: str):
    session = a_checkout(world)
    assert world.pay(session.id, card=card)["status"] == "open"
    assert "payment_intent.payment_failed" in types(world.pull())
    assert world.pay(session.id)["status"] == "complete"


def test_three_d_secure_is_passed_unless_a_test_refuses(world: StripeWorld):
    session = a_checkout(world)
    assert world.pay(session.id, card=SECURE, is_authentic=False)["status"] == "open"
    assert world.pay(session.id, card=SECURE)["payment_status"] == "paid"


@pytest.mark.parametrize(("succeeded", "word"), [(True, "succeeded"), (False, "failed")])
def test_a_delayed_payment_is_settled_later(world: StripeWorld, succeeded: bool, word: str):
    session = a_checkout(world)
    assert world.pay(session.url, card=SEPA)["payment_status"] == "unpaid"
    world.pull()
    world.settle(session.url, succeeded=succeeded)
    assert f"checkout.session.async_payment_{word}" in types(world.pull())


def test_a_cancelled_session_stays_open_and_an_expired_one_is_over(world: StripeWorld):
    session = a_checkout(world)
    assert world.cancel(session.url)["status"] == "open"
    assert world.expire(session.url)["status"] == "expired"
    assert types(world.pull())[-1] == "checkout.session.expired"
    refused = world.call("POST", "/sandbox/stripe/do/pay", {"session": session.id})
    assert (refused.status_code, "expired" in refused.json()["message"]) == (400, True)


def test_refunds_add_up_on_the_charge(world: StripeWorld):
    paid = world.pay(a_checkout(world).url)
    world.refund(paid["payment_intent"], 1500)
    world.refund(paid["payment_intent"])

    [charge] = world.objects("charge", payment_intent=paid["payment_intent"])
    assert (charge["amount_refunded"], charge["refunded"]) == (5580, True)
    assert [one["amount"] for one in world.objects("refund")] == [4080, 1500]


@pytest.mark.parametrize(("won", "status"), [(True, "won"), (False, "lost"), (None, "needs_response")])
def test_a_dispute_is_won_lost_or_open(world: StripeWorld, won: bool | None, status: str):
    paid = world.pay(a_checkout(world).url)
    assert world.dispute(paid["payment_intent"], won=won)["status"] == status


def test_time_can_be_moved_and_the_subscription_renews_on_the_way(world: StripeWorld):
    subscription = a_subscription(world)
    before = subscription["items"]["data"][0]["current_period_end"]
    world.pull()

    now = world.advance(months=1, days=1)

    renewed = world.object("subscription", subscription["id"])["items"]["data"][0]
    assert renewed["current_period_start"] == before <= now
    assert {"invoice.created", "invoice.finalized", "invoice.paid"} <= set(types(world.pull()))
    assert world.offset_seconds == pytest.approx(now - datetime.now(UTC).timestamp(), abs=5)


def test_a_renewal_can_be_made_to_fail_and_be_mended(world: StripeWorld):
    subscription = a_subscription(world)
    world.fail_renewals(subscription["id"])
    world.advance(months=1, days=1)
    assert world.object("subscription", subscription["id"])["status"] == "past_due"

    world.mend_renewals(subscription["id"])
    world.advance(days=4)
    assert world.object("subscription", subscription["id"])["status"] == "active"


def test_a_card_can_be_good_for_the_first_payment_only(world: StripeWorld):
    subscription = a_subscription(world, card=FAILS_LATER)
    assert subscription["status"] == "active"
    world.advance(months=1, days=1)
    assert "invoice.payment_failed" in types(world.pull())


def test_faults_strike_calls(world: StripeWorld):
    world.fault("http_429", on="POST /v1/customers")
    with pytest.raises(Exception, match="Too many"):
        world.client().v1.customers.create({"name": "Demo"})
    assert world.client().v1.customers.create({"name": "Demo"}).name == "Demo"


def test_what_was_asked_is_recorded(world: StripeWorld):
    world.client().v1.customers.create({"name": "Demo"}, {"idempotency_key": "customer:7"})
    [call] = world.requests(path="/v1/customers")
    assert (call["method"], call["key"], call["status"]) == ("POST", "customer:7", 200)


def test_a_reset_forgets_everything(world: StripeWorld):
    world.pay(a_checkout(world).url)
    world.advance(days=3)
    world.reset()
    assert world.objects("payment_intent") == world.pull() == []
    assert abs(world.offset_seconds) < 1


@pytest.mark.parametrize(
    ("action", "wish", "status"),
    [
        ("nothing", {}, 400),
        ("refund", {}, 400),
        ("refund", {"payment_intent": "pi_none"}, 400),
        ("pay", {"session": "cs_none"}, 400),
        ("close-dispute", {"dispute": "du_none"}, 404),
    ],
)
def test_an_impossible_wish_is_refused(world: StripeWorld, action: str, wish: Event, status: int):
    answer = world.call("POST", f"/sandbox/stripe/do/{action}", wish)
    assert answer.status_code == status
    assert answer.json()["message"]
