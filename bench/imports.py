"""A file of contacts taken in, beside COPY of the same rows into a table with the same indexes."""

from __future__ import annotations

import itertools
from io import BytesIO, StringIO

from app.billing import service as billing
from app.contacts.importing import running
from app.contacts.importing.service import accept_file, find_import
from bench.arena import Arena
from bench.measuring import in_turns, seconds
from bench.results import Result, Results, Target

ROWS = 100_000
RATIO = Target("ratio", "<=", 4)
TURNS = 3
MAKE_TWIN = "CREATE TABLE IF NOT EXISTS bench_contacts (LIKE contacts INCLUDING ALL)"
COPY_TWIN = """
    COPY bench_contacts (shop_id, phone, region, first_name, last_name, email, gender, birth_date, consent,
                         consent_at, consent_source) FROM STDIN"""
COLUMNS = "phone,firstName,lastName,email,gender,birthDate,smsConsent"
numbers = itertools.count(1)


def bench_imports(arena: Arena, results: Results, size: int) -> None:
    """New contacts of new shops; never more than the 100,000 that a target is set for."""
    rows = size
    if rows > ROWS:
        return
    with arena.owner.connect() as connection:
        connection.exec_driver_sql(MAKE_TWIN)
    pair = in_turns(lambda: _import(rows), lambda: _copy(arena, rows), min(TURNS, arena.turns(rows)))
    target = RATIO if rows == ROWS else None
    results.add(Result(f"import.csv_{rows // 1000}k", rows, pair.first, "s", pair.second, target, pair.n))


def _import(rows: int) -> float:
    """Seconds of the job for a new shop; the upload is not counted."""
    shop = billing.open_shop(f"bench-import-{next(numbers)}.myshopify.com")
    lines = (",".join(_values(n)) for n in range(rows))
    accepted = accept_file(shop.id, "people.csv", BytesIO("\n".join([COLUMNS, *lines]).encode()))
    taken = seconds(lambda: running.run_import(shop.id, accepted.id))
    done = find_import(shop.id, accepted.id)
    assert (done.status, done.created, done.skipped) == ("completed", rows, 0), done.failure
    return taken


def _copy(arena: Arena, rows: int) -> float:
    consent = ("2026-01-01 10:00:00+00", "import")
    lines = "".join(
        "\t".join(("1", phone, "GR", *rest, "opted_in", *consent)) + "\n"
        for phone, *rest, _ in map(_values, range(rows))
    )
    with arena.owner.connect() as connection:
        connection.exec_driver_sql("TRUNCATE bench_contacts")
        cursor = connection.connection.cursor()
        return seconds(lambda: cursor.copy_expert(COPY_TWIN, StringIO(lines)))


def _values(n: int) -> tuple[str, ...]:
    first_name = ("Ελένη", "Maria", "Nikos")[n % 3]
    birth_date = f"{1960 + n % 45}-{1 + n % 12:02}-{1 + n % 28:02}"
    phone, email = f"+3069{(n * 7919) % 100_000_000:08}", f"person-{n}@example.com"
    return phone, first_name, "Papadopoulos", email, ("male", "female")[n % 2], birth_date, "opted_in"
