"""The stage: one real system, workers that can be killed at a statement, and shops to send from."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import redis
import requests
import sqlalchemy as sa
from flask import Flask

from app import create_app
from app.auth import tokens
from app.billing import service as billing
from app.campaigns.models import Campaign
from app.config import Settings
from app.core.database import db
from app.core.uow import across_shops, unit_of_work
from app.local.environment import usable_port
from app.local.servers import SERVER_VARIABLES, remove
from app.local.supervisor import World
from app.shops.models import Shop
from tests import build, build_contacts
from tests.faults.crashing_worker import CrashPoint, Order
from tests.faults.gate import Gate
from tests.faults.nursery import Nursery

POLL_SECONDS = 0.05
NO_WORKERS = {"worker-sending": 0, "worker-events": 0, "worker-imports": 0}
# Limits and leases as an operator could set them: nothing of the product is replaced.
VARIABLES = {
    "QUIET_HOURS": "false",
    "RATE_LIMITS_ENABLED": "false",
    "CLAIM_LEASE_SECONDS": "3",
    "SMS_BATCH_SIZE": "10",
    "RATE_LIMIT_TRAFFIC_ACCOUNT_MAX": "10000",
    "RATE_LIMIT_TENANT_MAX": "10000",
    "LOG_LEVEL": "WARNING",
    "SANDBOX_QUICK": "true",
}
TEXT = "Hello {{firstName}}, everything is 20% off until Sunday."
COUNT_STATES = sa.text("SELECT state, count(*) FROM messages WHERE run_id = :run_id GROUP BY state")


class NotReached(AssertionError):
    """A condition did not become true in time."""


def until(what: str, condition: Callable[[], Any], seconds: float = 40) -> Any:
    """Wait for `condition`; what it gave. Raises NotReached."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise NotReached(f"{what}: not within {seconds:.0f} s")
        time.sleep(POLL_SECONDS)
    return result


class Fork:
    """A forked worker or web process."""

    def __init__(self, pid: int, order: Order) -> None:
        self.pid = pid
        self.order = order

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.order.port}"

    def is_alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL; returns when it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.wait_dead()

    def ask_to_end(self) -> None:
        """SIGTERM: a worker finishes the job in hand."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def wait_dead(self) -> None:
        until(f"the death of a {self.order.role} process", lambda: not self.is_alive())

    def has_reached(self) -> bool:
        """Whether its crash point has struck."""
        return Path(self.order.mark).exists()

    def wait_reached(self) -> None:
        until(f"{self.order.point}", self.has_reached)

    def release(self) -> None:
        """Let it go on after a `hold`."""
        Path(self.order.mark).with_suffix(".go").touch()


class Case:
    """One scenario's shop and campaign, and what is expected of them besides the verdict on every case."""

    def __init__(self, title: str, shop: Shop, campaign_id: int, granted: int, first_seq: int) -> None:
        self.title = title
        self.shop = shop
        self.campaign_id = campaign_id
        self.granted = granted
        self.first_seq = first_seq
        self.problems: list[str] = []
        self.later: list[tuple[str, Callable[[], Any]]] = []

    def expect(self, sentence: str, is_true: Any) -> None:
        """Note `sentence` as a problem unless it is true."""
        if not is_true:
            self.problems.append(f"not so: {sentence}")

    def expect_at_rest(self, sentence: str, condition: Callable[[], Any]) -> None:
        """The same, asked when the pipeline is at rest."""
        self.later.append((sentence, condition))


