"""Doorbells: rung once until answered, silent while Redis is away."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from rq.serializers import JSONSerializer

from app.core.jobs import doorbell
from app.core.queue import BELL_SECONDS, QUEUES, JsonQueue, answer, bell_key, wake
from app.core.redis import redis_client
from tests.core.conftest import Line, MakeApp


def waiting(name: str) -> list[tuple[str, tuple[int, ...]]]:
    """The jobs in a queue, in order: the function and its arguments."""
    return [(job.func_name, tuple(job.args)) for job in JsonQueue(name, connection=redis_client()).get_jobs()]


@pytest.mark.parametrize(
    ("topic", "queue"),
    [
        ("messaging.send", "sending"),
        ("messaging.sweep", "events"),
        ("contacts.run_import", "imports"),
        ("webhooks.apply_reports", "events"),
        ("campaigns.finish", "events"),
    ],
)
def test_a_bell_rings_in_the_queue_of_its_feature(app: Flask, topic: str, queue: str):
    assert wake(topic, 3, 5) is True

    feature, _, job = topic.partition(".")
    assert waiting(queue) == [(f"app.{feature}.jobs.{job}", (3, 5))]
    assert [name for name in QUEUES if waiting(name)] == [queue]


def test_a_bell_that_was_not_answered_is_not_rung_again(app: Flask):
    assert [wake("messaging.send", 1, 2) for _ in range(3)] == [True, False, False]
    assert wake("messaging.send", 1, 3) is True

    assert len(waiting("sending")) == 2


def test_an_answered_bell_can_be_rung_again(app: Flask):
    wake("messaging.send", 1, 2)
    answer("messaging.send", 1, 2)

    assert wake("messaging.send", 1, 2) is True


def test_a_bell_whose_job_was_lost_falls_silent_by_itself(app: Flask):
    wake("messaging.send", 1, 2)

    assert 0 < redis_client().ttl(bell_key("messaging.send", 1, 2)) <= BELL_SECONDS


def test_an_urgent_bell_goes_to_the_front(app: Flask):
    wake("messaging.send", 1, 1)
    wake("messaging.send", 1, 2, at_front=True)

    assert [ids for _, ids in waiting("sending")] == [(1, 2), (1, 1)]


def test_a_job_is_json_and_never_pickle(app: Flask):
    wake("messaging.send", 1, 2)

    (job,) = JsonQueue("sending", connection=redis_client()).get_jobs()
    assert job.serializer is JSONSerializer
    for value in redis_client().hgetall(job.key).values():
        assert b"\x80\x04" not in value


def test_without_redis_nothing_is_raised(make_app: MakeApp, lines: Callable[[], list[Line]]):
    with make_app(redis_url="redis://127.0.0.1:9/0").app_context():
        lines()
        assert wake("messaging.send", 1, 2) is False
        answer("messaging.send", 1, 2)

    assert [line["event"] for line in lines()] == ["doorbell_not_rung", "doorbell_not_cleared"]


def test_a_job_answers_its_bell_before_it_looks_for_work(app: Flask):
    rung_again = []

    @doorbell("messaging.send")
    def job(shop_id: int, run_id: int) -> None:
        rung_again.append(wake("messaging.send", shop_id, run_id))

    wake("messaging.send", 1, 2)
    job(1, 2)

    assert rung_again == [True]
