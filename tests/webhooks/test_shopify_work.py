"""Working off Shopify's events: once each, one object at a time, and none in another one's way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from rq.timeouts import JobTimeoutException

from app.core.jobs import JobFailed
from app.core.queue import bell_key
from app.core.redis import redis_client
from app.core.uow import require_unit_of_work, unit_of_work
from app.integrations.shopify.events import ShopifyEvent
from app.shops.models import Shop
from app.webhooks import jobs
from app.webhooks.models import Left
from app.webhooks.queries import MISSES_MAX
from app.webhooks.service import inbox as inbox_service
from app.webhooks.service import shopify_events
from tests import build
from tests.webhooks.posts import inbox
from tests.webhooks.shopify_posts import handled, post, work

TOPIC = "orders/create"
NAME_SHOP = sa.text("UPDATE shops SET name = coalesce(name, '') || :letter WHERE id = :shop_id")


@pytest.fixture
def shop(app: Flask) -> Shop:
    return build.a_shop()


def outcomes() -> list[str | None]:
    return [event["outcome"] for event in inbox()]


def test_an_event_is_handed_to_its_topics_handler_and_is_done(client: FlaskClient, shop: Shop) -> None:
    seen: list[ShopifyEvent] = []

    def note(event: ShopifyEvent) -> str:
        seen.append(event)
        return "applied"

    post(client, shop, TOPIC, {"id": 7, "name": "#1"}, webhook_id="d-1")
    with handled(TOPIC, note):
        jobs.apply_shopify(shop.id)
        jobs.apply_shopify(shop.id)

    (event,) = seen
    assert (event.shop_id, event.topic, event.webhook_id) == (shop.id, TOPIC, "d-1")
    assert (event.payload, event.triggered_at.tzinfo is not None) == ({"id": 7, "name": "#1"}, True)
    assert outcomes() == ["applied"]


def test_a_topic_that_nobody_handles_yet_is_left_and_becomes_due_by_replay(
    client: FlaskClient, shop: Shop
) -> None:
    post(client, shop, "themes/publish", {"id": 1})
    jobs.apply_shopify(shop.id)

    assert outcomes() == [Left.NO_HANDLER]
    assert inbox_service.count_left() == {Left.NO_HANDLER: 1}
    with handled("themes/publish", lambda event: "applied"):
        assert inbox_service.replay_left(Left.NO_HANDLER, None, 10) == 1
        assert redis_client().exists(bell_key("webhooks.apply_shopify", shop.id))
        jobs.apply_shopify(shop.id)
    assert outcomes() == ["applied"]


def test_what_a_handler_wrote_is_undone_with_it_and_does_not_stop_the_others(
    client: FlaskClient, shop: Shop
) -> None:
    def poisoned_by_two(event: ShopifyEvent) -> str:
        letter = event.payload["letter"]
        require_unit_of_work().execute(NAME_SHOP, {"letter": letter, "shop_id": event.shop_id})
        if letter == "b":
            raise KeyError("+306900000001")
        return "applied"

    for number, letter in enumerate("abc"):
        post(client, shop, TOPIC, {"id": number + 1, "letter": letter})
    with handled(TOPIC, poisoned_by_two):
        jobs.apply_shopify(shop.id)

    with unit_of_work(shop.id) as session:
        assert session.scalar(sa.select(Shop.name)) == "ac"
    assert [(event["outcome"], event["attempts"], event["failure"]) for event in inbox()] == [
        ("applied", 0, None),
        (None, 1, "KeyError"),
        ("applied", 0, None),
    ]


def test_a_database_that_refuses_one_events_statement_does_not_stop_the_others(
    client: FlaskClient, shop: Shop
) -> None:
    def divide(event: ShopifyEvent) -> str:
        require_unit_of_work().execute(sa.text("SELECT 1 / :by"), {"by": event.payload["by"]})
        return "applied"

    for number, by in enumerate((0, 1)):
        post(client, shop, TOPIC, {"id": number + 1, "by": by})
    with handled(TOPIC, divide):
        jobs.apply_shopify(shop.id)

    assert [(event["outcome"], event["failure"]) for event in inbox()] == [
        (None, "DivisionByZero"),
        ("applied", None),
    ]


def test_an_event_that_never_works_becomes_a_dead_letter_that_can_be_replayed(
    client: FlaskClient, shop: Shop
) -> None:
    def fail(_event: ShopifyEvent) -> str:
        raise ValueError("no")

    post(client, shop, TOPIC, {"id": 1})
    with handled(TOPIC, fail):
        for _ in range(MISSES_MAX - 1):
            work(shop)
        assert outcomes() == [None]
        work(shop)
        work(shop)

    assert [(e["outcome"], e["attempts"], e["failure"]) for e in inbox()] == [
        ("dead", MISSES_MAX, "ValueError")
    ]
    assert inbox_service.count_left() == {Left.DEAD: 1}
    with handled(TOPIC, lambda event: "applied"):
        assert inbox_service.replay_events([inbox()[0]["id"]]) == 1
        jobs.apply_shopify(shop.id)
    assert outcomes() == ["applied"]


def test_a_database_that_goes_away_is_no_events_miss(client: FlaskClient, shop: Shop) -> None:
    def cut(event: ShopifyEvent) -> str:
        session = require_unit_of_work()
        session.execute(sa.text("RESET ROLE"))  # who signed in may end the connection, whatever it is now
        session.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "applied"

    post(client, shop, TOPIC, {"id": 1})
    with handled(TOPIC, cut), pytest.raises(JobFailed):
        jobs.apply_shopify(shop.id)

    assert [(event["outcome"], event["attempts"]) for event in inbox()] == [(None, 0)]


def test_a_job_whose_time_is_up_ends_and_blames_no_event(client: FlaskClient, shop: Shop) -> None:
    def dawdle(_event: ShopifyEvent) -> str:
        raise JobTimeoutException

    post(client, shop, TOPIC, {"id": 1})
    with handled(TOPIC, dawdle), pytest.raises(JobFailed):
        jobs.apply_shopify(shop.id)

    assert [(event["outcome"], event["attempts"]) for event in inbox()] == [(None, 0)]


@contextmanager
def another_worker_in_the_middle_of(app: Flask, shop: Shop, topic: str) -> Iterator[None]:
    """A second worker that has claimed what is due and stands still inside the handler of `topic`."""
    is_inside, may_go_on = threading.Event(), threading.Event()

    def stand_still(_event: ShopifyEvent) -> str:
        is_inside.set()
        may_go_on.wait(30)
        return "applied by the other"

    def work_there() -> None:
        with app.app_context():
            shopify_events.apply_events(shop.id)

    with handled(topic, stand_still):
        thread = threading.Thread(target=work_there)
        thread.start()
        assert is_inside.wait(30)
    try:
        yield
    finally:
        may_go_on.set()
        thread.join()


def test_two_workers_never_work_on_one_order_at_once_but_on_two_orders(
    app: Flask, client: FlaskClient, shop: Shop
) -> None:
    post(client, shop, TOPIC, {"id": 1})
    with handled("fulfillments/create", lambda _: "next"), handled("orders/paid", lambda _: "mine"):
        with another_worker_in_the_middle_of(app, shop, TOPIC):
            post(client, shop, "fulfillments/create", {"id": 5, "order_id": 1})
            post(client, shop, "orders/paid", {"id": 2})
            jobs.apply_shopify(shop.id)
            assert outcomes() == [None, None, "mine"]
            assert [event["attempts"] for event in inbox()] == [0, 0, 0]
        jobs.apply_shopify(shop.id)

    assert outcomes() == ["applied by the other", "next", "mine"]


def test_events_are_worked_on_in_the_order_in_which_they_were_caused(app: Flask, shop: Shop) -> None:
    seen: list[int] = []
    client = app.test_client()
    for minute in (3, 1, 2):
        post(client, shop, TOPIC, {"id": minute})
    with unit_of_work(shop.id) as session:
        session.execute(
            sa.text(
                "UPDATE webhook_inbox SET triggered_at = timestamptz '2026-11-24 10:00:00Z'"
                " + (payload->>'id')::int * interval '1 minute'"
            )
        )

    with handled(TOPIC, lambda event: seen.append(event.payload["id"]) or "applied"):
        jobs.apply_shopify(shop.id)

    assert seen == [1, 2, 3]


def test_the_sweep_rings_for_every_shop_that_has_something_due(client: FlaskClient) -> None:
    busy, done, other = build.a_shop(), build.a_shop(), build.a_shop()
    for one in (busy, done, other):
        post(client, one, TOPIC, {"id": 1})
    with handled(TOPIC, lambda event: "applied"):
        jobs.apply_shopify(done.id)
    redis_client().flushdb()

    inbox_service.ring_for_waiting()

    rung = [redis_client().exists(bell_key("webhooks.apply_shopify", one.id)) for one in (busy, done, other)]
    assert rung == [1, 0, 1]


def test_a_shops_job_touches_no_other_shops_events(client: FlaskClient, shop: Shop) -> None:
    other = build.a_shop()
    post(client, other, TOPIC, {"id": 1})

    with handled(TOPIC, lambda event: "applied"):
        jobs.apply_shopify(shop.id)

    assert outcomes() == [None]


def test_an_event_of_nobody_finds_its_shop_when_it_is_replayed_after_the_installation(
    client: FlaskClient,
) -> None:
    post(client, "late.myshopify.com", TOPIC, {"id": 1})
    assert inbox_service.replay_left(Left.UNMATCHED, None, 10) == 0
    shop = build.a_shop("late.myshopify.com")

    assert inbox_service.replay_left(Left.UNMATCHED, TOPIC, 10) == 1
    with handled(TOPIC, lambda event: "applied"):
        jobs.apply_shopify(shop.id)
    assert [(event["shop_id"], event["outcome"]) for event in inbox()] == [(shop.id, "applied")]


def test_an_operator_sees_an_events_shape_and_nothing_personal(
    app: Flask, client: FlaskClient, shop: Shop
) -> None:
    customer = {"id": 1, "phone": "+306984303406", "first_name": "Maria", "email": "maria@example.com"}
    post(
        client,
        shop,
        TOPIC,
        {"id": 7, "currency": "EUR", "customer": customer, "created_at": "2026-11-23T10:00:00Z"},
    )
    event_id = inbox()[0]["id"]
    run = app.test_cli_runner().invoke

    listed, shown = (
        run(args=["webhooks", "list"]).output,
        run(args=["webhooks", "show", str(event_id)]).output,
    )

    assert "orders/create" in listed
    assert "'currency': 'EUR'" in shown and "2026-11-23T10:00:00Z" in shown and "(13 characters)" in shown
    for secret in ("984303406", "Maria", "example.com"):
        assert secret not in listed + shown


def test_an_operator_replays_what_is_left_by_command(app: Flask, client: FlaskClient, shop: Shop) -> None:
    post(client, shop, "themes/publish", {"id": 1})
    jobs.apply_shopify(shop.id)
    run = app.test_cli_runner().invoke

    assert "1 events of Shopify are left as no_handler" in run(args=["webhooks", "list"]).output
    assert "no_handler" in run(args=["webhooks", "list", "--left", "no_handler"]).output.splitlines()[0]
    assert run(args=["webhooks", "replay"]).exit_code == 2
    assert run(args=["webhooks", "replay", "--left", "no_handler"]).output == "1 events are due again\n"
    assert outcomes() == [None]
