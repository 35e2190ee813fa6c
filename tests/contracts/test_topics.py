"""Doorbells: every topic has its job, every queue has its worker, every period has one run."""

from __future__ import annotations

import ast
import importlib
import re
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
import yaml
from flask import Flask
from rq_scheduler import Scheduler
from sqlalchemy import text

from app.background import PERIODIC, TickScheduler, register_ticks, tick_id
from app.core.jobs import periodic
from app.core.queue import QUEUES, JsonQueue, queue_name
from app.core.redis import redis_client
from app.core.uow import across_shops

ROOT = Path(__file__).resolve().parents[2]
JOB_MODULES = sorted(
    str(path.relative_to(ROOT).with_suffix("")).replace("/", ".") for path in ROOT.glob("app/*/jobs.py")
)
DAY = 86_400


def marked_jobs() -> dict[str, Callable[..., None]]:
    """Every function that is marked as a job, by its topic."""
    found = {}
    for name in JOB_MODULES:
        for member in vars(importlib.import_module(name)).values():
            if callable(member) and hasattr(member, "topic"):
                found[member.topic] = member
    return found


def rung_topics() -> set[str]:
    """Every topic that some code wakes: written in the call, or in a table that the call looks it up in."""
    topics = set()
    for path in ROOT.glob("app/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "wake":
                topics |= _words(node.args[:1])
            elif isinstance(node, ast.Dict):
                topics |= _words(node.values)
    return {topic for topic in topics if f"app.{topic.partition('.')[0]}.jobs" in JOB_MODULES}


def _words(nodes: Sequence[ast.expr]) -> set[str]:
    inside = [inner for node in nodes for inner in ast.walk(node) if isinstance(inner, ast.Constant)]
    return {str(one.value) for one in inside if re.fullmatch(r"[a-z]+\.[a-z_]+", str(one.value))}


@pytest.fixture
def scheduler(app: Flask) -> Scheduler:
    return TickScheduler(connection=redis_client(), interval=1)


@pytest.mark.parametrize("topic", sorted(marked_jobs()))
def test_a_job_is_found_under_the_name_of_its_topic(topic: str):
    feature, _, job = topic.partition(".")

    assert getattr(importlib.import_module(f"app.{feature}.jobs"), job).topic == topic


def test_every_topic_that_is_rung_has_a_job():
    rung = rung_topics()

    assert {"messaging.send", "campaigns.finish", "webhooks.apply_reports"} <= rung
    assert rung - set(marked_jobs()) == set()


def test_every_periodic_job_is_in_the_schedule():
    marked = {topic for topic, job in marked_jobs().items() if hasattr(job, "every_seconds")}

    assert {work.topic for work in PERIODIC} == marked  # type: ignore[attr-defined]


def test_every_topic_has_a_queue_that_workers_know():
    assert {queue_name(topic) for topic in marked_jobs()} <= set(QUEUES)


def test_the_procfile_serves_every_queue_and_the_scheduler():
    commands = [line.partition(":")[2].strip() for line in (ROOT / "Procfile").read_text().splitlines()]

    assert {f"python worker.py {name}" for name in (*QUEUES, "scheduler")} <= set(commands)
    assert any(command.startswith("gunicorn wsgi:app") for command in commands)
    assert any(command.endswith("db upgrade") for command in commands)


def test_render_serves_every_queue_and_exactly_one_scheduler():
    services = yaml.safe_load((ROOT / "render.yaml").read_text())["services"]
    commands = [service["startCommand"] for service in services if "startCommand" in service]

    assert {f"python worker.py {name}" for name in QUEUES} <= set(commands)
    assert commands.count("python worker.py scheduler") == 1
    scheduler = next(one for one in services if one.get("startCommand", "").endswith("scheduler"))
    assert scheduler["numInstances"] == 1


def scheduled(scheduler: Scheduler) -> dict[str, str]:
    """The entries of the schedule: id and the function's name."""
    return {job.id: job.func_name for job in scheduler.get_jobs()}


def test_registering_the_ticks_twice_is_registering_them_once(scheduler: Scheduler):
    register_ticks(scheduler)
    first = {job.id: when for job, when in scheduler.get_jobs(with_times=True)}

    register_ticks(scheduler)

    assert {job.id: when for job, when in scheduler.get_jobs(with_times=True)} == first
    assert set(first) == {tick_id(work) for work in PERIODIC}


def test_a_tick_that_is_no_longer_wanted_is_dropped(scheduler: Scheduler):
    register_ticks(scheduler)
    scheduler.schedule(
        datetime.now(UTC).replace(tzinfo=None), "app.gone.jobs.old", interval=60, id="tick-gone"
    )

    register_ticks(scheduler)

    assert "tick-gone" not in scheduled(scheduler)
    assert len(scheduled(scheduler)) == len(PERIODIC)


def test_the_schedule_survives_a_flushed_redis(scheduler: Scheduler):
    register_ticks(scheduler)
    redis_client().flushdb()

    scheduler.enqueue_jobs()

    assert len(scheduled(scheduler)) == len(PERIODIC)


def test_a_tick_whose_job_was_lost_is_made_anew(scheduler: Scheduler):
    register_ticks(scheduler)
    lost = tick_id(PERIODIC[0])
    redis_client().delete(f"rq:job:{lost}")

    register_ticks(scheduler)

    assert lost in scheduled(scheduler)


def test_the_scheduler_rings_every_tick_in_the_queue_of_its_topic(scheduler: Scheduler):
    scheduler.enqueue_jobs()

    rung = {
        (name, job.func) for name in QUEUES for job in JsonQueue(name, connection=redis_client()).get_jobs()
    }
    assert rung == {(queue_name(work.topic), work) for work in PERIODIC}  # type: ignore[attr-defined]
    assert redis_client().exists(scheduler.scheduled_jobs_key)


def test_a_tick_runs_once_per_period_when_two_callers_race(app: Flask):
    ran: list[int] = []
    failures: list[BaseException] = []
    together = threading.Barrier(2)
    tick = periodic("test.race", every_seconds=DAY)(lambda: ran.append(1))

    def ring() -> None:
        with app.app_context():
            together.wait(5)
            try:
                tick()
            except BaseException as failure:
                failures.append(failure)

    callers = [threading.Thread(target=ring) for _ in range(2)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(10)

    assert (ran, failures) == ([1], [])
    tick()
    assert ran == [1]


def test_a_tick_that_is_done_says_so_and_forgets_the_old_ones(app: Flask):
    with across_shops("an old tick") as session:
        session.execute(
            text("INSERT INTO ticks (task, period_start) VALUES ('test.done', now() - interval '8 days')")
        )

    periodic("test.done", every_seconds=DAY)(lambda: None)()

    with across_shops("what is left") as session:
        ticks = session.execute(text("SELECT finished_at FROM ticks WHERE task = 'test.done'")).all()
    assert len(ticks) == 1
    assert ticks[0].finished_at is not None


def test_a_tick_that_fails_is_not_called_done(app: Flask):
    def fail() -> None:
        raise RuntimeError("broken")

    with pytest.raises(Exception, match=r"RuntimeError|broken"):
        periodic("test.broken", every_seconds=DAY)(fail)()

    with across_shops("what is left") as session:
        assert session.scalar(text("SELECT finished_at FROM ticks WHERE task = 'test.broken'")) is None


def test_a_schedule_that_cannot_be_read_keeps_nobody_from_registering(scheduler: Scheduler):
    connection: redis.Redis = redis_client()
    connection.zadd(scheduler.scheduled_jobs_key, {"tick-nonsense": 0})

    register_ticks(scheduler)

    assert set(scheduled(scheduler)) == {tick_id(work) for work in PERIODIC}
