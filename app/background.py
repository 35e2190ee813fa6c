"""Workers and the scheduler. Both only ring and answer doorbells; the rows in Postgres are the work."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog
from redis import RedisError
from rq import SimpleWorker
from rq.exceptions import NoSuchJobError
from rq_scheduler import Scheduler

from app.audit import jobs as audit
from app.automations import jobs as automations
from app.billing import jobs as billing
from app.campaigns import jobs as campaigns
from app.connections import jobs as connections
from app.contacts import jobs as contacts
from app.core import jobs as core
from app.core.cache import tell_sparingly
from app.core.queue import QUEUES, JsonJob, JsonQueue, queue_name
from app.core.redis import redis_client
from app.customers import jobs as customers
from app.discounts import jobs as discounts
from app.messaging import jobs as messaging
from app.monitoring import jobs as monitoring
from app.orders import jobs as orders
from app.payers import jobs as payers
from app.privacy import jobs as privacy
from app.purchases import jobs as purchases
from app.subscriptions import jobs as subscriptions
from app.webhooks import jobs as webhooks

log = structlog.get_logger(__name__)

PERIODIC: tuple[Callable[[], None], ...] = (
    messaging.sweep,
    messaging.settle_old,
    campaigns.start_due,
    campaigns.sweep,
    automations.sweep,
    automations.mornings,
    contacts.sweep_imports,
    orders.attribute,
    discounts.sweep,
    customers.sweep,
    connections.check,
    subscriptions.sweep,
    subscriptions.compare,
    webhooks.sweep,
    webhooks.forget,
    webhooks.compare,
    payers.sweep,
    privacy.sweep,
    purchases.sweep,
    purchases.reconcile,
    billing.seal_ledgers,
    audit.nightly,
    core.forget,
    monitoring.check,
)
POLL_SECONDS = 1
# A sender's main thread asks the database in many short steps. Each would wait for the helper threads, which
# write texts, for as long as Python lets them run (5 ms unless told otherwise).
SWITCH_SECONDS = 0.0005


class Worker(SimpleWorker):
    """One process, no forked child: a killed worker leaves nothing running behind, and a job costs 4 ms,
    not 11.
    """

    job_class = JsonJob
    queue_class = JsonQueue


def run_worker(names: list[str]) -> None:
    """Serve the named queues (all of them when none is named) until SIGTERM; the job in hand is finished
    first.
    """
    unknown = set(names) - set(QUEUES)
    if unknown:
        sys.exit(f"unknown queue: {', '.join(sorted(unknown))}; there are {', '.join(QUEUES)}")
    sys.setswitchinterval(SWITCH_SECONDS)
    connection = redis_client()
    tell_sparingly()
    queues = [JsonQueue(name, connection=connection) for name in names or QUEUES]
    worker = Worker(queues, connection=connection, serializer=queues[0].serializer)
    log.info("worker_started")
    worker.work(with_scheduler=False, logging_level="WARNING")


class TickScheduler(Scheduler):  # type: ignore[misc]  # rq-scheduler has no types
    """rq-scheduler that speaks JSON, registers what is missing on every round and survives a flushed
    Redis.
    """

    job_class = JsonJob
    queue_class = JsonQueue

    def enqueue_jobs(self) -> object:
        register_ticks(self)
        return super().enqueue_jobs()


def register_ticks(scheduler: Scheduler) -> None:
    """Make the schedule equal to PERIODIC: missing entries are added under fixed ids, stale ones dropped."""
    wanted = {tick_id(work): work for work in PERIODIC}
    present = {entry.decode() for entry in scheduler.connection.zrange(scheduler.scheduled_jobs_key, 0, -1)}
    for stale in present - wanted.keys():
        scheduler.cancel(stale)
    for job_id, work in wanted.items():
        if job_id not in present or not _is_as_wanted(scheduler, job_id, work):
            scheduler.schedule(
                datetime.now(UTC).replace(tzinfo=None),  # rq-scheduler takes naive times as UTC
                f"{work.__module__}.{work.__name__}",
                interval=work.every_seconds,  # type: ignore[attr-defined]
                id=job_id,
                queue_name=queue_name(work.topic),  # type: ignore[attr-defined]
                result_ttl=0,
                timeout=300,
            )


def _is_as_wanted(scheduler: Scheduler, job_id: str, work: Callable[[], None]) -> bool:
    """Whether the job that the schedule names is there, in the right queue and with the right period."""
    try:
        job = JsonJob.fetch(job_id, connection=scheduler.connection)
    except NoSuchJobError:
        return False
    found = (job.origin, job.meta.get("interval"))
    return found == (queue_name(work.topic), work.every_seconds)  # type: ignore[attr-defined]


def tick_id(work: Callable[[], None]) -> str:
    return "tick-" + str(work.topic).replace(".", "-")  # type: ignore[attr-defined]


def run_scheduler() -> None:
    """Ring the periodic doorbells for ever. Redis being away delays them; a second scheduler doubles none."""
    log.info("scheduler_started")
    while True:
        scheduler = TickScheduler(connection=redis_client(), interval=POLL_SECONDS)
        try:
            scheduler.run()
        except RedisError as away:
            log.warning("scheduler_without_redis", error=type(away).__name__)
        except (
            ValueError
        ) as poisoned:  # a job hash it cannot read: drop the schedule, the next round makes it anew
            log.warning("schedule_rebuilt", error=type(poisoned).__name__)
            redis_client().delete(scheduler.scheduled_jobs_key)
        time.sleep(POLL_SECONDS)
