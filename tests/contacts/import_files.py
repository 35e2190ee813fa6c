"""Lists as shop owners have them, and how to import one."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.contacts.jobs import run_import
from app.core.uow import unit_of_work
from app.shops.models import Shop
from tests import build

HEADER = ["Phone", "First name", "Last name", "E-mail", "Gender", "Birth date", "SMS consent", "Tags"]
CONTACTS = sa.text("""
SELECT phone, region, email, first_name, last_name, gender, birth_date, tags, consent, consent_source,
       consent_at IS NOT NULL AS has_consent_at, unsubscribed_at IS NOT NULL AS has_unsubscribed_at
FROM contacts WHERE shop_id = :shop_id ORDER BY phone""")
EVENTS = sa.text("""
SELECT e.phone, e.action, e.source, e.evidence -> 'row' AS row, c.phone = e.phone AS is_linked
FROM consent_events e JOIN contacts c ON c.id = e.contact_id
WHERE e.shop_id = :shop_id ORDER BY e.phone, e.action""")
SUPPRESSED = sa.text("SELECT phone, source FROM suppressions WHERE shop_id = :shop_id ORDER BY phone")


def csv_file(rows: Iterable[Sequence[object]], *, encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def mixed_rows(count: int) -> list[list[str]]:
    """A header and `count` rows: most are good, some bad in every way we know, some about the same phone."""
    chance = random.Random(22)  # noqa: S311
    rows = [HEADER]
    for _ in range(count):
        phone = f"+3069{chance.randrange(count * 3):08}"
        rows.append(
            [
                chance.choice(
                    [phone] * 20 + ["", "2101234567", "not a phone", "69 1", phone.replace("+", "00")]
                ),
                chance.choice(
                    ["Μαρία", "Γιώργος", "Anna 👩‍👩‍👧", 'O"Neil', "a\x00b", "back\\slash", "x" * 120, ""]
                ),
                chance.choice(["Παπαδόπουλος", "two\nlines", "tab\there", "N'", ""]),
                chance.choice([f"user{chance.randrange(count)}@example.com"] * 5 + ["junk", "a@b", ""]),
                chance.choice(["male", "Female", "?", ""]),
                chance.choice(["1990-05-15", "15/05/1990", "1990-13-01", "2999-01-01", ""]),
                chance.choice(["opted_in", "opted_in", "opted_out", "unknown", "maybe", ""]),
                chance.choice(["VIP", "VIP;Athens", '"quoted" {tag}|b\\', ""]),
            ]
        )
    return rows


def upload(client: FlaskClient, shop: Shop, content: bytes, filename: str = "contacts.csv") -> TestResponse:
    # By hand: the test client forgets to close the temporary file in which it would build a large body.
    head = f'--line\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\n'
    return client.post(
        "/contacts/import",
        data=head.encode() + content + b"\r\n--line--\r\n",
        content_type="multipart/form-data; boundary=line",
        headers=build.auth(shop),
    )


def import_file(client: FlaskClient, shop: Shop, content: bytes) -> dict[str, Any]:
    """Upload the file, run its job, and give the import as the client sees it."""
    accepted = upload(client, shop, content)
    assert accepted.status_code == 202, accepted.json
    import_id = accepted.json["data"]["importId"]
    run_import(shop.id, int(import_id))
    return show(client, shop, import_id)


def show(client: FlaskClient, shop: Shop, import_id: object) -> dict[str, Any]:
    response = client.get(f"/contacts/imports/{import_id}", headers=build.auth(shop))
    assert response.status_code == 200, response.json
    return dict(response.json["data"])


def errors(client: FlaskClient, shop: Shop, import_id: object) -> list[dict[str, Any]]:
    response = client.get(f"/contacts/imports/{import_id}/errors?pageSize=100", headers=build.auth(shop))
    assert response.status_code == 200, response.json
    return list(response.json["data"]["errors"])


def state(shop: Shop) -> dict[str, list[Any]]:
    """Everything that an import may change, without ids and times."""
    with unit_of_work(shop.id) as session:
        return {
            name: [tuple(row) for row in session.execute(query, {"shop_id": shop.id})]
            for name, query in (("contacts", CONTACTS), ("events", EVENTS), ("suppressed", SUPPRESSED))
        }


def pieces_left(shop: Shop) -> int:
    with unit_of_work(shop.id) as session:
        return int(session.scalar(sa.text("SELECT count(*) FROM contact_import_chunks")) or 0)
