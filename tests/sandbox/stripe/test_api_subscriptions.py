"""Subscriptions through the real client, with the clock moved."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from tests.sandbox.stripe.till import GREECE, kinds, session, subscribed
from tests.stripe_world import DECLINED, FAILS_LATER, SECURE, SEPA, StripeWorld

STARTER, PRO = "price_sandbox_starter_eur", "price_sandbox_pro_eur"
RENEWAL = [
    "invoice.created",
    "customer.subscription.updated",
    "payment_intent.created",
    "invoice.finalized",
    "charge.succeeded",
    "payment_intent.succeeded",
    "invoice_payment.paid",
    "invoice.paid",
    "invoice.payment_succeeded",
]


def again(world: StripeWorld, subscription: stripe.Subscription) -> stripe.Subscription:
    return world.client().v1.subscriptions.retrieve(subscription.id, {"expand": ["latest_invoice"]})


def item(subscription: stripe.Subscription) -> Any:
    return subscription["items"].data[0]


def of(world: StripeWorld, kind: str) -> list[dict[str, Any]]:
    """The objects of the events of a kind since the last call."""
    return [event["data"]["object"] for event in world.pull() if event["type"] == kind]


def test_a_paid_checkout_begins_a_subscription(world: StripeWorld):
    made = subscribed(world, subscription_data={"metadata": {"shopId": "7"}})

    assert (made.status, made.metadata.to_dict()) == ("active", {"shopId": "7"})
    assert "current_period_end" not in made
    assert item(made).current_period_end > item(made).current_period_start == made.start_date
    invoice = made.latest_invoice
    assert (invoice.status, invoice.billing_reason, invoice.amount_paid) == (
        "paid",
        "subscription_create",
        4000,
    )
    assert invoice.parent.subscription_details.subscription == made.id
    assert invoice.parent.subscription_details.metadata.to_dict() == {"shopId": "7"}
    assert "payment_intent" not in invoice and "subscription" not in invoice
    told = kinds(world)
    assert told.index("customer.subscription.created") < told.index("invoice.paid")
    assert told[-1] == "checkout.session.completed"


def test_an_invoice_leads_to_its_payment_and_back(world: StripeWorld):
    client = world.client().v1
    made = subscribed(world)

    expand = ["payments.data.payment.payment_intent"]
    invoice = client.invoices.retrieve(made.latest_invoice.id, {"expand": expand})
    intent = invoice.payments.data[0].payment.payment_intent

    assert (intent.amount, intent.status) == (4000, "succeeded")
    wish: Any = {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    [back] = client.invoice_payments.list(wish).data
    assert back.invoice == invoice.id


def test_a_year_of_months_renews_on_the_same_day(world: StripeWorld):
    made = subscribed(world)
    anchor = datetime.fromtimestamp(item(made).current_period_start, UTC)
    ends = []

    for _ in range(12):
        world.pull()
        end = item(again(world, made)).current_period_end
        ends.append(datetime.fromtimestamp(end, UTC))
        world.advance(seconds=end - world.ask("GET", "/clock")["now"] + 3700)
        assert kinds(world) == RENEWAL

    assert [end.month for end in ends] == [(anchor.month + past) % 12 + 1 for past in range(12)]
    assert {end.day for end in ends} <= {anchor.day, 28, 29, 30}
    invoices = world.client().v1.invoices.list({"subscription": made.id, "limit": 100}).data
    assert [one.billing_reason for one in invoices] == ["subscription_cycle"] * 12 + ["subscription_create"]
    assert {one.status for one in invoices} == {"paid"}
    assert len({one.number for one in invoices}) == 13


def test_an_invoice_is_a_draft_for_an_hour(world: StripeWorld):
    made = subscribed(world)

    world.advance(seconds=item(made).current_period_end - made.created + 60)

    after = again(world, made)
    assert (after.status, after.latest_invoice.status) == ("active", "draft")
    assert item(after).current_period_start == item(made).current_period_end


def test_the_events_of_a_renewal_carry_their_own_moments(world: StripeWorld):
    made = subscribed(world)
    world.pull()

    world.advance(months=3)

    moments = [one["created"] for one in of(world, "invoice.created")]
    assert moments[0] - item(made).current_period_end <= 1
    assert len(moments) == 3 and moments == sorted(set(moments))


def test_a_card_that_was_confirmed_once_renews_without_a_question(world: StripeWorld):
    made = subscribed(world, card=SECURE)

    world.advance(months=1, days=1)

    after = again(world, made)
    assert (after.status, after.latest_invoice.status) == ("active", "paid")


def test_a_declined_card_begins_nothing(world: StripeWorld):
    made = session(world, mode="subscription", line_items=[{"price": STARTER, "quantity": 1}])

    assert world.pay(made.id, card=DECLINED, email="maria@example.com")["status"] == "open"

    assert world.objects("subscription") == world.objects("invoice") == []
    assert world.pay(made.id, email="maria@example.com")["payment_status"] == "paid"
    assert [one["status"] for one in world.objects("subscription")] == ["active"]
    assert len(world.objects("customer")) == 1


def test_a_renewal_that_fails_is_tried_again_until_the_subscription_ends(world: StripeWorld):
    made = subscribed(world, card=FAILS_LATER)
    world.pull()

    world.advance(months=1, days=1)
    late = again(world, made)
    assert (late.status, late.latest_invoice.status, late.latest_invoice.attempt_count) == (
        "past_due",
        "open",
        1,
    )
    assert late.latest_invoice.next_payment_attempt > world.ask("GET", "/clock")["now"]
    failed = of(world, "invoice.payment_failed")
    assert [one["attempt_count"] for one in failed] == [1]
    assert failed[0]["next_payment_attempt"] == late.latest_invoice.next_payment_attempt
    world.advance(days=20)

    over = again(world, made)
    assert (over.status, over.cancellation_details.reason) == ("canceled", "payment_failed")
    told = kinds(world)
    assert told.count("invoice.payment_failed") == 3
    assert told[-1] == "customer.subscription.deleted"


@pytest.mark.parametrize("ending", ["unpaid", "past_due"])
def test_the_account_decides_how_dunning_ends(world: StripeWorld, ending: str):
    world.switch(dunning_end=ending, dunning_days="1")
    made = subscribed(world, card=FAILS_LATER)

    world.advance(months=1, days=5)

    assert again(world, made).status == ending


def test_a_mended_card_pays_at_the_next_try(world: StripeWorld):
    made = subscribed(world, card=FAILS_LATER)
    world.advance(months=1, days=1)

    world.mend_renewals(made.id)
    world.advance(days=5)

    after = again(world, made)
    assert (after.status, after.latest_invoice.status) == ("active", "paid")


def test_an_open_invoice_can_be_paid_by_hand(world: StripeWorld):
    made = subscribed(world, card=FAILS_LATER)
    world.advance(months=1, days=1)
    world.mend_renewals(made.id)

    paid = world.client().v1.invoices.pay(again(world, made).latest_invoice.id)

    assert (paid.status, again(world, made).status) == ("paid", "active")


def test_cancelling_at_the_periods_end_can_be_taken_back(world: StripeWorld):
    subscriptions = world.client().v1.subscriptions
    made = subscribed(world)

    asked = subscriptions.update(made.id, {"cancel_at_period_end": True})
    assert (asked.status, asked.cancel_at_period_end) == ("active", True)
    assert asked.cancel_at == item(made).current_period_end
    back = subscriptions.update(made.id, {"cancel_at_period_end": False})
    assert (back.cancel_at_period_end, back.cancel_at, back.canceled_at) == (False, None, None)
    subscriptions.update(made.id, {"cancel_at_period_end": True})
    world.pull()
    world.advance(months=1, days=1)

    assert kinds(world) == ["customer.subscription.deleted"]
    over = again(world, made)
    assert (over.status, over.ended_at) == ("canceled", item(made).current_period_end)
    with pytest.raises(stripe.InvalidRequestError):
        subscriptions.update(made.id, {"cancel_at_period_end": False})


def test_cancelling_now_ends_it_once(world: StripeWorld):
    subscriptions = world.client().v1.subscriptions
    made = subscribed(world)

    assert subscriptions.cancel(made.id, {"prorate": False, "invoice_now": False}).status == "canceled"

    with pytest.raises(stripe.InvalidRequestError) as refused:
        subscriptions.cancel(made.id)
    assert refused.value.code == "resource_missing"
    assert subscriptions.retrieve(made.id).status == "canceled"
    assert subscriptions.list({"customer": made.customer}).data == []
    assert [one.id for one in subscriptions.list({"customer": made.customer, "status": "all"}).data] == [
        made.id
    ]


def test_another_price_of_the_same_interval_is_prorated_at_once(world: StripeWorld):
    client = world.client().v1
    wish: Any = {"currency": "eur", "product": "prod_sandbox_pro", "unit_amount": 10_000}
    dearer = client.prices.create(wish | {"recurring": {"interval": "month"}})
    made = subscribed(world)
    start, end = item(made).current_period_start, item(made).current_period_end
    world.pull()

    change: Any = {
        "items": [{"id": item(made).id, "price": dearer.id}],
        "proration_behavior": "always_invoice",
        "proration_date": start + (end - start) // 2,
    }
    client.subscriptions.update(made.id, change)

    after = again(world, made)
    assert (item(after).id, item(after).price.id) == (item(made).id, dearer.id)
    assert item(after).current_period_end == end
    invoice = after.latest_invoice
    assert (invoice.billing_reason, invoice.status, invoice.total) == ("subscription_update", "paid", 3000)
    assert [line.amount for line in invoice.lines.data] == [-2000, 5000]
    assert all(line.parent.subscription_item_details.proration for line in invoice.lines.data)
    assert {"invoice.paid", "customer.subscription.updated"} <= set(kinds(world))


def test_another_interval_begins_a_new_period(world: StripeWorld):
    made = subscribed(world)
    change: Any = {"items": [{"id": item(made).id, "price": PRO}], "proration_behavior": "always_invoice"}

    world.client().v1.subscriptions.update(made.id, change)

    after = again(world, made)
    lasts = item(after).current_period_end - item(after).current_period_start
    assert lasts in (365 * 86_400, 366 * 86_400)
    assert after.latest_invoice.total == pytest.approx(20_000, abs=2)


def test_a_price_without_an_items_id_is_a_second_item(world: StripeWorld):
    client = world.client().v1
    wish: Any = {"currency": "eur", "product": "prod_sandbox_pro", "unit_amount": 100}
    extra = client.prices.create(wish | {"recurring": {"interval": "month"}})
    made = subscribed(world)

    change: Any = {"items": [{"price": extra.id}], "proration_behavior": "none"}
    after = client.subscriptions.update(made.id, change)

    assert [one.price.id for one in after["items"].data] == [STARTER, extra.id]


def test_a_one_time_price_fits_no_subscription(world: StripeWorld):
    made = subscribed(world)
    change: Any = {"items": [{"id": item(made).id, "price": "price_sandbox_package_1000_eur"}]}

    with pytest.raises(stripe.InvalidRequestError) as refused:
        world.client().v1.subscriptions.update(made.id, change)

    assert refused.value.param == "items[0][price]"


@pytest.mark.parametrize("behavior", ["error_if_incomplete", "pending_if_incomplete", "allow_incomplete"])
def test_an_unpaid_change_ends_as_was_wished(world: StripeWorld, behavior: str):
    made = subscribed(world, card=FAILS_LATER)
    change: Any = {
        "items": [{"id": item(made).id, "price": PRO}],
        "proration_behavior": "always_invoice",
        "payment_behavior": behavior,
    }

    world.pull()
    try:
        world.client().v1.subscriptions.update(made.id, change)
        is_refused = False
    except stripe.CardError:
        is_refused = True

    after = again(world, made)
    assert is_refused == (behavior == "error_if_incomplete") == (world.pull() == [])
    assert item(after).price.id == (PRO if behavior == "allow_incomplete" else STARTER)
    assert after.status == ("past_due" if behavior == "allow_incomplete" else "active")
    assert ("pending_update" in after and after.pending_update is not None) == (
        behavior == "pending_if_incomplete"
    )


def scheduled(world: StripeWorld, made: stripe.Subscription, price: str) -> stripe.SubscriptionSchedule:
    """The price changes at the present period's end."""
    schedules = world.client().v1.subscription_schedules
    schedule = schedules.create({"from_subscription": made.id})
    current = schedule.phases[0]
    phases: Any = [
        {
            "start_date": current.start_date,
            "end_date": current.end_date,
            "items": [{"price": item(made).price.id, "quantity": 1}],
        },
        {"items": [{"price": price, "quantity": 1}], "metadata": {"planType": "starter"}},
    ]
    return schedules.update(schedule.id, {"end_behavior": "release", "phases": phases})


