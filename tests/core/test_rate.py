"""Limits and circuit, on a real Valkey."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from redis import Redis

from app.core.rate import Bucket, Circuit, RateUnknown, take, take_all
from app.core.redis import init_redis, redis_client

NEVER = 1 / 3600  # one token an hour: for a test, none
WAIT_SECONDS = 10


@pytest.fixture
def connection(app: Flask) -> Redis:
    return redis_client()


@pytest.fixture
def nobody() -> Iterator[Redis]:
    """A connection to a Redis that is away."""
    with Redis.from_url("redis://127.0.0.1:9", retry=None) as away:
        yield away


def server_microseconds(connection: Redis) -> int:
    seconds, microseconds = connection.time()
    return int(seconds) * 1_000_000 + int(microseconds)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"


# --- one bucket


def test_a_full_bucket_gives_its_burst_and_then_says_how_long_to_wait(connection: Redis) -> None:
    taken = [take(connection, "b", rate_per_second=NEVER, burst=3) for _ in range(3)]
    wait = take(connection, "b", rate_per_second=NEVER, burst=3)

    assert taken == [0, 0, 0]
    assert wait == pytest.approx(3600, abs=WAIT_SECONDS)


def test_the_wait_covers_all_tokens_that_are_wanted(connection: Redis) -> None:
    assert take(connection, "b", rate_per_second=1, burst=100, tokens=100) == 0

    assert take(connection, "b", rate_per_second=1, burst=100, tokens=50) == pytest.approx(50, abs=5)


def test_a_refusal_takes_nothing(connection: Redis) -> None:
    take(connection, "b", rate_per_second=NEVER, burst=10, tokens=5)

    assert take(connection, "b", rate_per_second=NEVER, burst=10, tokens=6) > 0
    assert take(connection, "b", rate_per_second=NEVER, burst=10, tokens=5) == 0


def test_a_bucket_fills_at_its_rate_and_no_faster(connection: Redis) -> None:
    started = time.monotonic()
    taken = 0
    while taken < 60:
        taken += take(connection, "b", rate_per_second=100, burst=10) == 0
        assert time.monotonic() - started < WAIT_SECONDS

    assert time.monotonic() - started >= 0.49  # ten at once, the other fifty at a hundred a second


def test_buckets_of_different_names_do_not_share(connection: Redis) -> None:
    assert take(connection, "shop:1", rate_per_second=NEVER, burst=1) == 0

    assert take(connection, "shop:2", rate_per_second=NEVER, burst=1) == 0


def test_many_workers_together_get_no_more_than_the_burst(connection: Redis) -> None:
    with ThreadPoolExecutor(16) as workers:
        waits = list(
            workers.map(lambda _: take(connection, "b", rate_per_second=NEVER, burst=40), range(200))
        )

    assert waits.count(0) == 40


def test_a_bucket_is_forgotten_once_it_is_full_again(connection: Redis) -> None:
    take(connection, "b", rate_per_second=2, burst=10)

    assert 5_000 < connection.pttl("rate:b") <= 7_000


def test_a_script_that_the_server_forgot_is_loaded_again(connection: Redis) -> None:
    take(connection, "b", rate_per_second=NEVER, burst=2)
    connection.script_flush()

    assert take(connection, "b", rate_per_second=NEVER, burst=2) == 0


@pytest.mark.parametrize(
    ("rate", "burst", "tokens"), [(0, 10, 1), (-1, 10, 1), (1, 10, 11), (1, 10, 0), (1, 0, 1)]
)
def test_a_bucket_that_could_never_give_is_an_error(rate: float, burst: float, tokens: float) -> None:
    with pytest.raises(ValueError, match="never"):
        Bucket("b", rate, burst, tokens)


# --- the server's clock


def test_a_clock_that_steps_back_a_little_fills_no_bucket_twice(connection: Redis) -> None:
    ahead = server_microseconds(connection) + 900_000
    connection.hset("rate:b", mapping={"tokens": 0, "at": ahead})

    wait = take(connection, "b", rate_per_second=10, burst=10)

    assert 0 < wait <= 1.0
    assert wait > 0.1  # first the clock catches up, then a token grows


def test_a_clock_that_was_set_back_by_hours_does_not_stop_sending_for_hours(connection: Redis) -> None:
    hours_ahead = server_microseconds(connection) + 7_200_000_000
    connection.hset("rate:b", mapping={"tokens": 0, "at": hours_ahead})

    assert take(connection, "b", rate_per_second=10, burst=10) == pytest.approx(0.1, abs=0.01)


# --- several buckets


def test_several_buckets_give_together_or_not_at_all(connection: Redis) -> None:
    account, shop = Bucket("account", NEVER, 10, 5), Bucket("shop", NEVER, 5, 5)

    first, second = take_all(connection, [account, shop]), take_all(connection, [account, shop])

    assert first == 0
    assert second > 0
    assert take_all(connection, [account]) == 0  # the refused call left the account's five


def test_the_wait_is_that_of_the_slowest_bucket(connection: Redis) -> None:
    slow, quick = Bucket("slow", 1, 100, 100), Bucket("quick", 10, 100, 100)
    take_all(connection, [slow, quick])

    assert take_all(connection, [quick, slow]) == pytest.approx(100, abs=5)


def test_no_buckets_are_no_limit(connection: Redis) -> None:
    assert take_all(connection, []) == 0


def test_a_bucket_that_is_named_twice_is_an_error(connection: Redis) -> None:
    with pytest.raises(ValueError, match="twice"):
        take_all(connection, [Bucket("b", 1, 1), Bucket("b", 2, 2)])


def test_without_redis_nobody_knows_the_rate(nobody: Redis) -> None:
    with pytest.raises(RateUnknown):
        take(nobody, "b", rate_per_second=1, burst=1)


# --- the circuit


def test_a_circuit_opens_at_its_threshold_and_for_everybody(connection: Redis) -> None:
    circuit = Circuit("mitto", threshold=3, window_seconds=60, pause_seconds=30)

    circuit.note_failure()
    circuit.note_failure()
    assert circuit.paused_for() == 0
    circuit.note_failure()

    assert 20 < circuit.paused_for() <= 30
    assert 20 < Circuit("mitto", threshold=9, window_seconds=1, pause_seconds=1).paused_for() <= 30
    assert Circuit("other", threshold=3, window_seconds=60, pause_seconds=30).paused_for() == 0


def test_failures_that_are_far_apart_do_not_open_a_circuit(connection: Redis) -> None:
    circuit = Circuit("mitto", threshold=2, window_seconds=0.02, pause_seconds=30)

    for _ in range(3):
        circuit.note_failure()
        wait_until(lambda: not connection.exists("circuit:mitto:failures"))

    assert circuit.paused_for() == 0


def test_only_failures_within_the_window_count(connection: Redis) -> None:
    circuit = Circuit("mitto", threshold=2, window_seconds=60, pause_seconds=30)
    a_minute_ago = server_microseconds(connection) // 1000 - 61_000
    connection.lpush("circuit:mitto:failures", a_minute_ago)

    circuit.note_failure()
    before = circuit.paused_for()
    circuit.note_failure()

    assert before == 0
    assert circuit.paused_for() > 0


def test_a_circuit_closes_by_itself_and_counts_anew(connection: Redis) -> None:
    circuit = Circuit("mitto", threshold=2, window_seconds=60, pause_seconds=0.05)
    circuit.note_failure()
    circuit.note_failure()
    assert circuit.paused_for() > 0

    wait_until(lambda: circuit.paused_for() == 0)
    circuit.note_failure()

    assert circuit.paused_for() == 0


def test_a_circuit_leaves_nothing_behind(connection: Redis) -> None:
    Circuit("mitto", threshold=2, window_seconds=60, pause_seconds=30).note_failure()

    assert 0 < connection.pttl("circuit:mitto:failures") <= 60_000


def test_without_redis_a_failure_is_not_noted_but_sending_stops() -> None:
    app = Flask("without-redis")
    init_redis(app, "redis://127.0.0.1:9")
    circuit = Circuit("mitto", threshold=2, window_seconds=60, pause_seconds=30)

    with app.app_context():
        circuit.note_failure()
        with pytest.raises(RateUnknown):
            circuit.paused_for()
