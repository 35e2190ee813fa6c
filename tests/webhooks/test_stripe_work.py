"""Working off Stripe's events: under a lease, one of a customer at a time, none in another one's way."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import IntegrityError

from app.config import Settings
from app.core.jobs import JobFailed
from app.core.queue import bell_key
from app.core.redis import redis_client
from app.core.uow import across_shops, unit_of_work
from app.integrations.stripe.errors import StripeFailed
from app.integrations.stripe.events import StripeEvent
from app.payers.service.customers import adopt_customer
from app.privacy.service.carrying_out import carry_out
from app.webhooks import jobs
from app.webhooks.models import Left
from app.webhooks.queries import stripe
from app.webhooks.service import inbox as inbox_service
from app.webhooks.service import stripe_events
from tests import build
from tests.webhooks.posts import inbox
from tests.webhooks.shopify_posts import post as post_of_shopify
from tests.webhooks.stripe_posts import PAID, an_event, handled, post, work

LEASE_ENDS = "UPDATE webhook_inbox SET claimed_until = now() WHERE claimed_until IS NOT NULL"


@pytest.fixture
def change(app: Flask) -> Iterator[Callable[..., None]]:
    """Changes the app's settings until the test ends."""
    before: Settings = app.config["SETTINGS"]
    yield lambda **values: app.config.update(SETTINGS=dataclasses.replace(before, **values))
    app.config["SETTINGS"] = before


def outcomes() -> list[str | None]:
    return [event["outcome"] for event in inbox()]


def applied(_event: StripeEvent) -> str:
    return "applied"


def broken(_event: StripeEvent) -> str:
    raise StripeFailed("rate_limit")


def execute(statement: str) -> None:
    with across_shops("a test changes the inbox") as session:
        session.execute(sa.text(statement))


def test_an_event_is_handed_to_its_types_handlers_outside_a_transaction_and_is_done(
    client: FlaskClient,
) -> None:
    seen: list[StripeEvent] = []

    def note(event: StripeEvent) -> str:
        with across_shops("a handler opens its own unit of work"):
            seen.append(event)
        return "credited"

    post(client, an_event(event_id="evt_1", id="in_1"))
    with handled(note, lambda event: "invoiced", lambda event: "unmatched"):
        jobs.apply_stripe()
        jobs.apply_stripe()

    (event,) = seen
    assert (event.id, event.type, event.object_id, event.livemode) == ("evt_1", PAID, "in_1", False)
    assert (event.created.timestamp(), event.api_version) == (1_700_000_000, "2026-10-28.endive")
    (row,) = inbox()
    assert (row["outcome"], row["claimed_until"]) == ("credited, invoiced", None)


def test_the_shop_is_noted_once_it_is_known(client: FlaskClient) -> None:
    shop = build.a_shop()
    named = {"shopId": str(shop.id), "storeId": str(shop.id)}
    with unit_of_work(shop.id):
        assert adopt_customer(shop.id, "cus_of_the_shop")
    for members in (
        {"metadata": named},
        {"parent": {"subscription_details": {"metadata": named}}},
        {"metadata": {"shopId": "999999"}},
        {"metadata": {"shopId": "9" * 30}},
        {"metadata": "none", "parent": "none", "customer": 7},
        {"customer": "cus_of_the_shop"},
    ):
        post(client, an_event(**members))
    with handled(applied):
        jobs.apply_stripe()

    assert [event["shop_id"] for event in inbox()] == [shop.id, shop.id, None, None, None, shop.id]


def test_a_type_that_nobody_handles_is_left_and_becomes_due_by_replay(client: FlaskClient) -> None:
    post(client, an_event("radar.early_fraud_warning.created"))
    jobs.apply_stripe()

    assert outcomes() == [Left.NO_HANDLER]
    assert inbox_service.count_left("stripe") == {Left.NO_HANDLER: 1}
    assert inbox_service.count_left() == {}
    with handled(applied, type="radar.early_fraud_warning.created"):
        assert inbox_service.replay_left(Left.NO_HANDLER, None, 10) == 1
        assert redis_client().exists(bell_key("webhooks.apply_stripe"))
        jobs.apply_stripe()
    assert outcomes() == ["applied"]


