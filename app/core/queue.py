"""Doorbells. A job says "there may be work"; the rows in Postgres say which.

A wake-up may be lost, doubled or late without harm: every job is idempotent and the scheduler's ticks ring
again for whatever is still waiting. Jobs are serialised as JSON and carry integer ids only.
"""

from __future__ import annotations

from typing import Any

import structlog
from redis import RedisError
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from app.core.redis import redis_client

log = structlog.get_logger(__name__)

# One queue per kind of worker: a worker that listens to one queue pops safely (BLMOVE), and a long import
# cannot stand in front of a send. Topics that are not listed go to `events`.
QUEUES = ("sending", "events", "imports")
QUEUE_OF_FEATURE = {"messaging": "sending", "contacts": "imports", "customers": "imports"}
QUEUE_OF_TOPIC = {"messaging.sweep": "events", "customers.push_consent": "events"}

JOB_TIMEOUT_SECONDS = 60
LONG_JOB_TIMEOUT_SECONDS = 3600
LONG_TOPICS = {"contacts.run_import", "customers.import_all", "campaigns.freeze"}
# How long a rung bell keeps silent if its job is lost. A job clears its own bell when it starts.
BELL_SECONDS = 10


class JsonJob(Job):
    """A job whose default serialiser is JSON, so that rq-scheduler (which takes none) uses it too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **_as_json(kwargs))

    @classmethod
    def create(cls, *args: Any, **kwargs: Any) -> Job:
        return super().create(*args, **_as_json(kwargs))

    @classmethod
    def fetch(cls, *args: Any, **kwargs: Any) -> Job:
        return super().fetch(*args, **_as_json(kwargs))


class JsonQueue(Queue):
    """A queue that speaks JSON."""

    job_class = JsonJob

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **_as_json(kwargs))


def _as_json(options: dict[str, Any]) -> dict[str, Any]:
    return options | {"serializer": options.get("serializer") or JSONSerializer}


def queue_name(topic: str) -> str:
    """The queue that serves `feature.job`."""
    return QUEUE_OF_TOPIC.get(topic) or QUEUE_OF_FEATURE.get(topic.partition(".")[0], "events")


def bell_key(topic: str, *ids: int) -> str:
    return "doorbell:" + ":".join([topic, *map(str, ids)])


def wake(topic: str, *ids: int, at_front: bool = False) -> bool:
    """Ring for `app.<feature>.jobs.<job>(*ids)`; True if a job was put in the queue.

    A bell that was rung and not yet answered is not rung again, so a burst makes one job. While Redis is away
    nothing is raised: the work stands in Postgres and the next tick rings.
    """
    try:
        connection = redis_client()
        if not connection.set(bell_key(topic, *ids), 1, nx=True, ex=BELL_SECONDS):
            return False
        name = queue_name(topic)
        feature, _, job = topic.partition(".")
        JsonQueue(name, connection=connection).enqueue(
            f"app.{feature}.jobs.{job}",
            args=ids,
            job_timeout=LONG_JOB_TIMEOUT_SECONDS if topic in LONG_TOPICS else JOB_TIMEOUT_SECONDS,
            result_ttl=0,
            failure_ttl=86_400,
            at_front=at_front,
        )
    except RedisError as away:
        log.warning("doorbell_not_rung", topic=topic, ids=ids, error=type(away).__name__)
        return False
    return True


def answer(topic: str, *ids: int) -> None:
    """Called by a job as it starts, before it looks for work: from here on the bell may be rung again."""
    try:
        redis_client().delete(bell_key(topic, *ids))
    except RedisError as away:
        log.warning("doorbell_not_cleared", topic=topic, error=type(away).__name__)
