"""Doing what is due: judge, freeze the messages, note what became of each step, move the entries on.

One transaction for a batch. The entries are locked in it, and their messages, their credits and their next
step commit together: whatever dies, a step is done once or is still due.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.automations import queries
from app.automations.calendar import later
from app.automations.catalogue import facts_of
from app.automations.models import AttemptOutcome, Automation, EntryStatus, Trigger
from app.automations.service import judging
from app.automations.service.judging import Situation
from app.automations.wording import code_in, links_in, wording_of
from app.contacts.standing import Standing
from app.core.clock import now
from app.core.uow import across_shops, require_unit_of_work, savepoint, unit_of_work
from app.credits.errors import InsufficientCredits
from app.discounts.service.giving import note_code
from app.messaging.service import freezing, runs
from app.messaging.service.capping import OVER_CAP
from app.messaging.service.freezing import Recipient
from app.messaging.states import RunKind, Source
from app.shops import service as shops
from app.shops.errors import ShopNotFound
from app.shops.models import Shop

BATCH = 200
SECONDS = 20.0
Result = tuple[AttemptOutcome, str | None, int | None]  # outcome, reason, message id


def shops_with_due() -> Sequence[int]:
    """The shops in which a step is due."""
    with across_shops("due steps of all shops are rung for") as session:
        return session.scalars(queries.SHOPS_WITH_DUE, {"now": now()}).all()


def work(shop_id: int) -> bool:
    """Do the shop's due steps for a while. True when more may be due. Safe in several workers at once."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if _work_batch(shop_id) < BATCH:
            return False
    return True


def _work_batch(shop_id: int) -> int:
    at = now()
    with unit_of_work(shop_id) as session:
        try:
            shop = shops.find_shop(shop_id)
        except ShopNotFound:
            return 0  # uninstalled: what waits may go on after a reinstall, unless it is too late then
        due = session.execute(queries.CLAIM_DUE, {"shop_id": shop_id, "now": at, "most": BATCH}).all()
        if due:
            results = _results(shop, due, judging.look(shop_id, due, at))
            _note(shop_id, due, results, at)
            queries.advance(shop_id, [_move(entry, results[entry.id], at, shop) for entry in due])
    return len(due)


def _results(shop: Shop, due: Sequence[Any], situation: Situation) -> dict[int, Result]:
    results: dict[int, Result] = {}
    going: defaultdict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for entry in due:
        reason = "no_such_step" if entry.message is None else judging.objection(entry, situation)
        if reason:
            results[entry.id] = (AttemptOutcome.SKIPPED, reason, None)
            continue
        given = entry.facts.get("links", {})
        present = tuple(name for name in links_in(entry.message) if given.get(name))
        going[entry.automation_id, entry.next_step, present].append(entry)
    for (_, _, links), entries in sorted(going.items()):
        results |= _freeze(shop, entries, links, situation)
    return results


def _freeze(
    shop: Shop, entries: Sequence[Any], links: Sequence[str], situation: Situation
) -> dict[int, Result]:
    """Freeze one text for those who get it, as many as the credits suffice for."""
    first = entries[0]
    _lock(shop.id, first.automation_id)
    facts = facts_of(Trigger(first.trigger))
    run_id = freezing.run_for(
        shop.id,
        Source.AUTOMATION,
        first.automation_id,
        wording_of(first.message, first.conditions, shop, links),
        sender=shops.sender_of(shop),
        kind=RunKind.TRANSACTIONAL if facts.is_transactional else RunKind.MARKETING,
    )
    note_code(shop.id, run_id, code_in(first.message, first.conditions))
    people = [_recipient(entry, situation.contacts[entry.contact_id]) for entry in entries]
    too_dear = freezing.over_cap(shop.id, run_id, people)
    made = _freeze_affordable(shop.id, run_id, [one for one in people if one.event_key not in too_dear])
    if made:
        runs.ring(shop.id, run_id, urgent=facts.is_transactional)
    results: dict[int, Result] = {}
    for entry, person in zip(entries, people, strict=True):
        message_id = made.get(person.event_key)
        reason = OVER_CAP if person.event_key in too_dear else "insufficient_credits"
        results[entry.id] = (
            (AttemptOutcome.SENT, None, message_id) if message_id else (AttemptOutcome.SKIPPED, reason, None)
        )
    return results


def _freeze_affordable(shop_id: int, run_id: int, people: Sequence[Recipient]) -> dict[str, int]:
    """Freeze all, or, when the credits do not suffice, halves of them: the first ones come first."""
    if not people:
        return {}
    try:
        with savepoint():
            return freezing.freeze_people(shop_id, run_id, people)
    except InsufficientCredits:
        if len(people) == 1:
            return {}
    half = len(people) // 2
    made = _freeze_affordable(shop_id, run_id, people[:half])
    return made | _freeze_affordable(shop_id, run_id, people[half:])


def _lock(shop_id: int, automation_id: int) -> None:
    """Two workers with the same new words take turns to make their run."""
    require_unit_of_work().execute(
        select(Automation.id)
        .where(Automation.shop_id == shop_id, Automation.id == automation_id)
        .with_for_update(key_share=True)
    )


def _recipient(entry: Any, contact: Standing) -> Recipient:
    values: dict[str, str | None] = {
        **entry.facts.get("values", {}),
        **entry.facts.get("links", {}),
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "customer.displayName": contact.display_name,
    }
    return Recipient(contact.phone, contact.id, f"{entry.id}:{entry.next_step}", values)


def _note(shop_id: int, due: Sequence[Any], results: Mapping[int, Result], at: datetime) -> None:
    attempts = []
    for entry in due:
        outcome, reason, message_id = results[entry.id]
        step = {"entry_id": entry.id, "step_no": entry.next_step, "contact_id": entry.contact_id, "at": at}
        automation = {"shop_id": shop_id, "automation_id": entry.automation_id, "trigger": entry.trigger}
        attempts.append(
            {**automation, **step, "outcome": outcome, "reason": reason, "message_id": message_id}
        )
    queries.record(attempts)


def _move(entry: Any, result: Result, at: datetime, shop: Shop) -> dict[str, Any]:
    outcome, reason, _ = result
    move = {"id": entry.id, "next_step": entry.next_step, "due_at": entry.due_at}
    if reason and judging.ends(reason):
        return {**move, "status": EntryStatus.LEFT, "outcome": reason}
    if entry.next_delay is None:
        return {**move, "status": EntryStatus.FINISHED, "outcome": reason or outcome}
    due_at = later(
        max(entry.due_at, at) if entry.next_delay % 1440 else entry.due_at,
        entry.next_delay,
        shops.zone_of(shop),
    )
    return {
        **move,
        "status": EntryStatus.WAITING,
        "outcome": None,
        "next_step": entry.next_step + 1,
        "due_at": due_at,
    }