def test_an_event_of_nobody_is_looked_at_again_soon_then_left_and_found_by_replay(
    client: FlaskClient,
) -> None:
    post(client, an_event())
    with handled(lambda event: "unmatched"):
        for _ in range(2):
            work()
            assert outcomes() == [None]
        work()
    assert outcomes() == [Left.UNMATCHED]

    with handled(applied):
        assert inbox_service.replay_left(Left.UNMATCHED, PAID, 10) == 1
        jobs.apply_stripe()
    assert outcomes() == ["applied"]


@pytest.mark.parametrize(
    ("words", "outcome"),
    [
        (("not_a_purchase", "applied"), "applied"),
        (("not_a_purchase", "not_a_subscription"), "not_a_purchase, not_a_subscription"),
        (("unmatched", "not_a_subscription"), None),
        (("unmatched", "applied"), "applied"),
    ],
)
def test_who_says_that_it_is_not_its_kind_of_object_decides_nothing_beside_others(
    client: FlaskClient, words: tuple[str, ...], outcome: str | None
) -> None:
    post(client, an_event())
    with handled(*[lambda event, word=word: word for word in words]):
        jobs.apply_stripe()

    assert outcomes() == [outcome]


def test_one_handler_that_fails_keeps_no_other_from_its_work_and_the_event_comes_again(
    client: FlaskClient,
) -> None:
    calls: list[str] = []

    def note(name: str) -> Callable[[StripeEvent], str]:
        return lambda event: calls.append(name) or name

    post(client, an_event())
    with handled(note("first"), broken, note("last")):
        jobs.apply_stripe()
    assert calls == ["first", "last"]
    (event,) = inbox()
    assert (event["outcome"], event["attempts"], event["failure"]) == (None, 1, "StripeFailed")

    with handled(note("first"), applied, note("last")):
        work()
    assert outcomes() == ["first, applied, last"]
    assert inbox()[0]["failure"] is None


def test_one_event_that_fails_keeps_no_other_from_being_worked_on(client: FlaskClient) -> None:
    def poisoned(event: StripeEvent) -> str:
        if event.object["amount_paid"] == 2:
            raise KeyError("maria@example.com")
        return "applied"

    for amount in (1, 2, 3):
        post(client, an_event(amount_paid=amount))
    with handled(poisoned):
        jobs.apply_stripe()

    assert [(event["outcome"], event["failure"]) for event in inbox()] == [
        ("applied", None),
        (None, "KeyError"),
        ("applied", None),
    ]


def test_the_waits_grow_and_are_spread_and_the_last_miss_makes_a_dead_letter(client: FlaskClient) -> None:
    waits: list[float] = []
    for _ in range(2):
        post(client, an_event(customer=None))
    with handled(broken):
        for _ in range(stripe.MISSES_MAX - 1):
            work()
            waits += [(row["available_at"] - row["received_at"]).total_seconds() for row in inbox()]
            assert outcomes() == [None, None]
        work()

    by_miss = list(zip(waits[::2], waits[1::2], strict=True))
    assert all(one != other for one, other in by_miss)
    assert all(3 <= wait < 11 for wait in by_miss[0])
    assert all(21_600 * 0.75 <= wait < 21_600 * 1.25 + 60 for wait in by_miss[-1])
    assert [(e["outcome"], e["attempts"], e["failure"]) for e in inbox()] == [
        ("dead", stripe.MISSES_MAX, "StripeFailed")
    ] * 2
    with handled(applied):
        work()
        assert outcomes() == ["dead", "dead"]
        assert inbox_service.replay_left(Left.DEAD, None, 10) == 2
        jobs.apply_stripe()
    assert outcomes() == ["applied", "applied"]


@pytest.mark.parametrize(
    ("key", "livemode", "outcome"),
    [
        ("sk_test_1", False, "applied"),
        ("sk_test_1", True, "wrong_mode"),
        ("sk_live_1", True, "applied"),
        ("rk_live_1", True, "applied"),
        ("sk_live_1", False, "wrong_mode"),
        (None, True, "wrong_mode"),
    ],
)
def test_test_money_never_counts_where_real_money_does_nor_the_reverse(
    client: FlaskClient, change: Callable[..., None], key: str | None, livemode: bool, outcome: str
) -> None:
    change(stripe_secret_key=key)
    assert post(client, an_event() | {"livemode": livemode}).status_code == 200
    with handled(applied):
        jobs.apply_stripe()

    assert outcomes() == [outcome]


