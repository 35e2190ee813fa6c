from __future__ import annotations

import threading

from flask import Flask

from app.core.redis import redis_client
from app.integrations.mitto.types import Accepted, Rejected, Unclear
from app.messaging.provider import CallResult, Deferred
from app.messaging.service import sending
from app.messaging.service.sending import Batch
from app.shops.models import Shop
from tests import build, build_messages
from tests.sandbox.conftest import Carrier


def a_shop(people: int, credits: int = 10_000) -> Shop:
    shop = build.a_shop()
    build_messages.credit(shop, credits)
    build_messages.people(shop, people)
    return shop


def claim(shop: Shop, run_id: int) -> Batch:
    batch = sending.claim(shop.id, run_id)
    assert batch is not None
    return batch


def test_everybody_gets_one_text_and_the_shop_pays_for_each_part(app: Flask, carrier: Carrier) -> None:
    shop = a_shop(people=30)
    run = build_messages.a_run(shop, "Hello {{firstName}}!")

    assert sending.send_slice(shop.id, run.run_id) is False

    assert build_messages.states_of(shop, run.run_id) == {"sent": 30}
    assert carrier.stats()["accepted"] == carrier.stats()["distinct"] == 30
    assert build_messages.balance_of(shop).spent == run.credits
    assert build_messages.balance_of(shop).held == 0
    build_messages.assert_books_balance()


def test_two_senders_at_once_send_nothing_twice(app: Flask, carrier: Carrier) -> None:
    shop = a_shop(people=600)
    run = build_messages.a_run(shop)

    def work() -> None:
        with app.app_context():
            sending.send_slice(shop.id, run.run_id)

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert carrier.stats()["accepted"] == 600
    assert carrier.stats()["duplicates"] == []
    build_messages.assert_books_balance()


def test_somebody_who_opts_out_after_the_freeze_gets_nothing_and_costs_nothing(app: Flask) -> None:
    shop = a_shop(people=3)
    run = build_messages.a_run(shop)
    gone = build_messages.messages_of(shop, run.run_id)[1]
    build_messages.execute(
        shop,
        "INSERT INTO suppressions (shop_id, phone, source) VALUES (:shop_id, :phone, 'sms_reply')",
        shop_id=shop.id,
        phone=gone.phone,
    )

    batch = claim(shop, run.run_id)

    assert gone.id not in {row.id for row in batch.messages}
    assert build_messages.states_of(shop, run.run_id) == {"claimed": 2, "skipped": 1}
    assert build_messages.balance_of(shop).held == run.credits - gone.parts
    build_messages.execute(
        shop, "UPDATE contacts SET consent = 'opted_out' WHERE phone = :phone", phone=gone.phone
    )
    build_messages.assert_books_balance()


def test_an_answer_is_recorded_message_by_message(app: Flask) -> None:
    shop = a_shop(people=4)
    run = build_messages.a_run(shop)
    batch = claim(shop, run.run_id)
    outcomes = [Accepted("M1"), Rejected("invalid_destination"), Unclear(), Deferred("rate_limited", 60)]

    sending.settle(shop.id, run.run_id, batch, CallResult(outcomes, "answered"))

    assert [m.state for m in build_messages.messages_of(shop, run.run_id)] == [
        "sent",
        "failed",
        "unknown",
        "pending",
    ]
    balance = build_messages.balance_of(shop)
    assert (balance.spent, balance.held) == (1, 2)
    assert sending.claim(shop.id, run.run_id) is None  # the deferred one waits
    build_messages.assert_books_balance()


def test_settling_twice_moves_nothing_twice(app: Flask) -> None:
    shop = a_shop(people=2)
    run = build_messages.a_run(shop)
    batch = claim(shop, run.run_id)
    result = CallResult([Accepted("M1"), Accepted("M2")], "answered")

    sending.settle(shop.id, run.run_id, batch, result)
    sending.settle(shop.id, run.run_id, batch, result)

    assert build_messages.balance_of(shop).spent == 2
    build_messages.assert_books_balance()


def test_a_cut_connection_leaves_messages_unknown_and_never_pending(app: Flask, carrier: Carrier) -> None:
    shop = a_shop(people=10)
    run = build_messages.a_run(shop)
    carrier.fault("drop_after_accept", count=1)

    sending.send_slice(shop.id, run.run_id)
    sending.send_slice(shop.id, run.run_id)

    assert build_messages.states_of(shop, run.run_id) == {"unknown": 10}
    assert carrier.stats()["accepted"] == 10
    assert build_messages.balance_of(shop).held == 10
    build_messages.assert_books_balance()


def test_a_refused_connection_sends_nothing_and_loses_nothing(app: Flask) -> None:
    shop = a_shop(people=10)
    run = build_messages.a_run(shop)

    sending.send_slice(shop.id, run.run_id)

    assert build_messages.states_of(shop, run.run_id) == {"pending": 10}
    assert build_messages.messages_of(shop, run.run_id)[0].tries == 1
    build_messages.assert_books_balance()


def test_one_bad_number_does_not_fail_its_batch(app: Flask, carrier: Carrier) -> None:
    shop = a_shop(people=9)
    run = build_messages.a_run(shop)
    carrier.fault("refuse_items", count=1, share=0.3)

    sending.send_slice(shop.id, run.run_id)

    states = build_messages.states_of(shop, run.run_id)
    assert states["sent"] >= 1
    assert sum(states.values()) == 9
    assert set(states) <= {"sent", "failed", "unknown"}
    build_messages.assert_books_balance()


def test_a_closed_run_is_not_claimed(app: Flask) -> None:
    shop = a_shop(people=2)
    run = build_messages.a_run(shop)
    build_messages.execute(shop, "UPDATE message_runs SET is_open = false WHERE id = :id", id=run.run_id)

    assert sending.claim(shop.id, run.run_id) is None


def test_another_shop_can_neither_claim_nor_settle_the_run(app: Flask) -> None:
    shop, other = a_shop(people=2), a_shop(people=1)
    run = build_messages.a_run(shop)
    batch = claim(shop, run.run_id)

    assert sending.claim(other.id, run.run_id) is None
    assert build_messages.states_of(other, run.run_id) == {}
    assert len(batch.messages) == 2


def test_a_paused_provider_is_not_called_and_nothing_is_lost(app: Flask, carrier: Carrier) -> None:
    shop = a_shop(people=2)
    run = build_messages.a_run(shop)
    redis_client().set("circuit:mitto:pause", 1, px=60_000)

    sending.send_slice(shop.id, run.run_id)

    assert build_messages.states_of(shop, run.run_id) == {"pending": 2}
    assert carrier.stats()["accepted"] == 0