def test_a_scheduled_change_comes_with_the_next_period(world: StripeWorld):
    made = subscribed(world, price=PRO)
    schedule = scheduled(world, made, STARTER)
    assert again(world, made).schedule == schedule.id
    wish: Any = {"customer": str(made.customer), "status": "all", "expand": ["data.schedule"]}
    [listed] = world.client().v1.subscriptions.list(wish).data
    assert [phase["items"][0].price for phase in listed.schedule.phases] == [PRO, STARTER]
    world.pull()

    world.advance(years=1, days=1)

    after = again(world, made)
    assert (item(after).price.id, item(after).id) == (STARTER, item(made).id)
    assert item(after).current_period_end - item(after).current_period_start <= 31 * 86_400
    assert (after.latest_invoice.total, after.latest_invoice.status) == (4000, "paid")
    assert after.metadata.to_dict() == {"planType": "starter"}
    assert "subscription_schedule.updated" in kinds(world)
    world.advance(months=1, days=1)
    assert again(world, made).schedule is None
    assert world.client().v1.subscription_schedules.retrieve(schedule.id).status == "released"


def test_a_released_schedule_changes_nothing(world: StripeWorld):
    made = subscribed(world, price=PRO)
    schedule = scheduled(world, made, STARTER)

    world.client().v1.subscription_schedules.release(schedule.id)
    world.advance(years=1, days=1)

    after = again(world, made)
    assert (after.schedule, item(after).price.id) == (None, PRO)
    with pytest.raises(stripe.InvalidRequestError):
        world.client().v1.subscription_schedules.release(schedule.id)


