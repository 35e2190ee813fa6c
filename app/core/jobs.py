"""What every job has in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import structlog

from app.core.database import db
from app.core.queue import answer
from app.core.ticks import claim_tick, finish_tick


def doorbell(topic: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark a function as the job behind `topic`: it clears its bell first, so that news during its run
    rings again.
    """

    def mark(job: Callable[..., None]) -> Callable[..., None]:
        @wraps(job)
        def run(*ids: int) -> None:
            structlog.contextvars.clear_contextvars()
            structlog.contextvars.bind_contextvars(topic=topic, ids=ids)
            answer(topic, *ids)
            try:
                job(*ids)
            finally:
                db.session.remove()

        run.topic = topic  # type: ignore[attr-defined]
        return run

    return mark


def periodic(topic: str, every_seconds: int) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Mark a function as periodic work: it runs at most once per period, however often the scheduler
    rings.
    """

    def mark(work: Callable[[], None]) -> Callable[[], None]:
        @wraps(work)
        def run() -> None:
            structlog.contextvars.clear_contextvars()
            structlog.contextvars.bind_contextvars(topic=topic)
            try:
                start = claim_tick(topic, every_seconds)
                if start:
                    work()
                    finish_tick(topic, start)
            finally:
                db.session.remove()

        run.topic = topic  # type: ignore[attr-defined]
        run.every_seconds = every_seconds  # type: ignore[attr-defined]
        return run

    return mark