def test_a_killed_workers_event_is_worked_on_again_when_its_lease_has_run_out(client: FlaskClient) -> None:
    post(client, an_event())
    with across_shops("a worker that is killed after its claim"):
        stripe.claim()

    with handled(applied):
        work()
        assert outcomes() == [None]
        assert not _is_rung_by_the_sweep()
        execute(LEASE_ENDS)
        assert _is_rung_by_the_sweep()
        jobs.apply_stripe()
    assert [(event["outcome"], event["attempts"]) for event in inbox()] == [("applied", 1)]


def _is_rung_by_the_sweep() -> bool:
    redis_client().flushdb()
    inbox_service.ring_for_waiting()
    return bool(redis_client().exists(bell_key("webhooks.apply_stripe")))


def test_an_event_that_kills_every_worker_is_given_up(client: FlaskClient) -> None:
    post(client, an_event())
    for _ in range(stripe.MISSES_MAX):
        with across_shops("a worker that is killed after its claim"):
            stripe.claim()
        execute(LEASE_ENDS)
    with handled(applied):
        jobs.apply_stripe()

    assert [(event["outcome"], event["failure"]) for event in inbox()] == [("dead", "LeaseRanOut")]


def test_a_worker_that_comes_back_after_its_lease_settles_nothing(client: FlaskClient) -> None:
    post(client, an_event())
    with across_shops("a slow worker"):
        slow = stripe.claim()
    execute(LEASE_ENDS)
    with across_shops("a quick worker"):
        quick = stripe.claim()
    assert slow is not None and quick is not None

    with across_shops("both come back"):
        stripe.finish(slow, "late", None)
        assert not stripe.postpone(slow, "late", None, last_word="dead")
    assert outcomes() == [None]
    with across_shops("both come back"):
        stripe.finish(quick, "in time", None)
    assert outcomes() == ["in time"]


def test_a_job_whose_time_is_up_ends_and_the_event_comes_again(client: FlaskClient) -> None:
    def dawdle(_event: StripeEvent) -> str:
        raise JobTimeoutException

    post(client, an_event())
    with handled(dawdle, applied), pytest.raises(JobFailed):
        jobs.apply_stripe()

    assert [(e["outcome"], e["attempts"], e["claimed_until"]) for e in inbox()] == [(None, 1, None)]


