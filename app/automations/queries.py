"""Automations in SQL: who enters, who is due, what became of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, text, update

from app.automations.catalogue import fired_by
from app.automations.models import Attempt, Automation, AutomationStatus, Entry, EntryStatus, Step, Trigger
from app.core.uow import require_unit_of_work

# The unique key (automation, contact, event) is what makes a repeated event harmless.
ENTER = text("""
    INSERT INTO automation_entries (shop_id, automation_id, contact_id, event_key, facts, due_at, entered_at)
    SELECT :shop_id, t.automation_id, t.contact_id, t.event_key, t.facts, t.due_at, :at
    FROM unnest(CAST(:automation_ids AS bigint[]), CAST(:contact_ids AS bigint[]),
                CAST(:event_keys AS text[]), CAST(:facts AS jsonb[]), CAST(:dues AS timestamptz[]))
      AS t (automation_id, contact_id, event_key, facts, due_at)
    ON CONFLICT (shop_id, automation_id, contact_id, event_key) DO NOTHING
    RETURNING id""")

# What is still to come of an event moves with the event: somebody goes on filling a cart.
POSTPONE = text("""
    UPDATE automation_entries SET due_at = greatest(due_at, CAST(:due_at AS timestamptz)), updated_at = now()
    WHERE shop_id = :shop_id AND automation_id = :automation_id AND contact_id = :contact_id
      AND event_key = :event_key AND status = 'waiting' AND next_step = 1""")

# The locks last until the steps are done, in the same transaction: no other worker sees the same entry.
CLAIM_DUE = text("""
    WITH due AS MATERIALIZED (
      SELECT e.id FROM automation_entries e
      JOIN automations a ON a.shop_id = e.shop_id AND a.id = e.automation_id AND a.status = 'active'
      WHERE e.shop_id = :shop_id AND e.status = 'waiting' AND e.due_at <= :now
      ORDER BY e.due_at, e.id LIMIT :most FOR UPDATE OF e SKIP LOCKED)
    SELECT e.id, e.automation_id, e.contact_id, e.event_key, e.facts, e.next_step, e.due_at, e.entered_at,
      a.trigger, a.conditions, s.message, n.delay_minutes AS next_delay
    FROM due JOIN automation_entries e ON e.id = due.id
    JOIN automations a ON a.shop_id = e.shop_id AND a.id = e.automation_id
    LEFT JOIN automation_steps s ON s.shop_id = e.shop_id AND s.automation_id = e.automation_id
      AND s.step_no = e.next_step
    LEFT JOIN automation_steps n ON n.shop_id = e.shop_id AND n.automation_id = e.automation_id
      AND n.step_no = e.next_step + 1
    ORDER BY e.due_at, e.id""")

SHOPS_WITH_DUE = text("""
    SELECT DISTINCT e.shop_id FROM automation_entries e
    JOIN automations a ON a.shop_id = e.shop_id AND a.id = e.automation_id AND a.status = 'active'
    WHERE e.status = 'waiting' AND e.due_at <= :now""")

ADVANCE = text("""
    UPDATE automation_entries e SET status = t.status, outcome = t.outcome, next_step = t.next_step,
      due_at = t.due_at, updated_at = now()
    FROM unnest(CAST(:ids AS bigint[]), CAST(:statuses AS text[]), CAST(:outcomes AS text[]),
                CAST(:next_steps AS smallint[]), CAST(:dues AS timestamptz[]))
      AS t (id, status, outcome, next_step, due_at)
    WHERE e.shop_id = :shop_id AND e.id = t.id""")

# New subscribers since the cursor, in the order in which their consents committed: changes of a shop's
# consent take turns, so ids commit in order. Who came with a list is no new subscriber.
LOCK_CURSOR = text("""
    INSERT INTO automation_cursors (shop_id) VALUES (:shop_id)
    ON CONFLICT (shop_id) DO UPDATE SET shop_id = excluded.shop_id RETURNING consent_event_id""")
NEW_SUBSCRIBERS = text("""
    SELECT id, contact_id, at FROM consent_events
    WHERE shop_id = :shop_id AND id > :after AND action = 'grant'
      AND source <> 'import' AND NOT evidence ? 'import'
    ORDER BY id LIMIT :most""")
MOVE_CURSOR = text("""
    UPDATE automation_cursors SET consent_event_id = :id WHERE shop_id = :shop_id""")
SHOPS_WITH_NEWS = text("""
    SELECT DISTINCT a.shop_id FROM automations a
    LEFT JOIN automation_cursors c ON c.shop_id = a.shop_id
    WHERE a.status = 'active' AND a.trigger = 'welcome' AND EXISTS (
      SELECT FROM consent_events ce WHERE ce.shop_id = a.shop_id AND ce.id > coalesce(c.consent_event_id, 0)
        AND ce.action = 'grant' AND ce.source <> 'import' AND NOT ce.evidence ? 'import')""")

# Adding whole years to 29 February gives the 28th in common years.
BIRTHDAYS = text("""
    INSERT INTO automation_entries (shop_id, automation_id, contact_id, event_key, due_at, entered_at)
    SELECT :shop_id, :automation_id, c.id, :event_key, :due_at, :now FROM contacts c
    WHERE c.shop_id = :shop_id AND c.consent = 'opted_in' AND c.birth_date < CAST(:today AS date)
      AND CAST(c.birth_date + make_interval(years =>
        CAST(extract(year FROM CAST(:today AS date)) - extract(year FROM c.birth_date) AS int))
        AS date) = :today
    ON CONFLICT (shop_id, automation_id, contact_id, event_key) DO NOTHING""")

# Once for each last order, and never twice within the cool-down.
INACTIVE = text("""
    INSERT INTO automation_entries (shop_id, automation_id, contact_id, event_key, facts, due_at, entered_at)
    SELECT :shop_id, :automation_id, c.id, 'inactive:' || CAST(c.last_order_at AS date),
      jsonb_build_object('values', jsonb_build_object('customer.daysSinceLastOrder',
        CAST(CAST(:now AS date) - CAST(c.last_order_at AS date) AS text))), :due_at, :now
    FROM contacts c
    WHERE c.shop_id = :shop_id AND c.consent = 'opted_in'
      AND c.last_order_at <= CAST(:now AS timestamptz) - make_interval(days => :days)
      AND c.last_order_at > CAST(:now AS timestamptz) - make_interval(days => :days + 30)
      AND NOT EXISTS (SELECT FROM automation_entries e WHERE e.shop_id = c.shop_id AND e.contact_id = c.id
        AND e.automation_id = :automation_id
        AND e.entered_at > CAST(:now AS timestamptz) - interval '30 days')
    ON CONFLICT (shop_id, automation_id, contact_id, event_key) DO NOTHING""")


def active_for(shop_id: int, event: Trigger) -> Sequence[Row[Any]]:
    """The shop's active automations that `event` fires, with the delay of their first step."""
    found = (
        select(
            Automation.id,
            Automation.trigger,
            Automation.conditions,
            Automation.activated_at,
            Step.delay_minutes,
        )
        .join(Step, (Step.shop_id == Automation.shop_id) & (Step.automation_id == Automation.id))
        .where(Automation.shop_id == shop_id, Automation.status == AutomationStatus.ACTIVE)
        .where(Automation.trigger.in_(fired_by(event)), Step.step_no == 1)
        .order_by(Automation.id)
    )
    return require_unit_of_work().execute(found).all()


