"""Counting: cheap for the one who counts, one sum for all processes."""

from __future__ import annotations

import threading
import time

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from app.core.metrics import COUNTERS, KEY, Tally, count, counted, tally
from app.core.uow import across_shops

CALLS = "sms_calls_total"


@pytest.fixture(autouse=True)
def nothing_counted(app: Flask) -> None:
    """What tests before this one had not handed over is not counted here."""
    tally().hand_over()
    redis_of(app).delete(KEY)


def redis_of(app: Flask) -> redis.Redis:
    return redis.Redis.from_url(app.config["SETTINGS"].redis_url)


def test_what_several_processes_counted_is_one_sum(app: Flask):
    other = Tally(redis_of(app))
    count(CALLS, "answered", by=3)
    other.add((CALLS, ("answered",)), 4)
    other.hand_over()

    assert counted()[CALLS, ("answered",)] == 7
    assert counted()[CALLS, ("answered",)] == 7, "handed over once"


def test_a_process_that_rests_has_handed_over(app: Flask):
    count(CALLS, "answered")

    deadline = time.monotonic() + 10
    field = '["sms_calls_total", "answered"]'
    while redis_of(app).hget(KEY, field) is None and time.monotonic() < deadline:
        time.sleep(0.05)

    assert redis_of(app).hget(KEY, field) == b"1"


def test_threads_lose_nothing(app: Flask):
    one = Tally(redis_of(app))

    def many() -> None:
        for number in range(1_000):
            one.add((CALLS, ("answered",)), 1)
            if number % 100 == 0:
                one.hand_over()

    threads = [threading.Thread(target=many) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one.hand_over()

    assert counted()[CALLS, ("answered",)] == 8_000


def test_without_redis_the_counts_wait(app: Flask):
    one = Tally(redis.Redis.from_url("redis://127.0.0.1:9/0"))
    one.add((CALLS, ("answered",)), 2)
    one.hand_over()
    one.redis = redis_of(app)
    one.hand_over()

    assert counted()[CALLS, ("answered",)] == 2


def test_a_counter_of_another_version_is_passed_over(app: Flask):
    redis_of(app).hset(KEY, mapping={'["forgotten_total"]': 1, '["jobs_total", "one label"]': 1})

    assert not {name for name, _ in counted()} & {"forgotten_total", "jobs_total"}


def test_counting_costs_a_few_microseconds(app: Flask):
    one = Tally(redis_of(app))
    began = time.perf_counter()
    for _ in range(10_000):
        one.add((CALLS, ("answered",)), 1)

    assert (time.perf_counter() - began) / 10_000 < 0.000_1  # generous: a crowded machine is no fault


def test_a_request_is_counted_by_its_rule_and_never_by_its_path(client: FlaskClient):
    client.get("/r/a-secret-token")
    client.get("/no/such/person@example.com")

    found = counted()

    assert found["api_requests_total", ("/r/<token>", "GET", "404")] >= 1
    assert found["api_requests_total", ("None", "GET", "404")] >= 1
    assert "secret" not in str(found)
    assert "person" not in str(found)


def test_units_of_work_are_counted_by_their_end(app: Flask):
    before = counted()
    with across_shops("a test"):
        pass
    with pytest.raises(RuntimeError), across_shops("a test"):
        raise RuntimeError

    after = counted()

    for end in ("committed", "rolled_back"):
        series = ("db_transactions_total", (end,))
        assert after[series] - before.get(series, 0) == 1


def test_every_counter_is_explained():
    assert all(explained or name.endswith("_sum") for name, (explained, _) in COUNTERS.items())
