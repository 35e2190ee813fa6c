from __future__ import annotations

import sqlalchemy as sa
from flask import Flask

from app.core.queue import bell_key
from app.core.redis import redis_client
from app.integrations.mitto.types import Accepted, Unclear
from app.messaging.provider import CallResult
from app.messaging.service import runs, sending, sweeping
from app.messaging.states import MessageState
from app.shops.models import Shop
from tests import build, build_messages


def a_shop_with_a_run(people: int = 3) -> tuple[Shop, int]:
    shop = build.a_shop()
    build_messages.credit(shop)
    build_messages.people(shop, people)
    return shop, build_messages.a_run(shop).run_id


def age(owner: sa.Engine, table: str, column: str) -> None:
    """Make every row of a table four days old, as the tables' owner."""
    with owner.connect() as connection:
        connection.exec_driver_sql("SET app.all_shops = 'on'")
        connection.exec_driver_sql(f"UPDATE {table} SET {column} = {column} - interval '4 days'")
        connection.exec_driver_sql("RESET app.all_shops")


def test_what_a_dead_worker_had_claimed_becomes_unknown(app: Flask, owner: sa.Engine) -> None:
    shop, run_id = a_shop_with_a_run()
    sending.claim(shop.id, run_id)
    assert sweeping.expire_claims() == 0  # within its lease
    age(owner, "send_attempts", "started_at")

    assert sweeping.expire_claims() == 3

    assert build_messages.states_of(shop, run_id) == {"unknown": 3}
    assert build_messages.balance_of(shop).held == 3
    build_messages.assert_books_balance()


def test_a_worker_that_was_only_slow_still_settles(app: Flask, owner: sa.Engine) -> None:
    shop, run_id = a_shop_with_a_run()
    batch = sending.claim(shop.id, run_id)
    assert batch is not None
    age(owner, "send_attempts", "started_at")
    sweeping.expire_claims()

    answer = CallResult([Accepted(f"M{n}") for n in range(3)], "answered")
    sending.settle(shop.id, run_id, batch, answer)

    assert build_messages.states_of(shop, run_id) == {"sent": 3}
    build_messages.assert_books_balance()


def test_silence_past_the_deadline_gives_the_credits_back(app: Flask, owner: sa.Engine) -> None:
    shop, run_id = a_shop_with_a_run()
    batch = sending.claim(shop.id, run_id)
    assert batch is not None
    sending.settle(shop.id, run_id, batch, CallResult([Unclear()] * 3, "read_timeout"))
    assert sweeping.give_up_unknown() == 0
    age(owner, "messages", "updated_at")

    sweeping.give_up_unknown()

    assert build_messages.states_of(shop, run_id) == {"not_sent": 3}
    assert build_messages.balance_of(shop).held == 0
    build_messages.assert_books_balance()


def test_a_waiting_run_is_rung_for_again_when_its_doorbell_was_lost(app: Flask) -> None:
    shop, run_id = a_shop_with_a_run()
    redis_client().flushdb()

    sweeping.wake_waiting_runs()

    assert redis_client().exists(bell_key("messaging.send", shop.id, run_id))


def test_an_expired_hold_is_kept_while_its_messages_may_be_sent(app: Flask, owner: sa.Engine) -> None:
    shop, _ = a_shop_with_a_run()
    age(owner, "credit_holds", "expires_at")

    sweeping.release_stale_holds()

    assert build_messages.balance_of(shop).held == 3
    build_messages.assert_books_balance()


def test_cancelling_gives_back_what_was_not_claimed_and_reopening_holds_it_again(app: Flask) -> None:
    shop, run_id = a_shop_with_a_run()

    with build_messages.unit_of_work(shop.id):
        assert runs.cancel(shop.id, run_id) == 3
    assert build_messages.balance_of(shop).held == 0
    with build_messages.unit_of_work(shop.id):
        assert runs.reopen(shop.id, run_id, MessageState.SKIPPED) == 3

    assert build_messages.states_of(shop, run_id) == {"pending": 3}
    assert build_messages.balance_of(shop).held == 3
    build_messages.assert_books_balance()


def test_what_the_carrier_accepted_is_never_reopened(app: Flask) -> None:
    shop, run_id = a_shop_with_a_run()
    batch = sending.claim(shop.id, run_id)
    assert batch is not None
    sending.settle(
        shop.id, run_id, batch, CallResult([Accepted("M1"), Accepted("M2"), Unclear()], "answered")
    )

    with build_messages.unit_of_work(shop.id):
        assert runs.reopen(shop.id, run_id, MessageState.FAILED) == 0
