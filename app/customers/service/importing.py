"""The first import: ask for the file, wait for it, take in its lines, batch after batch.

Each step stands in the row before the next one begins, and a batch commits with its checkpoint, so whoever
comes after a crash goes on behind the last whole batch. Two who work on one import do no harm: the row's lock
lets one in, and who finds that the other has moved on leaves.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.connections.errors import NotConnected
from app.connections.service import tokens
from app.core.activity import record
from app.core.clock import now
from app.core.errors import NotFound
from app.core.queue import wake
from app.core.uow import after_commit, require_unit_of_work, unit_of_work
from app.customers import queries
from app.customers.models import UNFINISHED, CustomerImport, CustomerImportStatus
from app.customers.service import batches, exporting
from app.integrations.shopify.client import ShopifyClient
from app.integrations.shopify.downloads import Line, lines
from app.integrations.shopify.errors import ShopifyRefused, ShopifyUnauthorized, ShopifyUnavailable

log = structlog.get_logger(__name__)

BATCH_LINES = 5000
LEASE = timedelta(seconds=90)  # more than a call, or a batch, can last
POLL = timedelta(seconds=15)
BUSY = timedelta(seconds=60)
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5, 900
ATTEMPTS = 24  # with the pauses, about five hours
EXPORTS = 3
AWAY = "Shopify could not be reached. The rows counted here are in."
NOT_EXPORTED = "Shopify could not write the list of customers."
REFUSED = "Shopify refused to give the list of customers. Please check the app's permissions."


class NoCustomerImport(NotFound):
    message = "This shop's customers were not imported yet."


def import_all(shop_id: int) -> None:
    """Begin, or go on with, the import of the shop's customers. Does nothing when there is nothing to do.

    Idempotent by the connection: one import per installation, unless the merchant asks for another.
    """
    with unit_of_work(shop_id):
        queries.begin_import(shop_id, now())
        import_id = queries.claim_import(shop_id, now(), now() + LEASE)
    if import_id is None:
        return
    try:
        _advance(shop_id, import_id, tokens.admin(shop_id))
    except NotConnected:
        _put_off(shop_id, import_id, BUSY)  # reconnecting begins another one, and ends this one
    except (ShopifyUnavailable, ShopifyUnauthorized) as trouble:
        reason = getattr(trouble, "reason", type(trouble).__name__)
        log.warning("customer_import_interrupted", import_id=import_id, reason=reason)
        _try_again(shop_id, import_id)
    except ShopifyRefused as refusal:
        log.warning("customer_import_refused", import_id=import_id, code=refusal.code)
        _fail(shop_id, import_id, REFUSED)


def start_again(shop_id: int) -> CustomerImport:
    """Import all customers once more, or join the import that runs. Raises NotConnected."""
    with unit_of_work(shop_id):
        if not tokens.is_connected(shop_id):
            raise NotConnected
        if queries.begin_import(shop_id, now(), again=True):
            record(shop_id, "customers.import_started", "customer_import")
        after_commit(lambda: wake("customers.import_all", shop_id))
    return newest(shop_id)


def newest(shop_id: int) -> CustomerImport:
    """The shop's latest import. Raises NoCustomerImport."""
    with unit_of_work(shop_id) as session:
        mine = select(CustomerImport).where(CustomerImport.shop_id == shop_id)
        found = session.scalar(mine.order_by(CustomerImport.id.desc()).limit(1))
    if found is None:
        raise NoCustomerImport
    return found


def waiting_shops() -> list[int]:
    """The shops whose import can go on, or must begin."""
    return queries.shops_waiting_for_import(now())


def _advance(shop_id: int, import_id: int, client: ShopifyClient) -> None:
    with unit_of_work(shop_id):
        job = _locked(shop_id, import_id)
    if job is None:
        return
    if job.operation_id is None:
        _begin_export(shop_id, import_id, client)
        return
    export = exporting.look(client, job.operation_id)
    if export.is_under_way:
        _put_off(shop_id, import_id, POLL)
    elif not export.is_complete or (export.url is None and export.rows > 0):
        _export_again(shop_id, import_id, export)
    elif export.url is None:
        _finish(shop_id, import_id)
    else:
        _take_in(shop_id, import_id, export, export.url)


