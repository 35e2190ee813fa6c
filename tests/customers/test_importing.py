"""The first import over HTTP: from the export's start to the last line, with everything that can go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import current_app

from app.connections.service import events as connections
from app.connections.service import installing
from app.contacts.models import Contact
from app.core import clock
from app.core.database import db
from app.core.uow import unit_of_work
from app.customers import jobs
from app.customers.models import CustomerImport
from app.customers.service import importing
from app.customers.service.events import bulk_finished
from app.integrations.shopify import downloads
from app.shops.models import Shop
from tests import build
from tests.build_contacts import consent_events
from tests.build_customers import deliver
from tests.conftest import VALUES
from tests.sandbox.shopify.world import World
from tests.sandbox.waiting import eventually


def go_on(shop: Shop, *, after: timedelta = timedelta(0)) -> CustomerImport:
    """What a sweep does `after` a while."""
    with clock.moved(after):
        importing.import_all(shop.id)
    return importing.newest(shop.id)


def until_done(shop: Shop) -> CustomerImport:
    """Sweep after sweep, each a while later than the one before."""
    waits = [timedelta(minutes=10 * n) for n in range(40)]
    for wait in waits:
        job = go_on(shop, after=wait)
        if job.finished_at:
            return job
    raise AssertionError(job.status)


def counted(shop: Shop) -> int:
    with unit_of_work(shop.id) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Contact)) or 0


def with_phones(admin) -> int:
    return sum(1 for person in admin.customers(limit=1000) if person["phone"])


def test_all_customers_come_in_after_the_installation(shop, world, admin):
    world.shop(shop.domain, customers=300)

    job = until_done(shop)

    assert (job.status, job.failure, job.progress) == ("completed", None, 100)
    assert job.done_rows == job.expected_rows == job.created + job.updated + job.skipped + job.unreadable
    assert job.created == counted(shop) > 200
    assert {event.source for event in consent_events(shop)} == {"shopify"}
    assert all(event.evidence["import"] for event in consent_events(shop))


def test_the_download_carries_no_token(shop, world, admin):
    world.shop(shop.domain, customers=3)
    until_done(shop)

    (download,) = world.requests(kind="download")
    assert "shopify-access-token" not in str(download).lower()


def test_a_finished_import_is_not_begun_again_by_a_bell(shop, world, admin):
    world.shop(shop.domain, customers=3)
    first = until_done(shop)

    for _ in range(3):
        jobs.import_all(shop.id)
    jobs.sweep()

    assert importing.newest(shop.id).id == first.id
    assert len(world.requests(operation="StartCustomerExport")) == 1


def test_a_shop_without_customers_is_done_at_once(shop, world, admin):
    assert until_done(shop).status == "completed"


def test_the_finish_webhook_lets_the_import_go_on_at_once(shop, world, admin):
    world.shop(shop.domain, customers=3)
    job = go_on(shop)
    payload = {"admin_graphql_api_id": job.operation_id, "status": "completed", "type": "query"}

    assert deliver(shop, bulk_finished, payload, "bulk_operations/finish") == "applied"
    eventually(lambda: deliver(shop, bulk_finished, payload) and go_on(shop).status == "completed")

    assert deliver(shop, bulk_finished, payload, "bulk_operations/finish") == "unknown_operation"


def test_a_finish_that_nobody_asked_for_is_put_aside(shop, world, admin):
    payload = {"admin_graphql_api_id": "gid://shopify/BulkOperation/9", "type": "mutation"}

    assert deliver(shop, bulk_finished, payload) == "unknown_operation"
    assert deliver(shop, bulk_finished, {}) == "unknown_operation"


def test_a_sweep_finds_the_installation_whose_bell_was_lost(shop, world, admin):
    assert importing.waiting_shops() == [shop.id]


def test_an_operation_that_runs_already_is_waited_for(shop, world, admin):
    world.switch(bulk_concurrency=1, bulk_seconds=30)
    query = "mutation ($query: String!) { bulkOperationRunQuery(query: $query) { userErrors { code } } }"
    wanted = {"query": "{ customers { edges { node { id } } } }"}
    admin.graphql(query, wanted, token=admin.offline_token())

    job = go_on(shop)

    assert (job.status, job.operation_id, job.failure) == ("waiting", None, None)


@pytest.mark.parametrize("fault", ["bulk_failed", "bulk_expired"])
def test_an_export_that_failed_is_asked_for_again(shop, world, admin, fault):
    world.shop(shop.domain, customers=30)
    world.fault(fault, count=1)

    job = until_done(shop)

    assert (job.status, job.done_rows, counted(shop)) == ("completed", 30, with_phones(admin))


def test_an_export_that_always_fails_is_given_up(shop, world, admin):
    world.fault("bulk_failed", count=99)

    job = until_done(shop)

    assert (job.status, job.failure) == ("failed", importing.NOT_EXPORTED)


@pytest.mark.parametrize(("fault", "value"), [("download_cut", 0.5), ("download_403", None)])
def test_a_download_that_broke_goes_on_behind_the_last_batch(shop, world, admin, monkeypatch, fault, value):
    world.shop(shop.domain, customers=400)
    monkeypatch.setattr(importing, "BATCH_LINES", 50)
    monkeypatch.setattr(downloads, "PIECE_BYTES", 2048)
    world.fault(fault, count=1, **({"value": value} if value else {}))

    job = until_done(shop)

    assert (job.status, job.done_rows, counted(shop)) == ("completed", 400, job.created)
    assert job.created + job.updated + job.skipped == 400


@pytest.mark.parametrize("fault", ["http_500", "throttle", "malformed_json", "http_429"])
def test_trouble_of_the_admin_api_delays_the_import_only(shop, world, admin, fault):
    world.shop(shop.domain, customers=10)
    world.fault(fault, count=2)

    assert until_done(shop).status == "completed"


def test_a_refusal_ends_the_import_with_a_sentence(shop, world, admin):
    world.fault("graphql_error", code="ACCESS_DENIED")

    job = go_on(shop)

    assert (job.status, job.failure) == ("failed", importing.REFUSED)


def test_nothing_is_downloaded_from_other_hosts(shop, world, admin, app):
    world.shop(shop.domain, customers=3)
    app.config["SETTINGS"] = replace(
        app.config["SETTINGS"], shopify_download_hosts=("storage.googleapis.com",)
    )

    job = until_done(shop)

    assert (job.status, counted(shop), world.requests(kind="download")) == ("failed", 0, [])


def test_a_reinstallation_imports_again(shop, world, admin):
    first = go_on(shop)
    admin.do("uninstall")
    deliver(shop, connections.uninstalled, {}, "app/uninstalled")
    assert go_on(shop, after=timedelta(minutes=2)).id == first.id
    assert importing.newest(shop.id).status == "failed"

    with clock.moved(timedelta(minutes=1)):
        installing.sign_in(shop.domain, admin.session_token())
        importing.import_all(shop.id)

    assert importing.newest(shop.id).id > first.id
    assert until_done(shop).status == "completed"


def test_the_merchant_sees_it_and_may_ask_for_another(client, shop, world, admin):
    headers = build.auth(shop)
    assert client.get("/customers/import", headers=headers).status_code == 404
    until_done(shop)

    shown = client.get("/customers/import", headers=headers).json["data"]
    again = client.post("/customers/import", headers=headers)
    joined = client.post("/customers/import", headers=headers)

    assert (shown["status"], shown["progress"]) == ("completed", 100)
    assert (again.status_code, again.json["data"]["status"]) == (202, "waiting")
    assert joined.json["data"]["id"] == again.json["data"]["id"] != shown["id"]


def test_a_shop_that_is_not_connected_cannot_import(client, shop):
    answer = client.post("/customers/import", headers=build.auth(shop))

    assert (answer.status_code, answer.json["code"]) == (409, "SHOPIFY_NOT_CONNECTED")


def test_two_workers_take_every_line_once(shop, world, admin):
    """For the second one the lease of the first is over, though that one is still at it."""
    world.shop(shop.domain, customers=2000)
    go_on(shop)
    commands = [worker(shop, dies_at=0, minutes=minutes) for minutes in (5, 20)]
    environment = surroundings(world)
    with (
        subprocess.Popen(commands[0], env=environment) as one,
        subprocess.Popen(commands[1], env=environment) as other,
    ):
        assert (one.wait(timeout=60), other.wait(timeout=60)) == (0, 0)

    job = until_done(shop)
    assert (job.status, job.done_rows) == ("completed", 2000)
    assert job.created == counted(shop)
    assert job.created + job.updated + job.skipped == 2000


def test_a_worker_that_was_overtaken_between_two_batches_leaves(shop, world, admin, app, monkeypatch):
    world.shop(shop.domain, customers=200)
    monkeypatch.setattr(importing, "BATCH_LINES", 20)
    monkeypatch.setattr(downloads, "PIECE_BYTES", 2048)
    go_on(shop)
    batches: list[str] = []

    def overtake() -> None:
        with app.app_context():
            go_on(shop, after=timedelta(minutes=20))

    def count(_connection, _cursor, statement, *_more) -> None:
        if "DROP TABLE incoming_customers" in statement:
            batches.append(threading.current_thread().name)

    def before_the_next_batch(_connection) -> None:
        if len(batches) == 3 and threading.current_thread() is threading.main_thread():
            world.fault("download_cut", count=1, value=0.8)  # so that it leaves something to do
            other = threading.Thread(target=overtake)
            other.start()
            other.join()

    with listening("before_cursor_execute", count), listening("begin", before_the_next_batch):
        go_on(shop, after=timedelta(minutes=5))

    assert len(set(batches)) == 2  # both were at it
    assert 60 < importing.newest(shop.id).done_rows < 200
    job = until_done(shop)
    assert (job.status, job.done_rows) == ("completed", 200)
    assert job.created + job.updated + job.skipped == 200
    assert job.created == counted(shop)


@contextmanager
def listening(name: str, listener: Callable[..., None]) -> Iterator[None]:
    sa.event.listen(db.engine, name, listener)
    yield
    sa.event.remove(db.engine, name, listener)


def test_a_worker_killed_anywhere_leaves_whole_batches_only(shop, world, admin):
    world.shop(shop.domain, customers=400)
    go_on(shop)
    places = []
    for attempt, dies_at in enumerate((5, 17, 22, 25, 27, 29, 30, 34, 47, 60), start=1):
        killed = subprocess.run(worker(shop, dies_at, 5 * attempt), env=surroundings(world), timeout=60)
        assert killed.returncode == -signal.SIGKILL
        job = importing.newest(shop.id)
        assert counted(shop) == job.created
        assert job.done_rows == job.created + job.updated + job.skipped
        assert job.done_rows % 20 == 0
        places.append(job.done_rows)
    assert 0 < places[-1] < 400

    job = until_done(shop)

    assert (job.status, job.done_rows) == ("completed", 400)
    assert job.created == counted(shop)
    assert job.created + job.updated + job.skipped == 400


def worker(shop: Shop, dies_at: int, minutes: int) -> list[str]:
    arguments = (shop.id, 20, dies_at, minutes)
    return [sys.executable, "-m", "tests.customers.importing_worker", *map(str, arguments)]


def surroundings(world: World) -> dict[str, str]:
    settings = current_app.config["SETTINGS"]
    return {
        **os.environ,
        **VALUES,
        "DATABASE_URL": settings.database_url.replace("+psycopg2", ""),
        "DIRECT_URL": settings.direct_url.replace("+psycopg2", ""),
        "REDIS_URL": settings.redis_url,
        "SHOPIFY_ADMIN_BASE": world.admin_base,
        "SHOPIFY_DOWNLOAD_HOSTS": world.download_host,
    }
