"""The shop's contacts: two imported lists with their mistakes, and a month of sign-ups."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.contacts import consent
from app.contacts.importing.rows import Problem, Row, read_row
from app.contacts.importing.service import rules_of
from app.core.uow import require_unit_of_work, unit_of_work
from app.demo.history import people_sql
from app.demo.history.calendar import Calendar
from app.demo.history.plan import FORM_WORDING
from app.demo.people import SEED, ContactList, make_contacts
from app.demo.people import Row as Line

FORM_SHARE = 0.15
OLD_LIST_SHARE = 0.8  # of the imported rows; the rest came later, from the till
OLD_LIST, TILL_LIST = "old-shop-customers.csv", "till-loyalty-cards.csv"


@dataclass
class TakenList:
    """What reading one list came to. `import_no` is 0 for the sign-up form."""

    filename: str
    import_no: int
    rows: dict[str, Row] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


def make_people(shop_id: int, count: int, calendar: Calendar) -> bool:
    """Give the shop its contacts, with their consents, orders and imports. False when it has some already."""
    with unit_of_work(shop_id) as session:
        consent.take_turn(shop_id)
        if session.scalar(people_sql.HAS_CONTACTS, {"shop_id": shop_id}):
            return False
        session.execute(people_sql.CHANCE)
        session.execute(people_sql.STAGE_TABLE)
        taken = _read(shop_id, make_contacts(count, SEED))
        moments = {1: calendar.at(34, 9, 20), 2: calendar.at(15, 12, 5)}
        ids = [0, *(_store_import(shop_id, one, moments[one.import_no]) for one in taken[1:])]
        for one in taken:
            session.execute(people_sql.STAGE, _arrays(one) | {"import_id": ids[one.import_no]})
        given = {
            "shop_id": shop_id,
            "now": calendar.now,
            "first_import_at": moments[1],
            "second_import_at": moments[2],
            "midnight": calendar.at(31, 0, 0),
        }
        session.execute(people_sql.DATE, given)
        session.execute(people_sql.ADD, {"shop_id": shop_id, "now": calendar.now})
        session.execute(people_sql.RECORD, {"shop_id": shop_id, "wording": FORM_WORDING})
    return True


def _read(shop_id: int, made: ContactList) -> list[TakenList]:
    """The lines as the importer understands them, parted by where they came from."""
    rules = rules_of(shop_id)
    form = round(len(made.rows) * FORM_SHARE)
    old = form + round((len(made.rows) - form) * OLD_LIST_SHARE)
    taken = [TakenList("", 0), TakenList(OLD_LIST, 1), TakenList(TILL_LIST, 2)]
    parts = (made.rows[:form], made.rows[form:old], made.rows[old:])
    seen: set[str] = set()
    for one, lines in zip(taken, parts, strict=True):
        for number, line in enumerate(lines, 1):
            row, problems = read_row(number, _given(line, is_form=not one.import_no), rules)
            one.problems += problems
            if row is None:
                one.counts["skipped"] += 1
            elif row.phone in seen:
                one.counts["updated"] += 1
            else:
                seen.add(row.phone)
                one.rows[row.phone] = row
                one.counts["created"] += 1
    return taken


def _given(line: Line, *, is_form: bool) -> dict[str, str]:
    return {
        "phoneE164": line.mobile,
        "firstName": line.first_name,
        "lastName": line.last_name,
        "email": line.email,
        "gender": line.gender,
        "birthDate": line.birth_date,
        "smsConsent": "opted_in" if is_form else line.sms_consent,
        "tags": "newsletter" if is_form else line.tags,
    }


def _store_import(shop_id: int, one: TakenList, at: datetime) -> int:
    session = require_unit_of_work()
    lines = sum(one.counts.values())
    given = {"shop_id": shop_id, "filename": one.filename, "at": at, "rows": lines, "bytes": lines * 72}
    counts = {name: one.counts[name] for name in ("created", "updated", "skipped")}
    warnings = len(one.problems) - one.counts["skipped"]
    import_id = session.execute(people_sql.STORE_IMPORT, given | counts | {"warnings": warnings}).scalar_one()
    columns = {
        "rows": [problem.row for problem in one.problems],
        "fields": [problem.field for problem in one.problems],
        "values": [problem.value for problem in one.problems],
        "messages": [problem.message for problem in one.problems],
    }
    session.execute(people_sql.STORE_IMPORT_ERRORS, {"shop_id": shop_id, "import_id": import_id, **columns})
    return int(import_id)


def _arrays(one: TakenList) -> dict[str, Any]:
    rows: Sequence[Row] = list(one.rows.values())
    columns: Iterable[str] = ("phone", "region", "first_name", "last_name", "email", "gender", "birth_date")
    arrays: dict[str, Any] = {name: [getattr(row, name) for row in rows] for name in columns}
    arrays["consent"] = [row.consent or "unknown" for row in rows]
    arrays["tags"] = [json.dumps(row.tags or []) for row in rows]
    arrays["source"] = "import" if one.import_no else "opt_in_form"
    arrays["import_no"] = one.import_no
    return arrays