def _begin_export(shop_id: int, import_id: int, client: ShopifyClient) -> None:
    try:
        operation_id = exporting.start(client)
    except ShopifyRefused as refusal:
        if refusal.code not in exporting.BUSY:
            raise
        _put_off(shop_id, import_id, BUSY)  # another operation of ours runs: after it
        return
    with unit_of_work(shop_id):
        job = _locked(shop_id, import_id)
        if job is not None:
            job.operation_id, job.status = operation_id, CustomerImportStatus.EXPORTING
            job.started_at = job.started_at or now()
            job.next_try_at = now() + POLL


def _export_again(shop_id: int, import_id: int, export: exporting.Export) -> None:
    log.warning("customer_export_failed", import_id=import_id, status=export.status[:20], error=export.error)
    with unit_of_work(shop_id):
        job = _locked(shop_id, import_id)
        if job is None:
            return
        job.attempts += 1
        if job.attempts >= EXPORTS:
            _end(job, NOT_EXPORTED)
            return
        # Another file has other lines: its contacts are known already, so only the counts begin anew.
        job.operation_id, job.status, job.next_try_at = None, CustomerImportStatus.WAITING, now() + POLL
        job.done_bytes = job.done_rows = job.size_bytes = job.expected_rows = 0
        batches.forget_counts(job)


def _take_in(shop_id: int, import_id: int, export: exporting.Export, url: str) -> None:
    with unit_of_work(shop_id):
        job = _locked(shop_id, import_id)
        if job is None:
            return
        job.status = CustomerImportStatus.RUNNING
        job.expected_rows, job.size_bytes = export.rows, export.size_bytes
        done = job.done_bytes
    if done >= export.size_bytes > 0:
        _finish(shop_id, import_id)
        return
    source = lines(url, done)
    while batch := list(islice(source, BATCH_LINES)):
        if not _take_batch(shop_id, import_id, done, batch):
            return
        done = batch[-1].end
    if done < export.size_bytes:
        raise ShopifyUnavailable("file_too_short")
    _finish(shop_id, import_id)


def _take_batch(shop_id: int, import_id: int, done: int, batch: list[Line]) -> bool:
    """One transaction: the batch's contacts and the checkpoint behind it. False when another has moved on."""
    for attempt in (1, 2, 3):
        try:
            with unit_of_work(shop_id):
                job = _locked(shop_id, import_id)
                if job is None or job.done_bytes != done or job.status != CustomerImportStatus.RUNNING:
                    return False
                batches.take(job, batch)
                job.done_bytes, job.attempts, job.next_try_at = batch[-1].end, 0, now() + LEASE
            return True
        except IntegrityError:  # an e-mail or an id was taken beside us; the next attempt sees it
            if attempt == 3:
                raise
    return False


def _locked(shop_id: int, import_id: int) -> CustomerImport | None:
    """The unfinished import, locked; None when it has ended or another worker holds it."""
    return require_unit_of_work().scalar(
        select(CustomerImport)
        .where(CustomerImport.shop_id == shop_id, CustomerImport.id == import_id)
        .where(CustomerImport.status.in_(UNFINISHED))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _put_off(shop_id: int, import_id: int, pause: timedelta) -> None:
    with unit_of_work(shop_id):
        job = _locked(shop_id, import_id)
        if job is not None:
            job.next_try_at = now() + pause


def _try_again(shop_id: int, import_id: int) -> None:
    with unit_of_work(shop_id):
        job = _locked(shop_id, import_id)
        if job is None:
            return
        job.attempts += 1
        pause = min(FIRST_PAUSE_SECONDS * 2**job.attempts, LONGEST_PAUSE_SECONDS)
        job.next_try_at = now() + timedelta(seconds=pause)
        if job.attempts >= ATTEMPTS:
            _end(job, AWAY)


def _fail(shop_id: int, import_id: int, why: str) -> None:
    with unit_of_work(shop_id):
        job = _locked(shop_id, import_id)
        if job is not None:
            _end(job, why)


def _finish(shop_id: int, import_id: int) -> None:
    with unit_of_work(shop_id):
        job = _locked(shop_id, import_id)
        if job is not None:
            _end(job, None)
            after_commit(lambda: wake("customers.push_consent", shop_id))


def _end(job: CustomerImport, failure: str | None) -> None:
    job.status = CustomerImportStatus.FAILED if failure else CustomerImportStatus.COMPLETED
    job.failure, job.finished_at = failure, now()