def test_a_database_that_goes_away_is_no_events_miss(client: FlaskClient) -> None:
    def cut(_event: StripeEvent) -> str:
        with across_shops("a handler") as session:
            session.execute(sa.text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "applied"

    post(client, an_event())
    with handled(cut), pytest.raises(JobFailed):
        jobs.apply_stripe()

    assert [(event["outcome"], event["attempts"]) for event in inbox()] == [(None, 0)]


@contextmanager
def another_worker_inside_a_handler(app: Flask, type: str) -> Iterator[None]:
    """A second worker that has claimed what is due and stands still inside the handler of `type`."""
    is_inside, may_go_on = threading.Event(), threading.Event()

    def stand_still(_event: StripeEvent) -> str:
        is_inside.set()
        may_go_on.wait(30)
        return "applied by the other"

    def work_there() -> None:
        with app.app_context():
            stripe_events.apply_events()

    with handled(stand_still, type=type):
        thread = threading.Thread(target=work_there)
        thread.start()
        assert is_inside.wait(30)
        try:
            yield
        finally:
            may_go_on.set()
            thread.join()


def test_two_workers_never_work_on_one_customer_at_once_but_on_two(app: Flask, client: FlaskClient) -> None:
    post(client, an_event("invoice.created", customer="cus_1"))
    with handled(lambda event: "mine"):
        with another_worker_inside_a_handler(app, "invoice.created"):
            post(client, an_event(PAID, customer="cus_1"))
            post(client, an_event(PAID, customer="cus_2"))
            jobs.apply_stripe()
            assert outcomes() == [None, None, "mine"]
        work()

    assert outcomes() == ["applied by the other", "mine", "mine"]


def test_the_database_itself_refuses_a_second_claim_of_one_customer(client: FlaskClient) -> None:
    for _ in range(2):
        post(client, an_event(customer="cus_1"))
    with pytest.raises(IntegrityError, match="uq_webhook_inbox_stripe_claimed"):
        execute("UPDATE webhook_inbox SET claimed_until = now()")


def test_events_of_one_customer_are_worked_on_as_they_came_and_by_many_workers_once(
    app: Flask, client: FlaskClient
) -> None:
    seen: list[tuple[str, int]] = []
    for number in range(30):
        post(client, an_event(customer=f"cus_{number % 4}", number=number))

    def note(event: StripeEvent) -> str:
        seen.append((event.object["customer"], event.object["number"]))
        return "applied"

    def work_there() -> None:
        with app.app_context():
            stripe_events.apply_events()

    with handled(note):
        workers = [threading.Thread(target=work_there) for _ in range(4)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()
        jobs.apply_stripe()

    assert len(seen) == len(set(seen)) == 30
    for customer in range(4):
        numbers = [number for name, number in seen if name == f"cus_{customer}"]
        assert numbers == sorted(numbers)
    assert set(outcomes()) == {"applied"}


PERSONAL: dict[str, Any] = {
    "customer_details": {
        "name": "Maria Papadopoulou",
        "email": "maria@example.com",
        "phone": "+306984303406",
        "address": {"line1": "Ermou 1", "city": "Athens", "postal_code": "10563"},
        "tax_ids": [{"type": "eu_vat", "value": "EL123456789"}],
    },
    "receipt_email": "maria@example.com",
    "metadata": {"shopId": "7", "note": "Maria"},
}


def test_an_operator_sees_an_events_shape_and_nothing_personal(app: Flask, client: FlaskClient) -> None:
    post(client, an_event(status="paid", currency="eur", amount_paid=6200, **PERSONAL))
    run = app.test_cli_runner().invoke

    listed = run(args=["webhooks", "list", "--topic", PAID]).output
    shown = run(args=["webhooks", "show", str(inbox()[0]["id"])]).output

    assert PAID in listed
    for fact in ("cus_1", "'paid'", "'eur'", "6200", "'shopId': '7'", "'eu_vat'"):
        assert fact in shown
    for secret in ("Maria", "Papadopoulou", "example.com", "984303406", "Ermou", "10563", "123456789"):
        assert secret not in listed + shown


def test_an_operator_replays_what_is_left_by_command(app: Flask, client: FlaskClient) -> None:
    post(client, an_event("radar.early_fraud_warning.created"))
    jobs.apply_stripe()
    run = app.test_cli_runner().invoke

    assert "1 events of Stripe are left as no_handler" in run(args=["webhooks", "list"]).output
    assert "no_handler" in run(args=["webhooks", "list", "--left", "no_handler"]).output.splitlines()[0]
    assert run(args=["webhooks", "replay", "--left", "no_handler"]).output == "1 events are due again\n"
    assert outcomes() == [None]


def test_of_an_erased_shop_only_what_still_waits_is_kept(client: FlaskClient) -> None:
    shop = build.a_shop()
    named = {"metadata": {"shopId": str(shop.id)}}
    post(client, an_event(event_id="evt_done", **named))
    with handled(applied):
        jobs.apply_stripe()
    post(client, an_event(event_id="evt_waits", **named))
    with handled(broken):
        jobs.apply_stripe()
    execute("UPDATE shops SET status = 'uninstalled'")

    post_of_shopify(client, shop, "shop/redact", {"shop_domain": shop.domain})
    jobs.apply_shopify(shop.id)
    carry_out(shop.id)

    assert [event["external_id"] for event in inbox() if event["provider"] == "stripe"] == ["evt_waits"]


def test_what_was_done_a_month_ago_is_forgotten_and_what_waits_is_not(client: FlaskClient) -> None:
    post(client, an_event(event_id="evt_done"))
    with handled(applied):
        jobs.apply_stripe()
    post(client, an_event(event_id="evt_waits"))
    execute(
        "UPDATE webhook_inbox SET received_at = received_at - interval '31 days',"
        " processed_at = processed_at - interval '31 days'"
    )

    jobs.forget()

    assert [event["external_id"] for event in inbox()] == ["evt_waits"]
