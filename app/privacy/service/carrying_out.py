"""Carrying out what was asked for, in steps that each commit: a process may die after any of them."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Row, text

from app.contacts import consent, suppressed_hashes
from app.core.clock import now
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.messaging.service import erasing
from app.messaging.service.erasing import Phones
from app.privacy import queries, tables
from app.privacy.models import Kind, Status
from app.privacy.service.subjects import Subject, subject_of
from app.shops.models import Shop, ShopStatus

log = structlog.get_logger(__name__)
SECONDS = 30.0
MOST = 5000  # rows in one transaction
EVENTS_MAX = 1_000_000  # consent events of one person, in one transaction
REINSTALLED = "the shop has the app installed"


class OutOfTime(Exception):
    """The job's share of time is over; the rest comes with the next ring."""


class ShopIsInstalled(Exception):
    """The shop has come back: what it has is its own again."""


@dataclass(frozen=True)
class Task:
    """One request that is being carried out, `most` rows a transaction, until the deadline."""

    shop_id: int
    id: int
    inbox_id: int
    deadline: float
    most: int

    def check_time(self) -> None:
        """Raises OutOfTime."""
        if time.monotonic() > self.deadline:
            raise OutOfTime


def waiting_shops() -> list[int]:
    """Shops with something that waits to be erased. Who asked for data waits for the merchant, not for us."""
    with across_shops("requests wait in every shop") as session:
        return list(session.scalars(queries.WAITING_SHOPS))


def carry_out(shop_id: int, *, seconds: float = SECONDS, most: int = MOST) -> bool:
    """Work on the shop's requests that wait, oldest first. True when time ran out before they were done.

    Doing a request again does what is left of it. A request that must wait (a text is on its way at this
    moment) holds up none behind it.
    """
    deadline = time.monotonic() + seconds
    after = 0
    while request := _next(shop_id, after):
        after = request.id
        task = Task(shop_id, request.id, request.inbox_id, deadline, most)
        try:
            if request.kind == Kind.CUSTOMER_REDACT:
                _erase_customer(task)
            else:
                _erase_shop(task)
        except OutOfTime:
            return True
        except ShopIsInstalled:
            _settle(task, Status.DECLINED, REINSTALLED)
    return False


def _next(shop_id: int, after: int) -> Row[Any] | None:
    with unit_of_work(shop_id) as session:
        return session.execute(queries.NEXT_WAITING, {"shop_id": shop_id, "after": after}).first()


def _erase_customer(task: Task) -> None:
    with unit_of_work(task.shop_id):
        subject = subject_of(task.shop_id, task.inbox_id)
    if subject is None:
        _settle(task, Status.DONE, "nobody is named any more")
        return
    _erase_messages(task, subject.phones)
    _erase_replies(task, subject.phones)
    _erase_rows(task, subject)
    # Whoever froze a campaign just before the contact went has written the number once more.
    _erase_messages(task, subject.phones)
    _close(task, subject.phones)


def _erase_rows(task: Task, subject: Subject) -> None:
    """The contact, and what hangs on it, in one transaction. The turn comes before the contact's row."""
    values = subject.values(task.shop_id, task.inbox_id)
    with unit_of_work(task.shop_id) as session:
        consent.take_turn(task.shop_id)
        counts = {"suppressions": suppressed_hashes.hide(task.shop_id, subject.phones)}
        counts["consent_events"] = session.scalar(queries.REDACT_CONSENT, {**values, "most": EVENTS_MAX}) or 0
        for table, statement in queries.ERASE.items():
            counts[table] = session.execute(statement, values).rowcount  # type: ignore[attr-defined]
        _count(task, counts)


def _erase_shop(task: Task) -> None:
    """Every transaction asks again whether the shop has come back meanwhile."""
    _erase_messages(task, None)
    _erase_replies(task, None)
    _hide_suppressions(task)
    for table in ("consent_events", *tables.EMPTIED):
        _empty(task, table)
    with unit_of_work(task.shop_id) as session:
        session.execute(queries.REVOKE_KEYS, {"shop_id": task.shop_id})
        session.execute(queries.SCRUB_RUNS, {"shop_id": task.shop_id})
        session.execute(queries.SCRUB_SHOP, {"shop_id": task.shop_id})
    _close(task, None)


def _erase_messages(task: Task, phones: Phones) -> None:
    for name, step in (("messages_skipped", erasing.skip_pending), ("messages", erasing.erase_people)):
        count = 1
        while count:
            task.check_time()
            with unit_of_work(task.shop_id):
                _check_shop(task, phones)
                count = step(task.shop_id, phones, task.most)
                _count(task, {name: count})


def _erase_replies(task: Task, phones: Phones) -> None:
    with unit_of_work(task.shop_id):
        _check_shop(task, phones)
        inbox_ids = list(erasing.replies_of(task.shop_id, phones))
    if inbox_ids:
        with across_shops("what people text stands in the inbox under no shop") as session:
            session.execute(queries.SCRUB_REPLIES, {"inbox_ids": inbox_ids})
    with unit_of_work(task.shop_id):
        _count(task, {"inbound_messages": erasing.forget_replies(task.shop_id, phones)})


def _empty(task: Task, table: str) -> None:
    """Empty a table, `most` rows a transaction; of consent events only the people."""
    statement = queries.REDACT_CONSENT if table == "consent_events" else text(tables.emptying(table))
    values = {"shop_id": task.shop_id, "inbox_id": task.inbox_id, "most": task.most, "phones": None}
    count = 1
    while count:
        task.check_time()
        with unit_of_work(task.shop_id) as session:
            _check_shop(task, None)
            done = session.execute(statement, values)
            count = int(done.scalar() or 0) if done.returns_rows else done.rowcount  # type: ignore[attr-defined]
            _count(task, {table: count})


def _hide_suppressions(task: Task) -> None:
    phones: list[str] | None = None
    while phones is None or phones:
        task.check_time()
        with unit_of_work(task.shop_id) as session:
            _check_shop(task, None)
            consent.take_turn(task.shop_id)
            values = {"shop_id": task.shop_id, "most": task.most}
            phones = list(session.scalars(queries.SUPPRESSED_PHONES, values))
            suppressed_hashes.hide(task.shop_id, phones)


def _close(task: Task, phones: Phones) -> None:
    """The request is done, unless a text is on its way to the carrier: the next sweep finds that settled."""
    with unit_of_work(task.shop_id) as session:
        if erasing.is_anybody_left(task.shop_id, phones):
            return
        session.execute(queries.SCRUB_REQUEST, {"shop_id": task.shop_id, "inbox_id": task.inbox_id})
    _settle(task, Status.DONE)


def _check_shop(task: Task, phones: Phones) -> None:
    """Raises ShopIsInstalled where all people (no `phones`) of an installed shop would be erased."""
    shop = require_unit_of_work().get(Shop, task.shop_id)
    if phones is None and (shop is None or shop.status != ShopStatus.UNINSTALLED):
        raise ShopIsInstalled


def _count(task: Task, counts: dict[str, int]) -> None:
    found = {name: count for name, count in counts.items() if count}
    if found:
        values = {"shop_id": task.shop_id, "id": task.id, "counts": json.dumps(found)}
        require_unit_of_work().execute(queries.COUNT, values)


def _settle(task: Task, status: Status, reason: str | None = None) -> None:
    values = {"shop_id": task.shop_id, "id": task.id, "status": status, "reason": reason, "at": now()}
    with unit_of_work(task.shop_id) as session:
        session.execute(queries.SETTLE, values)
    log.info("privacy_request_settled", shop_id=task.shop_id, request_id=task.id, status=status)
