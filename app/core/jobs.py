"""What every job has in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

import structlog

from app.core.database import db
from app.core.idempotency import purge_keys
from app.core.metrics import count
from app.core.queue import answer
from app.core.ticks import claim_tick, finish_tick
from app.core.uow import across_shops

log = structlog.get_logger(__name__)


class JobFailed(Exception):
    """What RQ is told about a job's bug: the type only, because RQ keeps and logs the text of what it
    sees.
    """


@contextmanager
def at_the_edge(topic: str) -> Iterator[None]:
    """Around every job: bind its name to the logs, log a bug once, give the connection back."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(topic=topic)
    try:
        yield
        count("jobs_total", topic, "done")
    except Exception as bug:
        count("jobs_total", topic, "failed")
        log.error("job_failed", exc_info=bug)
        raise JobFailed(type(bug).__name__) from None
    finally:
        db.session.remove()


def doorbell(topic: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark a function as the job behind `topic`.

    It clears its bell first, so that news during its run rings again.
    """

    def mark(job: Callable[..., None]) -> Callable[..., None]:
        @wraps(job)
        def run(*ids: int) -> None:
            with at_the_edge(topic):
                structlog.contextvars.bind_contextvars(ids=ids)
                answer(topic, *ids)
                job(*ids)

        run.topic = topic  # type: ignore[attr-defined]
        return run

    return mark


def periodic(topic: str, every_seconds: int) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Mark a function as periodic work: once per period, however often the scheduler rings."""

    def mark(work: Callable[[], None]) -> Callable[[], None]:
        @wraps(work)
        def run() -> None:
            with at_the_edge(topic):
                start = claim_tick(topic, every_seconds)
                if start:
                    work()
                    finish_tick(topic, start)

        run.topic = topic  # type: ignore[attr-defined]
        run.every_seconds = every_seconds  # type: ignore[attr-defined]
        return run

    return mark


@periodic("core.forget", every_seconds=86_400)
def forget() -> None:
    """Forget idempotency keys that nobody will repeat any more."""
    with across_shops("old keys go, whosoever they are"):
        purge_keys()
