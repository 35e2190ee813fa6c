"""Imports as a shop owner knows them: take this list, take this file, how far is it, what was wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import IO, Any

from sqlalchemy import func, insert, select, text, tuple_
from sqlalchemy.exc import IntegrityError

from app.contacts.importing import merging
from app.contacts.importing.rows import Problem, Row, Rules, clean, presentable, read_row
from app.contacts.models import ContactImport, ContactImportChunk, ContactImportError, ImportStatus
from app.core.activity import record
from app.core.clock import now
from app.core.errors import NotFound, ValidationFailed
from app.core.http import Page
from app.core.queue import wake
from app.core.uow import after_commit, require_unit_of_work, unit_of_work
from app.shops import service as shops

ROWS_MAX = 1000
CHUNK_BYTES = 1024 * 1024
ERRORS_AT_ONCE = 5000
FILENAME_MAX = 255
ATTEMPTS = 3
UNFINISHED = (ImportStatus.WAITING, ImportStatus.RUNNING)

ONE_UPLOAD_AT_A_TIME = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('upload ' || :shop_id || :digest, 0))"
)


@dataclass(frozen=True)
class ImportResult:
    """What became of a list: `created` + `updated` + `skipped` = `total`; `problems` has the warnings too."""

    total: int
    created: int
    updated: int
    skipped: int
    problems: list[Problem]


def import_rows(shop_id: int, rows: Sequence[object], *, request_id: str | None = None) -> ImportResult:
    """Create or update a contact for each usable row, in one transaction. Doing it again updates.

    Raises ValidationFailed for no rows, or more than 1000; never for a bad row.
    """
    if not 1 <= len(rows) <= ROWS_MAX:
        raise ValidationFailed("contacts", f"must have between 1 and {ROWS_MAX} rows")
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with unit_of_work(shop_id):
                record(shop_id, "import.started", "contact_import", rows=len(rows))
                return _import_rows(shop_id, rows, {"requestId": request_id} if request_id else {})
        except IntegrityError:
            # Another transaction has just taken an e-mail of ours. The next attempt sees whose it is.
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _import_rows(shop_id: int, rows: Sequence[object], evidence: dict[str, Any]) -> ImportResult:
    rules = rules_of(shop_id)
    contacts: list[Row] = []
    problems: list[Problem] = []
    for number, given in enumerate(rows, 1):
        if not isinstance(given, Mapping):
            problems.append(
                Problem(number, "contacts", presentable(given), "This row is not an object.", None)
            )
            continue
        contact, found = read_row(number, _under_main_names(given), rules)
        problems += found
        if contact:
            contacts.append(contact)
    merged = merging.merge(shop_id, contacts, evidence)
    problems = sorted(problems + merged.problems, key=lambda problem: problem[:2])
    skipped = len(rows) - len(contacts)
    return ImportResult(len(rows), merged.created, merged.updated, skipped, problems)


def _under_main_names(given: Mapping[str, object]) -> dict[str, object]:
    return {
        **given,
        "phoneE164": given.get("phoneE164") or given.get("phone"),
        "birthDate": given.get("birthDate") or given.get("birthday"),
    }


def rules_of(shop_id: int) -> Rules:
    """How this shop's lists are read. A step."""
    shop = shops.find_shop(shop_id)
    zone = shops.zone_of(shop)
    return Rules(shop.country, zone, now().astimezone(zone).date())


