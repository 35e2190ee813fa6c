"""The place of a run: its own data folder, a fresh database, the real processes, shops full of contacts."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import redis
import sqlalchemy as sa
from flask import Flask
from rq import Worker
from sqlalchemy.engine import Engine

from app import create_app
from app.billing import service as billing
from app.campaigns.models import Campaign
from app.config import Settings
from app.core.uow import unit_of_work
from app.local.servers import embedded_servers
from app.local.supervisor import World
from bench import people
from bench.measuring import wait_until

DATA_DIR = Path(".local/bench")
DATABASE = "astronote_bench"
REDIS_DATABASE = 15
NO_LIMIT = "1000000"
ENVIRONMENT = {
    "ENQUEUE_INLINE_LIMIT": "5000000",
    "RATE_LIMIT_TRAFFIC_ACCOUNT_MAX": NO_LIMIT,
    "RATE_LIMIT_TENANT_MAX": NO_LIMIT,
    "SANDBOX_LATENCY_MS": "50",
    "SANDBOX_NO_REPORTS": "1",
    "LOG_LEVEL": "WARNING",
    "QUIET_HOURS": "false",
    "RATE_LIMITS_ENABLED": "false",
}
# The scheduler's ticks would take part in every measurement, and so would workers that run too early.
COPIES = {"worker-sending": 2, "worker-events": 0, "worker-imports": 0, "scheduler": 0}
LITERAL = "Summer sale: 20% off everything, this weekend only. Order online or come by!"
PERSONAL = "Hi {{firstName}}, summer sale: 20% off everything, this weekend only. Come by!"

IS_FROZEN = sa.text("SELECT frozen_at IS NOT NULL FROM campaigns WHERE id = :campaign_id")

numbers = itertools.count(1)


@dataclass
class Arena:
    """What a bench works with. `owner` bypasses the application, not row-level security."""

    world: World
    app: Flask
    owner: Engine
    is_quick: bool = False
    largest: int = 0  # of the run's sizes
    shops: dict[int, int] = field(default_factory=dict)

    def shop_of(self, size: int) -> int:
        """The shop with `size` opted-in contacts, made when first asked for."""
        if size not in self.shops:
            shop = billing.open_shop(f"bench-{size}.myshopify.com", plan="pro")
            billing.grant_credits(shop.id, 1_000_000_000, key="bench", reason="bench")
            people.add_contacts(self.owner, shop.id, size)
            self.shops[size] = shop.id
        return self.shops[size]

    def turns(self, size: int) -> int:
        """How often to measure: the larger the size, the quieter one measurement. Once in a quick run."""
        if self.is_quick:
            return 1
        return 5 if size <= 20_000 else 3 if size <= 200_000 else 2

    def a_campaign(self, shop_id: int, message: str = LITERAL) -> int:
        """A new draft to everybody."""
        with unit_of_work(shop_id) as session:
            campaign = Campaign(shop_id=shop_id, name=f"bench {next(numbers)}", message=message)
            session.add(campaign)
            session.flush()  # its id is the answer
            return campaign.id

    def run_of(self, shop_id: int, campaign_id: int) -> int:
        """The run of a started campaign."""
        with unit_of_work(shop_id) as session:
            run_id = session.get_one(Campaign, campaign_id).run_id
        assert run_id is not None
        return run_id

    def empty_messages(self) -> None:
        """Forget every message and attempt, so that each measurement starts with the same table."""
        with self.owner.connect() as database:
            database.exec_driver_sql("TRUNCATE messages, send_attempts")
        self.forget_bells()

    def forget_bells(self) -> None:
        """Nothing is queued, no bell is rung: one that a stopped worker had in hand would keep silent."""
        connection = self.redis()
        for pattern in ("doorbell:*", "rq:queue:*"):
            for key in connection.scan_iter(pattern):
                connection.delete(key)

    def is_frozen(self, campaign_id: int) -> bool:
        with self.owner.connect() as connection:
            return bool(connection.scalar(IS_FROZEN, {"campaign_id": campaign_id}))

    def processes(self, name: str) -> list[int]:
        """The processes that do the work of `name`: for a server with a master, its children."""
        leaders = self.world.pids(name)
        children = [child.pid for pid in leaders for child in psutil.Process(pid).children()]
        return children or leaders

    @contextmanager
    def running(self, name: str) -> Iterator[list[int]]:
        """The worker processes of `name`, listening, for as long as the block lasts."""
        pids = self.world.start(name)
        try:
            wait_until(lambda: self._registered(pids), 30, f"starting {name}")
            yield pids
        finally:
            self.world.stop(name)

    def _registered(self, pids: Sequence[int]) -> bool:
        """Whether the workers with these process ids listen to their queues."""
        return set(pids) <= {worker.pid for worker in Worker.all(connection=self.redis())}

    @contextmanager
    def with_settings(self, **changes: Any) -> Iterator[None]:
        """Other settings for this process; those of the others are fixed by their environment."""
        before = self.app.config["SETTINGS"]
        self.app.config["SETTINGS"] = replace(before, **changes)
        try:
            yield
        finally:
            self.app.config["SETTINGS"] = before

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.world.env["REDIS_URL"])


@contextmanager
def arena(data_dir: Path = DATA_DIR, extra_env: Mapping[str, str] | None = None) -> Iterator[Arena]:
    """Everything up, on a database of its own; on the server of DATABASE_URL, else on the embedded one."""
    (data_dir / "sandbox.db").unlink(missing_ok=True)
    with embedded_servers(data_dir) as servers:
        before = dict(os.environ)
        os.environ.update(_with_own_database(servers.env))
        try:
            with _world(data_dir, {**ENVIRONMENT, **(extra_env or {})}) as one:
                yield one
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def _world(data_dir: Path, extra_env: Mapping[str, str]) -> Iterator[Arena]:
    with World(data_dir, web_port=0, sandbox_port=0, copies=COPIES, extra_env=extra_env) as world:
        settings = Settings.from_env(world.env)
        app = create_app(settings)
        owner = sa.create_engine(settings.direct_url, isolation_level="AUTOCOMMIT")
        sa.event.listen(owner, "connect", _see_all_shops)
        world.stop("worker-sending")  # each bench starts the workers it needs
        try:
            with app.app_context():
                yield Arena(world, app, owner)
        finally:
            owner.dispose()


def _see_all_shops(connection: object, _record: object) -> None:
    with connection.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("SELECT set_config('app.all_shops', 'on', false)")


def _with_own_database(env: Mapping[str, str]) -> dict[str, str]:
    """`env` with the URLs of a new, empty database on the same server."""
    direct = env.get("DIRECT_URL") or env["DATABASE_URL"]
    engine = sa.create_engine(
        direct.replace("postgresql://", "postgresql+psycopg2://", 1), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        connection.exec_driver_sql(f"CREATE DATABASE {DATABASE}")
    engine.dispose()
    urls = {"DATABASE_URL": env["DATABASE_URL"], "DIRECT_URL": direct}
    return {**{name: _named(url) for name, url in urls.items()}, "REDIS_URL": _own_redis(env["REDIS_URL"])}


def _own_redis(url: str) -> str:
    """The last database of a Redis, so that nobody's queues are touched."""
    if url.startswith("unix://"):
        return f"{url.partition('?')[0]}?db={REDIS_DATABASE}"
    return urlunsplit(urlsplit(url)._replace(path=f"/{REDIS_DATABASE}"))


def _named(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{DATABASE}"))