def test_a_scheduled_subscription_is_cancelled_through_its_schedule_only(world: StripeWorld):
    made = subscribed(world, price=PRO)
    scheduled(world, made, STARTER)
    client = world.client().v1

    with pytest.raises(stripe.InvalidRequestError, match="schedule"):
        client.subscriptions.update(made.id, {"cancel_at_period_end": True})
    with pytest.raises(stripe.InvalidRequestError):
        client.subscription_schedules.create({"from_subscription": made.id})
    client.subscriptions.cancel(made.id)

    assert [one["status"] for one in world.objects("subscription_schedule")] == ["canceled"]


def test_a_bank_debit_that_fails_makes_the_subscription_past_due(world: StripeWorld):
    made = subscribed(world, card=SEPA)
    assert (made.status, made.latest_invoice.status) == ("active", "open")
    [paying] = world.objects("checkout.session")

    world.settle(paying["id"], succeeded=False)

    after = again(world, made)
    assert (after.status, after.latest_invoice.status) == ("past_due", "open")
    assert {"invoice.payment_failed", "checkout.session.async_payment_failed"} <= set(kinds(world))


def test_a_renewal_by_bank_debit_takes_days(world: StripeWorld):
    made = subscribed(world, card=SEPA)
    [paying] = world.objects("checkout.session")
    world.settle(paying["id"])

    world.advance(months=1, days=1)
    under_way = again(world, made)
    world.advance(days=3)

    after = again(world, made)
    assert (under_way.status, under_way.latest_invoice.status) == ("active", "open")
    assert (after.status, after.latest_invoice.status) == ("active", "paid")
    assert after.latest_invoice.attempt_count == 1