class Stage:
    """Everything a scenario needs. One for a whole run; scenarios have shops of their own."""

    def __init__(self, data_dir: Path, seed: int = 1) -> None:
        self.chance = random.Random(seed)  # noqa: S311
        self._data_dir = data_dir
        self._stack = ExitStack()
        self._orders = itertools.count(1)
        self._names = itertools.count(1)
        self._forks: list[Fork] = []
        self._standing: dict[str, Fork] = {}
        self._gates: list[Gate] = []
        self.title = ""
        self.cases: list[Case] = []

    def __enter__(self) -> Self:
        for name in SERVER_VARIABLES:
            os.environ.pop(name, None)  # only servers of our own are stopped and flushed
        remove(self._data_dir)
        with ExitStack() as stack:
            self.world = stack.enter_context(
                World(
                    self._data_dir,
                    web_port=0,
                    sandbox_port=0,
                    copies=NO_WORKERS,
                    extra_env=VARIABLES,
                )
            )
            self._marks = self.world.data_dir / "marks"
            self._marks.mkdir()
            log = self.world.data_dir / "logs" / "nursery.log"
            self._nursery = stack.enter_context(Nursery(self.world.env, log))
            self.app = stack.enter_context(_running(self.world.env))
            self.session = stack.enter_context(requests.Session())
            self.redis = stack.enter_context(redis.Redis.from_url(self.world.env["REDIS_URL"]))
            stack.callback(self.end_scenario)
            self._stack = stack.pop_all()
        self.stand("events")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    # --- processes

    def fork(
        self, role: str, point: CrashPoint | None = None, gate: Gate | None = None, /, **env: object
    ) -> Fork:
        """A process of its own variables; `gate` is its way to the carrier."""
        number = next(self._orders)
        variables = {name: str(value) for name, value in env.items()}
        if gate:
            variables["MITTO_API_BASE"] = gate.url
        order = Order(
            role,
            log=str(self.world.data_dir / "logs" / f"fork-{role}.log"),
            mark=str(self._marks / f"{number}.reached"),
            env=variables,
            port=usable_port(0, "PORT") if role == "web" else 0,
            point=point,
        )
        fork = Fork(self._nursery.fork(order), order)
        self._forks.append(fork)
        if role == "web":
            until("the web process", lambda: self._answers(fork.url) or not fork.is_alive())
        return fork

    def stand(self, role: str, **env: object) -> Fork:
        """(Re)start the worker of `role` that outlives scenarios."""
        if role in self._standing:
            self._standing[role].kill()
        fork = self.fork(role, **env)
        self._forks.remove(fork)
        self._standing[role] = fork
        return fork

    def kill_standing(self, role: str) -> None:
        """SIGKILL the standing worker of `role`, and let none take its place."""
        self._standing.pop(role).kill()

    def keep_up(self) -> None:
        """Start standing workers that have died by themselves again, as the platform does."""
        for role, fork in list(self._standing.items()):
            if not fork.is_alive():
                self.stand(role)
        if not self.world.pids("scheduler"):
            self.world.start("scheduler")

    def gate(self, latency_seconds: float = 0.0) -> Gate:
        """A wire to the carrier, until the scenario ends."""
        gate = Gate(self.world.sandbox_url, latency_seconds)
        self._gates.append(gate)
        return gate

    def let_senders_end(self) -> None:
        """Healthy senders finish what they have in hand."""
        senders = [fork for fork in self._forks if fork.order.role == "sending" and not fork.order.point]
        for fork in senders:
            fork.ask_to_end()
        for fork in senders:
            fork.wait_dead()

    def end_scenario(self) -> None:
        """End what the scenario has started, senders with their work done; the standing workers stay."""
        self.let_senders_end()
        for fork in self._forks:
            fork.kill()
        for gate in self._gates:
            gate.close()
        self._forks.clear()
        self._gates.clear()
        self.redis.delete("circuit:mitto:failures", "circuit:mitto:pause")  # as if a quiet minute had passed

    # --- rows

    def case(self, contacts: int = 60, *, text: str = TEXT, title: str = "") -> Case:
        """A shop with credits to spare, its contacts, and a draft to all of them."""
        _pass_over_special_phones(contacts)
        number = next(self._names)
        shop = build.a_shop(f"faults-{number}.myshopify.com")
        if contacts:
            build_contacts.contacts(shop, contacts)
        billing.grant_credits(shop.id, 20 * contacts + 1, key="faults", reason="for a fault test")
        with unit_of_work(shop.id) as session:
            campaign = Campaign(shop_id=shop.id, name=f"Campaign {number}", message=text, audience="all")
            session.add(campaign)
            session.flush()
        granted = billing.balance(shop.id).available
        case = Case(title or self.title, shop, campaign.id, granted, self.carrier_seq())
        self.cases.append(case)
        return case

    def run_id(self, case: Case) -> int | None:
        with unit_of_work(case.shop.id) as session:
            return session.scalar(sa.select(Campaign.run_id).where(Campaign.id == case.campaign_id))

    def states(self, case: Case) -> Mapping[str, int]:
        """The number of the campaign's messages in each state."""
        run_id = self.run_id(case)
        with unit_of_work(case.shop.id) as session:
            return dict(session.execute(COUNT_STATES, {"run_id": run_id}).all())  # type: ignore[arg-type]

    def count(self, case: Case, *states: str) -> int:
        found = self.states(case)
        return sum(found.get(state, 0) for state in states)

    def status(self, case: Case) -> str:
        with unit_of_work(case.shop.id) as session:
            return str(session.scalar(sa.select(Campaign.status).where(Campaign.id == case.campaign_id)))

    def rows(self, sql: str, **values: object) -> list[Any]:
        """Read across shops."""
        with across_shops("a fault test looks at everything") as session:
            return list(session.execute(sa.text(sql), values))

    # --- over HTTP

    def post(self, case: Case, action: str, *, base: str = "", **headers: str) -> requests.Response:
        """POST /campaigns/<id>/<action> as the merchant."""
        return self.post_to(f"/campaigns/{case.campaign_id}/{action}", case, base=base, **headers)

    def post_to(self, path: str, case: Case, *, base: str = "", **headers: str) -> requests.Response:
        """POST `path` as the merchant of `case`."""
        with self.app.app_context():  # in a thread there is none yet
            headers |= self.signed_in(case)
        return requests.post(f"{base or self.world.url}{path}", headers=headers, timeout=60)

    @contextlib.contextmanager
    def in_background(self, work: Callable[[], Any]) -> Iterator[Future[Any]]:
        """Do `work` in a thread; it has ended when the context is left."""
        with ThreadPoolExecutor(1) as pool:
            yield pool.submit(work)

    def click_send(self, case: Case, *, base: str = "") -> None:
        """Start the campaign; it must be accepted."""
        answer = self.post(case, "enqueue", base=base)
        assert answer.status_code == 200, f"enqueue was answered {answer.status_code}: {answer.text}"

    def signed_in(self, case: Case) -> dict[str, str]:
        return {"Authorization": f"Bearer {tokens.issue(case.shop.id, case.shop.domain)}"}

    def carrier(self, path: str, **query: Any) -> Any:
        """Look into the carrier."""
        answer = self.session.get(f"{self.world.sandbox_url}/_sandbox/{path}", params=query, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def carrier_fault(self, kind: str, **details: Any) -> None:
        """Put one of the carrier's own faults in force."""
        url = f"{self.world.sandbox_url}/_sandbox/faults"
        self.session.post(url, json={"kind": kind} | details, timeout=10).raise_for_status()

    def carrier_reports(self, **switches: Any) -> None:
        """Change the carrier's reporting habits."""
        url = f"{self.world.sandbox_url}/_sandbox/reports"
        self.session.put(url, json=switches, timeout=10).raise_for_status()

    def carrier_seq(self) -> int:
        """The number of texts the carrier has accepted, which is the number of the last one."""
        counts = self.carrier("stats")
        return int(counts["accepted"] + counts["replies"])

    def _answers(self, url: str) -> bool:
        try:
            return requests.get(f"{url}/healthz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False


def _pass_over_special_phones(contacts: int) -> None:
    """Phones ending in 0001 to 0007 have fates of their own at the carrier: only large cases have some."""
    following = next(build_contacts.numbers) % 10_000
    while contacts < 1000 and (following < 10 or following + contacts >= 10_000):
        following = next(build_contacts.numbers) % 10_000


@contextlib.contextmanager
def _running(env: Mapping[str, str]) -> Iterator[Flask]:
    """The app in this process, to make rows and look at them. Unknown messages are given up at once in it."""
    app = create_app(replace(Settings.from_env(env), unknown_deadline_hours=0))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
