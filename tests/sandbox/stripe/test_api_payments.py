"""Saved cards, refunds and disputes through the real client."""

from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.till import kinds, paid, session
from tests.stripe_world import FAILS_LATER, StripeWorld

ALWAYS_ASKS = "4000002760003184"


def saved_card(world: StripeWorld, card: str) -> tuple[str, str]:
    """(customer, payment method) of somebody who has bought something and left the card."""
    wish = {"setup_future_usage": "off_session"}
    made = session(world, customer_creation="always", payment_intent_data=wish)
    done = world.pay(made.id, card=card, email="maria@example.com")
    return done["customer"], world.object("payment_intent", done["payment_intent"])["payment_method"]


def recharge(world: StripeWorld, customer: str, method: str, /, **more: Any) -> stripe.PaymentIntent:
    wish: Any = {
        "amount": 5580,
        "currency": "eur",
        "customer": customer,
        "payment_method": method,
        "off_session": True,
        "confirm": True,
        "metadata": {"purchaseId": "7"},
        **more,
    }
    return world.client().v1.payment_intents.create(wish, {"idempotency_key": "purchase:7"})


@pytest.mark.parametrize("card", ["4242424242424242", "4000002500003155"])
def test_a_saved_card_pays_without_its_owner(world: StripeWorld, card: str):
    customer, method = saved_card(world, card)
    world.pull()

    made = recharge(world, customer, method)

    assert (made.status, made.amount_received, made.metadata.to_dict()) == (
        "succeeded",
        5580,
        {"purchaseId": "7"},
    )
    assert kinds(world) == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]
    assert recharge(world, customer, method).id == made.id


@pytest.mark.parametrize(
    ("card", "code", "decline"),
    [
        (FAILS_LATER, "card_declined", "generic_decline"),
        (ALWAYS_ASKS, "authentication_required", "authentication_required"),
    ],
)
def test_a_refused_recharge_is_an_error_that_stays(world: StripeWorld, card: str, code: str, decline: str):
    customer, method = saved_card(world, card)

    refused = [_refused(world, customer, method) for _ in range(2)]

    assert {(one.http_status, one.code, one.error.decline_code) for one in refused} == {(402, code, decline)}
    intents = {one.error.payment_intent["id"] for one in refused}
    assert len(intents) == 1
    kept = world.client().v1.payment_intents.retrieve(intents.pop())
    assert (kept.status, kept.last_payment_error.decline_code) == ("requires_payment_method", decline)
    assert kinds(world)[-2:] == ["charge.failed", "payment_intent.payment_failed"]


def _refused(world: StripeWorld, customer: str, method: str) -> stripe.CardError:
    with pytest.raises(stripe.CardError) as refused:
        recharge(world, customer, method)
    return refused.value


@pytest.mark.parametrize(
    ("wish", "param", "code"),
    [
        ({"amount": 49}, "amount", "amount_too_small"),
        ({"amount": -1}, "amount", None),
        ({"currency": "euros"}, "currency", None),
        ({"payment_method": "pm_nothing"}, "payment_method", "resource_missing"),
        ({"customer": "cus_nobody"}, "customer", "resource_missing"),
        ({"confirm": False}, "off_session", None),
    ],
)
def test_a_wrong_recharge_takes_nothing(world: StripeWorld, wish: Any, param: str, code: str | None):
    customer, method = saved_card(world, "4242424242424242")

    with pytest.raises(stripe.InvalidRequestError) as refused:
        recharge(world, customer, method, **wish)

    assert (refused.value.param, refused.value.code) == (param, code)
    assert len(world.objects("charge")) == 1


def test_a_card_pays_for_its_own_customer_only(world: StripeWorld):
    _, method = saved_card(world, "4242424242424242")
    other, _ = saved_card(world, "4242424242424242")

    with pytest.raises(stripe.InvalidRequestError) as refused:
        recharge(world, other, method)

    assert refused.value.param == "payment_method"


def test_a_detached_card_is_gone(world: StripeWorld):
    customer, method = saved_card(world, "4242424242424242")
    client = world.client().v1
    assert [one.id for one in client.customers.payment_methods.list(customer).data] == [method]

    client.payment_methods.detach(method)

    assert client.payment_methods.list({"customer": customer}).data == []


def test_refunds_add_up_on_the_charge(world: StripeWorld):
    intent, client = paid(world), world.client().v1
    world.pull()

    first = client.refunds.create({"payment_intent": intent.id, "amount": 1500, "metadata": {"a": "1"}})
    client.refunds.create({"charge": intent.latest_charge.id})

    charge = client.charges.retrieve(intent.latest_charge.id, {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (5580, True)
    assert [one.amount for one in charge.refunds.data] == [4080, 1500]
    told = [event["data"]["object"] for event in world.pull() if event["type"] == "charge.refunded"]
    assert [(one["amount_refunded"], one["refunded"]) for one in told] == [(1500, False), (5580, True)]
    assert (first.status, client.refunds.retrieve(first.id).metadata.to_dict()) == ("succeeded", {"a": "1"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.refunds.create({"payment_intent": intent.id})
    assert refused.value.code == "charge_already_refunded"


def test_more_than_is_left_cannot_be_refunded(world: StripeWorld):
    intent = paid(world)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        world.client().v1.refunds.create({"payment_intent": intent.id, "amount": 5581})

    assert refused.value.param == "amount"
    assert world.objects("refund") == []


def test_a_refund_that_fails_is_no_longer_counted(world: StripeWorld):
    intent = paid(world)

    world.refund(intent.id, 1500, fails=True)

    assert world.object("charge", intent.latest_charge.id)["amount_refunded"] == 0
    assert {"refund.failed", "refund.updated"} <= set(kinds(world))


@pytest.mark.parametrize(
    ("won", "last"), [(True, "charge.dispute.funds_reinstated"), (False, "charge.dispute.closed")]
)
def test_a_dispute_takes_the_money_until_it_is_won(world: StripeWorld, won: bool, last: str):
    intent = paid(world)
    world.pull()

    opened = world.dispute(intent.id)
    assert (opened["amount"], opened["status"]) == (5580, "needs_response")
    assert world.client().v1.charges.retrieve(intent.latest_charge.id).disputed
    assert kinds(world)[-2:] == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    world.close_dispute(opened["id"], won=won)

    [found] = world.client().v1.disputes.list({"payment_intent": intent.id}).data
    assert found.status == ("won" if won else "lost")
    assert kinds(world)[-1] == last


def test_nothing_is_refunded_while_it_is_disputed(world: StripeWorld):
    intent = paid(world)
    world.dispute(intent.id)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        world.client().v1.refunds.create({"payment_intent": intent.id})

    assert refused.value.code == "charge_disputed"