def active_everywhere(event: Trigger) -> Sequence[Row[Any]]:
    """(shop_id, id, conditions) of every active automation that `event` fires."""
    found = select(Automation.shop_id, Automation.id, Automation.conditions).where(
        Automation.status == AutomationStatus.ACTIVE, Automation.trigger.in_(fired_by(event))
    )
    return require_unit_of_work().execute(found.order_by(Automation.shop_id, Automation.id)).all()


def new_subscribers(shop_id: int, most: int) -> Sequence[Row[Any]]:
    """Who has consented since the last call that committed: contact_id, at."""
    session = require_unit_of_work()
    after = session.scalar(LOCK_CURSOR, {"shop_id": shop_id})
    found = session.execute(NEW_SUBSCRIBERS, {"shop_id": shop_id, "after": after, "most": most}).all()
    if found:
        session.execute(MOVE_CURSOR, {"shop_id": shop_id, "id": found[-1].id})
    return found


def enter(shop_id: int, rows: Sequence[Mapping[str, Any]], *, at: datetime) -> int:
    """Put contacts into automations, each once for its event; how many were new."""
    values = {
        "shop_id": shop_id,
        "at": at,
        "automation_ids": [row["automation_id"] for row in rows],
        "contact_ids": [row["contact_id"] for row in rows],
        "event_keys": [row["event_key"] for row in rows],
        "facts": [json.dumps(row["facts"]) for row in rows],
        "dues": [row["due_at"] for row in rows],
    }
    return len(require_unit_of_work().execute(ENTER, values).all()) if rows else 0


def advance(shop_id: int, moves: Sequence[Mapping[str, Any]]) -> None:
    """Move entries on, one statement for all."""
    values: dict[str, Any] = {"shop_id": shop_id}
    values["ids"] = [move["id"] for move in moves]
    values["statuses"] = [move["status"] for move in moves]
    values["outcomes"] = [move["outcome"] for move in moves]
    values["next_steps"] = [move["next_step"] for move in moves]
    values["dues"] = [move["due_at"] for move in moves]
    require_unit_of_work().execute(ADVANCE, values)


def record(attempts: Sequence[Mapping[str, Any]]) -> None:
    """Note what became of steps."""
    if attempts:
        require_unit_of_work().execute(insert(Attempt), list(attempts))


def leave(shop_id: int, automation_id: int, outcome: str) -> None:
    """End what still waits in an automation."""
    require_unit_of_work().execute(
        update(Entry)
        .where(Entry.shop_id == shop_id, Entry.automation_id == automation_id)
        .where(Entry.status == EntryStatus.WAITING)
        .values(status=EntryStatus.LEFT, outcome=outcome)
    )


def steps_of(shop_id: int, automation_ids: Collection[int]) -> dict[int, list[Step]]:
    """The steps of automations, in order."""
    found = select(Step).where(Step.shop_id == shop_id, Step.automation_id.in_(automation_ids))
    steps: dict[int, list[Step]] = {automation_id: [] for automation_id in automation_ids}
    for step in require_unit_of_work().scalars(found.order_by(Step.automation_id, Step.step_no)):
        steps[step.automation_id].append(step)
    return steps


TOO_LATE = timedelta(days=3)
