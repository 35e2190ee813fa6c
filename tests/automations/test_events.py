"""What events start, once each, and what overtakes it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from app.automations.models import EntryStatus
from app.automations.service import editing, events, sweeping
from app.contacts import consent
from app.contacts.models import ConsentSource
from app.core import clock
from app.core.uow import unit_of_work
from app.messaging.service.links import find_link
from app.shops.models import Shop
from tests import build, build_messages
from tests.automations.builders import (
    a_checkout,
    a_parcel,
    an_automation,
    an_order,
    attempts,
    credit,
    entries,
    tell,
    texts,
    work,
)
from tests.build_contacts import a_contact

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def shop(app: Flask) -> Shop:
    shop = build.a_shop(name="Blue Door")
    credit(shop)
    return shop


def test_an_order_is_confirmed_once_however_often_it_is_told_of(shop: Shop) -> None:
    an_automation(
        shop, "order_placed", "Thanks {{ customer.firstName }}! {{orderNumber}}: {{lineItems}} {{totalPrice}}"
    )
    contact = a_contact(shop, first_name="Maria")
    order = an_order(contact.phone)

    for _ in range(3):
        tell(shop, "order_changed", order)
        work(shop)

    assert texts(shop) == [f"Thanks Maria! {order['name']}: Linen shirt x1 49.90"]
    assert attempts(shop) == [(1, "sent", None)]
    build_messages.assert_books_balance()


def test_every_active_automation_of_a_trigger_fires_and_no_other(shop: Shop) -> None:
    an_automation(shop, "order_placed")
    an_automation(shop, "order_confirmation", "The same under its old name.")
    an_automation(shop, "order_placed", "A text that is only a draft.", status="draft")
    an_automation(shop, "birthday")

    tell(shop, "order_changed", an_order(a_contact(shop).phone))
    work(shop)

    assert len(texts(shop)) == 2


@pytest.mark.parametrize("given", ["opted_out", "unknown"])
def test_who_does_not_consent_is_not_texted_and_the_log_says_why(shop: Shop, given: str) -> None:
    an_automation(shop, "order_placed")
    tell(shop, "order_changed", an_order(a_contact(shop, consent=given).phone))
    work(shop)

    assert texts(shop) == []
    assert attempts(shop) == [(1, "skipped", {"opted_out": "opted_out", "unknown": "no_consent"}[given])]


def test_a_parcel_brings_its_link_and_later_a_request_for_a_review(shop: Shop) -> None:
    an_automation(shop, "order_fulfilled", "On its way: {{tracking.url}}")
    an_automation(shop, "review_request", "How do you like {{order.name}}? {{reviewLink}}")
    order = an_order(a_contact(shop).phone)
    tell(shop, "order_changed", order)
    tell(shop, "parcel_changed", a_parcel(order))
    work(shop)

    (text,) = texts(shop)
    found = find_link(text.rpartition("/r/")[2])
    assert found is not None
    assert found.destination == "https://carrier.example/follow/RB1"
    with clock.moved(6 * DAY - 5 * MINUTE):
        work(shop)
        assert len(texts(shop)) == 1
    with clock.moved(6 * DAY + timedelta(hours=2)):
        work(shop)
    assert texts(shop)[1] == f"How do you like {order['name']}? https://{shop.domain}"


def test_a_parcel_without_a_link_leaves_none_in_the_text(shop: Shop) -> None:
    an_automation(shop, "order_fulfilled", "Order {{order.name}} is on its way. {{tracking.url}}")
    order = an_order(a_contact(shop).phone)
    tell(shop, "order_changed", order)
    tell(shop, "parcel_changed", a_parcel(order, tracking_url=None))
    work(shop)

    assert texts(shop) == [f"Order {order['name']} is on its way."]


def test_a_parcel_before_its_order_is_tried_again(shop: Shop) -> None:
    with pytest.raises(events.OrderNotKnownYet):
        tell(shop, "parcel_changed", a_parcel(an_order("+306911111111")))


def test_a_cancelled_order_is_not_asked_about(shop: Shop) -> None:
    an_automation(shop, "review_request")
    order = an_order(a_contact(shop).phone)
    tell(shop, "order_changed", order)
    tell(shop, "parcel_changed", a_parcel(order))
    later = (clock.now() + MINUTE).isoformat()
    tell(shop, "order_changed", {**order, "cancelled_at": later, "updated_at": later})
    with clock.moved(7 * DAY):
        work(shop)

    assert texts(shop) == []
    assert attempts(shop) == [(1, "skipped", "order_cancelled")]


def test_an_abandoned_checkout_is_asked_about_and_its_link_leads_back(shop: Shop) -> None:
    an_automation(shop, "cart_abandoned", "Your cart: {{abandonedCheckoutUrl}}")
    checkout = a_checkout(a_contact(shop).phone)
    tell(shop, "checkout_changed", checkout)
    with clock.moved(55 * MINUTE):
        work(shop)
        assert texts(shop) == []
    with clock.moved(65 * MINUTE):
        work(shop)

    (text,) = texts(shop)
    found = find_link(text.rpartition("/r/")[2])
    assert found is not None
    assert found.destination == checkout["abandoned_checkout_url"]


def test_one_thing_in_a_cart_is_asked_about_after_half_an_hour(shop: Shop) -> None:
    an_automation(shop, "abandoned_cart")
    tell(shop, "checkout_changed", a_checkout(a_contact(shop).phone, items=1))
    with clock.moved(35 * MINUTE):
        work(shop)

    assert len(texts(shop)) == 1


def test_who_goes_on_with_a_cart_is_asked_an_hour_after_the_last_change(shop: Shop) -> None:
    an_automation(shop, "cart_abandoned")
    checkout = a_checkout(a_contact(shop).phone)
    tell(shop, "checkout_changed", checkout)
    later = (clock.now() + 30 * MINUTE).isoformat()
    tell(shop, "checkout_changed", {**checkout, "updated_at": later})
    with clock.moved(65 * MINUTE):
        work(shop)
        assert texts(shop) == []
    with clock.moved(95 * MINUTE):
        work(shop)
    assert len(texts(shop)) == 1


@pytest.mark.parametrize("how", ["completed", "order", "another purchase"])
def test_a_recovered_checkout_is_left_alone_and_only_that_contacts(shop: Shop, how: str) -> None:
    an_automation(shop, "cart_abandoned")
    buyer, other = a_contact(shop), a_contact(shop)
    checkout = a_checkout(buyer.phone)
    tell(shop, "checkout_changed", checkout)
    tell(shop, "checkout_changed", a_checkout(other.phone))
    later = clock.now() + 10 * MINUTE
    if how == "completed":
        done = {**checkout, "completed_at": later.isoformat(), "updated_at": later.isoformat()}
        tell(shop, "checkout_changed", done)
    elif how == "order":
        tell(shop, "order_changed", an_order(buyer.phone, at=later, checkout_token=checkout["token"]))
    else:
        tell(shop, "order_changed", an_order(buyer.phone, at=later))
    with clock.moved(90 * MINUTE):
        work(shop)

    reasons = {reason for _, _, reason in attempts(shop)}
    assert reasons == {None, "purchased" if how == "another purchase" else "recovered"}
    assert len(texts(shop)) == 1


def test_new_subscribers_are_welcomed_once_and_imported_ones_never(shop: Shop) -> None:
    an_automation(shop, "welcome")
    contact = a_contact(shop, first_name="Maria")
    a_contact(shop, source=ConsentSource.IMPORT)

    for _ in range(2):
        assert shop.id in sweeping.shops_with_news() or entries(shop)
        sweeping.welcome(shop.id)
        work(shop)
    with unit_of_work(shop.id):
        consent.withdraw_by_phone(shop.id, contact.phone, source=ConsentSource.MANUAL)
    with unit_of_work(shop.id) as session:
        again = session.merge(contact)
        consent.grant(shop.id, again, source=ConsentSource.OPT_IN_FORM, lift_suppression=True)
    sweeping.welcome(shop.id)
    work(shop)

    assert texts(shop) == ["Hello Maria!"]
    assert shop.id not in sweeping.shops_with_news()


def test_who_subscribed_before_the_welcome_was_switched_on_is_not_welcomed(shop: Shop) -> None:
    a_contact(shop)
    with clock.moved(5 * MINUTE):
        an_automation(shop, "welcome")
        sweeping.welcome(shop.id)

    assert entries(shop) == []


def test_a_series_goes_on_until_somebody_buys(shop: Shop) -> None:
    steps = [
        {"message": "Welcome to us!", "delay_minutes": 0},
        {"message": "Have you seen this?", "delay_minutes": 2 * 1440},
        {"message": "A last little word.", "delay_minutes": 5 * 1440},
    ]
    an_automation(shop, "welcome", steps=steps)
    buyer, reader = a_contact(shop), a_contact(shop)
    sweeping.welcome(shop.id)
    work(shop)
    with clock.moved(2 * DAY + MINUTE):
        work(shop)
        tell(shop, "order_changed", an_order(buyer.phone))
    with clock.moved(7 * DAY + 2 * MINUTE):
        work(shop)

    by_contact = {entry.contact_id: (entry.status, entry.outcome) for entry in entries(shop)}
    assert by_contact[buyer.id] == (EntryStatus.LEFT, "purchased")
    assert by_contact[reader.id] == (EntryStatus.FINISHED, "sent")
    assert len(texts(shop)) == 5


def test_an_opt_out_ends_a_series_even_when_it_is_taken_back(shop: Shop) -> None:
    steps = [
        {"message": "Welcome to us!", "delay_minutes": 0},
        {"message": "Have you seen this?", "delay_minutes": 1440},
    ]
    an_automation(shop, "welcome", steps=steps)
    contact = a_contact(shop)
    sweeping.welcome(shop.id)
    work(shop)
    with unit_of_work(shop.id) as session:
        consent.withdraw_by_phone(shop.id, contact.phone, source=ConsentSource.SMS_REPLY)
        consent.grant(shop.id, session.merge(contact), source=ConsentSource.MANUAL, lift_suppression=True)
    with clock.moved(DAY + MINUTE):
        work(shop)

    assert attempts(shop) == [(1, "sent", None), (2, "skipped", "opted_out")]


def test_a_paused_automation_keeps_what_is_due_and_goes_on(shop: Shop) -> None:
    automation = an_automation(shop, "order_placed").automation
    tell(shop, "order_changed", an_order(a_contact(shop).phone))
    editing.update_automation(shop.id, automation.id, {"status": "paused"})
    work(shop)
    assert texts(shop) == []

    editing.update_automation(shop.id, automation.id, {"status": "active"})
    work(shop)
    assert len(texts(shop)) == 1


def test_deleting_an_automation_cancels_what_has_not_left(shop: Shop) -> None:
    automation = an_automation(shop, "order_placed").automation
    tell(shop, "order_changed", an_order(a_contact(shop).phone))
    work(shop)
    tell(shop, "order_changed", an_order(a_contact(shop).phone))
    editing.delete_automation(shop.id, automation.id)
    work(shop)

    assert entries(shop) == []
    assert build_messages.balance_of(shop).held == 0
    build_messages.assert_books_balance()


def test_what_is_three_days_late_is_not_said_any_more(shop: Shop) -> None:
    an_automation(shop, "order_placed")
    tell(shop, "order_changed", an_order(a_contact(shop).phone))
    with clock.moved(3 * DAY + MINUTE):
        work(shop)

    assert attempts(shop) == [(1, "skipped", "too_late")]


def test_credits_reach_as_far_as_they_reach_and_the_log_tells_the_rest(app: Flask) -> None:
    shop = build.a_shop(plan=None)
    credit(shop, 3)
    build_messages.execute(
        shop,
        """INSERT INTO subscriptions (shop_id, plan, billing_interval, status)
           VALUES (:id, 'starter', 'month', 'active')""",
        id=shop.id,
    )
    an_automation(shop, "order_placed", "A text of one part.")
    for _ in range(5):
        tell(shop, "order_changed", an_order(a_contact(shop).phone))
    work(shop)

    outcomes = [(outcome, reason) for _, outcome, reason in attempts(shop)]
    assert outcomes == [("sent", None)] * 3 + [("skipped", "insufficient_credits")] * 2
    assert build_messages.balance_of(shop).held == 3
    build_messages.assert_books_balance()


def test_without_a_subscription_nothing_is_said(app: Flask) -> None:
    shop = build.a_shop(plan=None)
    credit(shop)
    an_automation(shop, "order_placed")
    tell(shop, "order_changed", an_order(a_contact(shop).phone))
    work(shop)

    assert attempts(shop) == [(1, "skipped", "no_subscription")]


def test_marketing_leaves_people_alone_after_three_texts_a_day_and_their_orders_are_told(shop: Shop) -> None:
    for _ in range(4):
        an_automation(shop, "welcome")
    an_automation(shop, "order_placed")
    contact = a_contact(shop)
    sweeping.welcome(shop.id)
    work(shop)
    tell(shop, "order_changed", an_order(contact.phone))
    work(shop)

    outcomes = [(outcome, reason) for _, outcome, reason in attempts(shop)]
    assert outcomes == [("sent", None)] * 3 + [("skipped", "frequency_cap"), ("sent", None)]


def test_a_birthday_is_congratulated_once_in_the_morning_of_the_shop(shop: Shop) -> None:
    with clock.moved(datetime(2027, 2, 28, 6, tzinfo=UTC) - clock.now()):  # eight o'clock in Athens
        an_automation(shop, "birthday", "Happy birthday {{firstName}}!")
        a_contact(shop, first_name="Maria", birth_date=date(1990, 2, 28))
        a_contact(shop, first_name="Leap", birth_date=date(1992, 2, 29))
        a_contact(shop, first_name="Other", birth_date=date(1990, 3, 1))
        sweeping.start_birthdays()
        assert entries(shop) == []
    with clock.moved(datetime(2027, 2, 28, 8, 1, tzinfo=UTC) - clock.now()):
        for _ in range(2):
            sweeping.start_birthdays()
            work(shop)

    assert sorted(texts(shop)) == ["Happy birthday Leap!", "Happy birthday Maria!"]


def test_who_has_not_bought_for_ninety_days_is_asked_back_once(shop: Shop) -> None:
    an_automation(shop, "customer_inactive", "It has been {{daysSinceLastOrder}} days.")
    a_contact(shop, orders_count=1, last_order_at=clock.now() - 91 * DAY)
    a_contact(shop, orders_count=1, last_order_at=clock.now() - 60 * DAY)
    tomorrow_noon = clock.now().replace(hour=12, minute=0) + DAY - clock.now()
    with clock.moved(tomorrow_noon):
        for _ in range(2):
            sweeping.start_win_backs()
            work(shop)

    assert texts(shop) == ["It has been 92 days."]