def test_tax_is_on_every_invoice(world: StripeWorld):
    customer = world.client().v1.customers.create({"address": GREECE, "name": "Maria"})
    made = subscribed(world, customer=customer.id, automatic_tax={"enabled": True})

    world.advance(months=1, days=1)

    invoices = world.client().v1.invoices.list({"customer": customer.id}).data
    assert [(one.subtotal, one.total, one.amount_paid) for one in invoices] == [(4000, 4960, 4960)] * 2
    assert invoices[0].total_taxes[0].amount == 960
    assert again(world, made).status == "active"


def test_the_portal_is_for_a_customer_that_exists(world: StripeWorld):
    made = subscribed(world)
    portal = world.client().v1.billing_portal.sessions

    opened = portal.create({"customer": str(made.customer), "return_url": "https://app.example.com/billing"})

    assert opened.url.startswith(f"{world.url}/stripe/portal/bps_")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        portal.create({"customer": "cus_nobody"})
    assert refused.value.param == "customer"


def test_a_trial_is_free_and_then_renews(world: StripeWorld):
    made = subscribed(world, subscription_data={"trial_period_days": 7})
    assert (made.status, made.latest_invoice.total) == ("trialing", 0)

    world.advance(days=8)

    after = again(world, made)
    assert (after.status, after.latest_invoice.total) == ("active", 4000)
