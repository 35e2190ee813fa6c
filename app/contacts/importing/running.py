"""Running an import: batch after batch, each of them one transaction with its progress.

A killed job leaves whole batches only. The next one reads the file from the start, passes over the rows that
are in, and goes on. Two jobs for one import are harmless: the row lock lets one in, and who finds that the
other has moved on leaves.
"""

from __future__ import annotations

from typing import Any

import structlog
from sqlalchemy import delete, select, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from app.contacts.importing import merging
from app.contacts.importing.reading import FileNotReadable, Table, survey
from app.contacts.importing.rows import Problem, Row, Rules, read_row
from app.contacts.importing.service import ATTEMPTS, UNFINISHED, rules_of
from app.contacts.models import ContactImport, ContactImportChunk, ImportStatus
from app.core.clock import now
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.shops.errors import ShopNotFound

log = structlog.get_logger(__name__)

BATCH_ROWS = 5000
DEADLOCK = "40P01"
SHOP_GONE = "The shop has uninstalled the app."

RECORD_PROBLEMS = text("""
INSERT INTO contact_import_errors (shop_id, import_id, row, field, value, message)
SELECT :shop_id, :import_id, problem.*
FROM unnest(CAST(:rows AS integer[]), CAST(:fields AS text[]), CAST(:values AS text[]),
            CAST(:messages AS text[])) AS problem
ON CONFLICT DO NOTHING
""")
# An import that a worker holds at this moment is making progress and is passed over.
STALLED = text("""
SELECT shop_id, id FROM contact_imports
WHERE status IN ('waiting', 'running')
  AND coalesce(started_at, created_at) < now() - interval '30 seconds'
ORDER BY id LIMIT 100
FOR UPDATE SKIP LOCKED
""")
GIVE_UP = text("""
WITH given_up AS (
  UPDATE contact_imports
  SET status = 'failed', finished_at = now(),
      failure = 'The import was not finished within a day. The rows counted here are in.'
  WHERE status IN ('waiting', 'running') AND created_at < now() - interval '1 day'
  RETURNING shop_id, id
)
DELETE FROM contact_import_chunks USING given_up
WHERE contact_import_chunks.shop_id = given_up.shop_id AND contact_import_chunks.import_id = given_up.id
""")


def run_import(shop_id: int, import_id: int) -> None:
    """Take in the rest of the file. Does nothing for an import that is finished or in other hands.

    Raises OperationalError when the database goes away; the sweep will ring again.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _run(shop_id, import_id)
        except (IntegrityError, DataError, OperationalError) as refused:
            if isinstance(refused, OperationalError) and getattr(refused.orig, "pgcode", None) != DEADLOCK:
                raise
            # Another transaction has taken an e-mail or a lock of this batch; the next attempt sees it.
            if attempt == ATTEMPTS:
                log.error("import_batch_refused", exc_info=refused, import_id=import_id)
    _give_up(shop_id, import_id)


def stalled_imports() -> list[tuple[int, int]]:
    """(shop, import) of the unfinished imports that nobody is working on. Ends those that are a day old."""
    with across_shops("a sweep looks at the imports of every shop") as session:
        session.execute(GIVE_UP)
        return [(row.shop_id, row.id) for row in session.execute(STALLED)]


def _run(shop_id: int, import_id: int) -> None:
    with unit_of_work(shop_id):
        begun = _claim(shop_id, import_id)
        opened = begun and _open(begun)
    if not opened:
        return
    table, rules = opened
    while not table.ended:
        with unit_of_work(shop_id):
            job = _claim(shop_id, import_id)
            if job is None or job.done_rows != table.position:
                return
            _take_batch(job, table, rules)


def _claim(shop_id: int, import_id: int) -> ContactImport | None:
    """The unfinished import, locked; None when it is finished or another worker has it."""
    return require_unit_of_work().scalar(
        select(ContactImport)
        .where(ContactImport.shop_id == shop_id, ContactImport.id == import_id)
        .where(ContactImport.status.in_(UNFINISHED))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _open(job: ContactImport) -> tuple[Table, Rules] | None:
    """The file, at the first row still to be taken. None, and recorded, when it cannot be imported."""
    fetch = _Fetch(job)
    try:
        rules = rules_of(job.shop_id)
        found = survey(fetch)
    except (FileNotReadable, ShopNotFound) as refusal:
        _finish(job, failure=str(refusal) if isinstance(refusal, FileNotReadable) else SHOP_GONE)
        return None
    if job.status == ImportStatus.WAITING:
        job.status, job.started_at = ImportStatus.RUNNING, now()
        if found.guessed:
            message = f"The file is not UTF-8. It was read as {found.guessed}: please check the names."
            job.warnings += _record(job, [Problem(0, "file", found.guessed, message, None)])
    table = Table(fetch, found)
    table.skip(job.done_rows)
    return table, rules


def _take_batch(job: ContactImport, table: Table, rules: Rules) -> None:
    rows: list[Row] = []
    problems: list[Problem] = []
    batch = table.take(BATCH_ROWS)
    for number, given in batch:
        row, found = read_row(number, given, rules)
        if found:
            problems += found
        if row:
            rows.append(row)
    merged = merging.merge(job.shop_id, rows, {"importId": str(job.id), "sha256": job.file_sha256})
    skipped = len(batch) - len(rows)
    job.created += merged.created
    job.updated += merged.updated
    job.skipped += skipped
    job.warnings += _record(job, problems + merged.problems) - skipped
    job.done_rows = table.position
    job.done_bytes = min(table.bytes_read, job.size_bytes)
    if table.ended:
        _finish(job)


def _record(job: ContactImport, problems: list[Problem]) -> int:
    """Store the problems; gives how many there are now that were not there before."""
    if not problems:
        return 0
    rows, fields, values, messages, _ = zip(*problems, strict=True)
    columns: dict[str, Any] = {
        "rows": list(rows), "fields": list(fields), "values": list(values), "messages": list(messages)
    }  # fmt: skip
    stored = require_unit_of_work().execute(
        RECORD_PROBLEMS, {"shop_id": job.shop_id, "import_id": job.id, **columns}
    )
    return int(stored.rowcount)  # type: ignore[attr-defined]


def _finish(job: ContactImport, failure: str | None = None) -> None:
    job.status = ImportStatus.FAILED if failure else ImportStatus.COMPLETED
    job.failure = failure
    job.finished_at = now()
    if not failure:
        job.done_bytes = job.size_bytes
    require_unit_of_work().execute(
        delete(ContactImportChunk).where(
            ContactImportChunk.shop_id == job.shop_id, ContactImportChunk.import_id == job.id
        )
    )


def _give_up(shop_id: int, import_id: int) -> None:
    with unit_of_work(shop_id):
        job = _claim(shop_id, import_id)
        if job:
            stuck = f"{job.done_rows + 1:,} to {job.done_rows + BATCH_ROWS:,}"
            _finish(job, failure=f"Rows {stuck} could not be stored. The rows before them are in.")


class _Fetch:
    """Reads the stored pieces of an import, inside whatever unit of work is open."""

    def __init__(self, job: ContactImport) -> None:
        self._pieces = select(ContactImportChunk.content).where(
            ContactImportChunk.shop_id == job.shop_id, ContactImportChunk.import_id == job.id
        )

    def __call__(self, number: int) -> bytes | None:
        session: Session = require_unit_of_work()
        return session.scalar(self._pieces.where(ContactImportChunk.seq == number))