def accept_file(shop_id: int, filename: str, file: IO[bytes]) -> ContactImport:
    """Store a CSV file and ring for its import. Reads `file` (seekable) twice, a piece at a time.

    The same bytes again, while their import is unfinished, give that import. Raises ValidationFailed for an
    empty file; whatever else is wrong with it, the import will say.
    """
    digest, size = _measure(file)
    if not size:
        raise ValidationFailed("file", "is empty")
    with unit_of_work(shop_id) as session:
        session.execute(ONE_UPLOAD_AT_A_TIME, {"shop_id": str(shop_id), "digest": digest})
        found = session.scalar(
            select(ContactImport)
            .where(ContactImport.shop_id == shop_id, ContactImport.status.in_(UNFINISHED))
            .where(ContactImport.file_sha256 == digest)
        )
        accepted = found or ContactImport(
            shop_id=shop_id, filename=_short(filename), file_sha256=digest, size_bytes=size
        )
        if not found:
            session.add(accepted)
            session.flush()  # the pieces need the id
            session.refresh(accepted)
            _store_pieces(accepted, file)
            record(shop_id, "import.started", "contact_import", accepted.id, bytes=size)
        after_commit(lambda: wake("contacts.run_import", shop_id, accepted.id))
    return accepted


def _measure(file: IO[bytes]) -> tuple[str, int]:
    """SHA-256 and length."""
    digest = hashlib.sha256()
    size = 0
    while content := file.read(CHUNK_BYTES):
        digest.update(content)
        size += len(content)
    return digest.hexdigest(), size


def _store_pieces(accepted: ContactImport, file: IO[bytes]) -> None:
    session = require_unit_of_work()
    file.seek(0)
    seq = 0
    while content := file.read(CHUNK_BYTES):
        keys = {"shop_id": accepted.shop_id, "import_id": accepted.id, "seq": seq}
        session.execute(insert(ContactImportChunk).values(**keys, content=content))
        seq += 1


def _short(filename: str) -> str:
    # Windows paths, because some browsers send them; a slash ends a folder there too.
    name, _ = clean(PureWindowsPath(filename).name)
    return name[-FILENAME_MAX:] or "contacts.csv"


def find_import(shop_id: int, import_id: int) -> ContactImport:
    """The import. Raises NotFound."""
    with unit_of_work(shop_id) as session:
        found = session.get(ContactImport, import_id, populate_existing=True)
    if found is None or found.shop_id != shop_id:
        raise NotFound("There is no such import.")
    return found


def imports(shop_id: int, *, page: int, page_size: int) -> Page[ContactImport]:
    """The shop's imports, newest first."""
    mine = ContactImport.shop_id == shop_id
    newest = select(ContactImport).where(mine).order_by(ContactImport.id.desc())
    with unit_of_work(shop_id) as session:
        total = session.scalar(select(func.count()).select_from(ContactImport).where(mine)) or 0
        rows = session.scalars(
            newest.limit(page_size).offset((page - 1) * page_size).execution_options(populate_existing=True)
        ).all()
    return Page(rows, total, page, page_size)


def errors(shop_id: int, import_id: int, *, page: int, page_size: int) -> Page[ContactImportError]:
    """What was wrong with the file's rows, in the order of the file. Raises NotFound."""
    found = find_import(shop_id, import_id)
    with unit_of_work(shop_id) as session:
        rows = session.scalars(
            _errors(shop_id, import_id).limit(page_size).offset((page - 1) * page_size)
        ).all()
    return Page(rows, found.skipped + found.warnings, page, page_size)


def all_errors(shop_id: int, import_id: int) -> Iterator[ContactImportError]:
    """The same as `errors`, all of them, read in portions; none for another shop's import."""
    after = (-1, "")
    key = tuple_(ContactImportError.row, ContactImportError.field)
    while True:
        with unit_of_work(shop_id) as session:
            portion = session.scalars(
                _errors(shop_id, import_id).where(key > after).limit(ERRORS_AT_ONCE)
            ).all()
            session.expunge_all()
        yield from portion
        if len(portion) < ERRORS_AT_ONCE:
            return
        after = (portion[-1].row, portion[-1].field)


def _errors(shop_id: int, import_id: int) -> Any:
    return (
        select(ContactImportError)
        .where(ContactImportError.shop_id == shop_id, ContactImportError.import_id == import_id)
        .order_by(ContactImportError.row, ContactImportError.field)
    )
