"""Events come late, twice and in any order: whatever the order, the same rows are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import permutations
from typing import Any

from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.contacts.merging_two import merge_contacts
from app.shops.models import Shop
from tests import build, build_orders
from tests.build_contacts import a_contact
from tests.build_messages import execute
from tests.build_orders import at, kept, order, refund, take

Post = tuple[str, dict[str, Any], int]  # kind, payload, which of the two contacts it names (0: nobody)
SECONDS = st.integers(0, 3)  # few, so that states share a second
WHO = st.integers(0, 2)
MAYBE_TIME = st.none() | st.integers(0, 3).map(at)


@st.composite
def orders(draw: st.DrawFn) -> Post:
    refunds = draw(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(["5.00", "7.50"])), max_size=2))
    number = draw(st.integers(1, 3))
    payload = order(
        number,
        draw(SECONDS),
        processed_at=at(draw(st.integers(-3, 0)) * 86_400),
        cancelled_at=draw(MAYBE_TIME),
        total_price=draw(st.sampled_from(["10.00", "49.90"])),
        financial_status=draw(st.sampled_from(["paid", "refunded", None])),
        refunds=[refund(number * 10 + id_, amount) for id_, amount in refunds],
        discount_codes=draw(st.sampled_from([[], [{"code": "SAVE10"}]])),
    )
    return "order", payload, draw(WHO)


@st.composite
def refunds(draw: st.DrawFn) -> Post:
    number = draw(st.integers(1, 3))
    amount = draw(st.sampled_from(["5.00", "7.50"]))
    return "refund", refund(number * 10 + draw(st.integers(1, 3)), amount, number), 0


@st.composite
def parcels(draw: st.DrawFn) -> Post:
    number = draw(st.integers(1, 4))
    payload = {
        "id": 100 + number,
        "order_id": 1 + number % 3,
        "created_at": at(draw(SECONDS)),
        "updated_at": at(draw(SECONDS)),
        "shipment_status": draw(st.sampled_from([None, "in_transit", "delivered"])),
        "tracking_number": draw(st.sampled_from([None, "RA1"])),
    }
    return "parcel", payload, 0


@st.composite
def checkouts(draw: st.DrawFn) -> Post:
    payload = {
        "token": draw(st.sampled_from(["t1", "t2"])),
        "created_at": at(0),
        "updated_at": at(draw(SECONDS)),
        "completed_at": draw(MAYBE_TIME),
        "subtotal_price": draw(st.sampled_from(["0.00", "12.00"])),
    }
    return "checkout", payload, draw(WHO)


POSTS = st.lists(st.one_of(orders(), refunds(), parcels(), checkouts()), min_size=2, max_size=10)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_same_posts_end_in_the_same_rows_whatever_their_order_and_repetitions(app: Flask, data: Any):
    posts = data.draw(POSTS)
    first, second = a_shop_with_two(), a_shop_with_two()
    again = data.draw(st.lists(st.sampled_from(posts), max_size=4))

    deliver(*first, posts)
    deliver(*second, data.draw(st.permutations([*posts, *again])))

    assert comparable(*second) == comparable(*first)
    assert_counts_are_the_orders(first[0])


def a_shop_with_two() -> tuple[Shop, list[int]]:
    shop = build.a_shop()
    return shop, [a_contact(shop).id for _ in range(2)]


def deliver(shop: Shop, contacts: Sequence[int], posts: Sequence[Post]) -> None:
    """As the inbox does: what cannot be taken in yet comes again, until nothing more changes."""
    waiting, refused = deque(posts), 0
    while waiting and refused < len(waiting):
        kind, payload, who = waiting.popleft()
        if take(shop, kind, payload, contacts[who - 1] if who else None):
            refused = 0
        else:
            waiting.append((kind, payload, who))
            refused += 1


def comparable(shop: Shop, contacts: Sequence[int]) -> dict[str, Any]:
    names = {contact_id: number for number, contact_id in enumerate(contacts)}
    rows = kept(shop)
    for row in [*rows["orders"], *rows["checkouts"], *rows["fulfilments"]]:
        del row["shop_id"]
        if row.get("contact_id"):
            row["contact_id"] = names[row["contact_id"]]
    return {**rows, "contacts": [(names[row[0]], *row[1:]) for row in rows["contacts"]]}


def assert_counts_are_the_orders(shop: Shop) -> None:
    wrong = execute(
        shop,
        """SELECT c.id FROM contacts c LEFT JOIN (
             SELECT contact_id, count(*) AS orders, min(placed_at) AS first_at, max(placed_at) AS last_at
             FROM orders WHERE cancelled_at IS NULL GROUP BY contact_id) o ON o.contact_id = c.id
           WHERE (c.orders_count, c.first_order_at, c.last_order_at)
             IS DISTINCT FROM (coalesce(o.orders, 0), o.first_at, o.last_at)""",
    )
    assert wrong == []


def test_two_states_of_one_second_end_as_the_cancelled_one(shop: Shop):
    build_orders.take_order(shop, seconds=1, cancelled_at=at(1))
    build_orders.take_order(shop, seconds=1, financial_status="refunded")

    (row,) = kept(shop)["orders"]
    assert row["cancelled_at"] is not None


def test_a_cancelled_last_order_leaves_the_one_before_it_as_the_last(shop: Shop):
    contact = a_contact(shop)
    build_orders.take_order(shop, contact.id, shopify_id=1, processed_at=at(-86_400))
    build_orders.take_order(shop, contact.id, shopify_id=2)

    build_orders.take_order(shop, contact.id, shopify_id=2, seconds=9, cancelled_at=at(9))

    ((count, first_at, last_at),) = execute(
        shop, "SELECT orders_count, first_order_at, last_order_at FROM contacts"
    )
    assert (count, first_at.isoformat(), last_at.isoformat()) == (1, at(-86_400), at(-86_400))


def test_of_two_states_of_a_checkout_in_one_second_the_same_one_is_kept_also_when_it_was_completed(
    app: Flask,
):
    def told(price: str, completed_at: str | None) -> dict[str, Any]:
        seen = {"created_at": at(0), "updated_at": at(3), "completed_at": completed_at}
        return {"token": "t1", "subtotal_price": price, **seen}

    states = [told("0.00", None), told("12.00", None), told("0.00", at(1))]
    endings = []
    for order_of_arrival in permutations(states):
        shop, _ = a_shop_with_two()
        for state in order_of_arrival:
            take(shop, "checkout", state)
        (row,) = kept(shop)["checkouts"]
        endings.append((row["subtotal_cents"], row["completed_at"]))

    assert len(set(endings)) == 1


def test_two_contacts_that_become_one_keep_their_orders_and_count_them_once(shop: Shop):
    kept_one, gone = a_contact(shop), a_contact(shop)
    build_orders.take_order(shop, gone.id)

    merge_contacts(shop.id, keep_id=kept_one.id, merge_id=gone.id)
    build_orders.take_order(shop, kept_one.id, seconds=5)

    assert execute(shop, "SELECT contact_id FROM orders") == [(kept_one.id,)]
    assert execute(shop, "SELECT orders_count FROM contacts") == [(1,)]


def test_an_order_that_moves_to_another_customer_is_counted_there(shop: Shop):
    one, other = a_contact(shop), a_contact(shop)
    build_orders.take_order(shop, one.id)

    build_orders.take_order(shop, other.id, seconds=5)
    build_orders.take_order(shop, one.id, seconds=2)

    counts = dict(map(tuple, execute(shop, "SELECT id, orders_count FROM contacts")))
    assert counts == {one.id: 0, other.id: 1}
