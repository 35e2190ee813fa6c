"""Reading messages for those above: totals from counters, single messages from indexes. Steps; no writes."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select, text
from sqlalchemy.engine import RowMapping

from app.core.uow import require_unit_of_work
from app.messaging.models import InboundMessage, Message, Run
from app.messaging.service.runs import Counts
from app.messaging.states import MessageState, Source

ID = re.compile(r"[0-9]{1,19}")
# Above so many contacts as many are looked at, evenly spread, and they stand for the others: a look-up for
# each of a million would take seconds.
LOOKED_AT_MOST = 1_000

# A run's messages lie together, right after `after_message_id`. The planner cannot know and would read the
# whole table; for the rest of this transaction it may only walk along an index.
WALK_ALONG_INDEXES = text("""
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
      set_config('enable_sort', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)""")

# A run that was not touched since the time began sent nothing in it, so each phone's older messages are
# passed over in the index. Of many contacts the next one behind each of so many places between the first id
# and the last is taken: two index look-ups a contact, however many there are.
ENGAGED = text("""
    WITH first_run AS MATERIALIZED (
      SELECT min(id) AS id FROM message_runs WHERE shop_id = :shop_id AND updated_at >= :starts_at),
    ends AS MATERIALIZED (
      SELECT (SELECT min(id) FROM contacts WHERE shop_id = :shop_id) AS first_id,
        (SELECT max(id) FROM contacts WHERE shop_id = :shop_id) AS last_id),
    looked_at AS MATERIALIZED (
      SELECT phone FROM contacts WHERE shop_id = :shop_id AND :looked_at >= :contacts
      UNION ALL
      SELECT c.phone FROM ends, generate_series(0, :looked_at - 1) AS place, LATERAL (
        SELECT phone FROM contacts
        WHERE shop_id = :shop_id AND id >= first_id + (last_id - first_id) * place / :looked_at
        ORDER BY id LIMIT 1) AS c
      WHERE :looked_at < :contacts)
    SELECT count(*) FROM looked_at WHERE EXISTS (
      SELECT 1 FROM messages m WHERE m.phone = looked_at.phone AND m.run_id >= (SELECT id FROM first_run)
        AND m.shop_id = :shop_id AND m.state = 'delivered' AND m.sent_at >= :starts_at
        AND m.sent_at < :ends_at)""")

# The counters say it all; only the last hour's calls are looked at one by one.
QUEUE_FIGURES = text("""
    SELECT coalesce(sum(pending) FILTER (WHERE is_open), 0)::bigint AS waiting,
      coalesce(sum(pending) FILTER (WHERE NOT is_open), 0)::bigint AS delayed,
      coalesce(sum(claimed), 0)::bigint AS active,
      coalesce(sum(sent + delivered + undelivered), 0)::bigint AS completed,
      coalesce(sum(failed + not_sent), 0)::bigint AS failed,
      coalesce(sum(pending + claimed + sent + delivered + undelivered + failed + not_sent), 0)::bigint
        AS total
    FROM message_runs WHERE shop_id = :shop_id""")
RECENT_CALLS = text("""
    SELECT count(*) FILTER (WHERE a.state = 'settled') AS settled,
      count(*) FILTER (WHERE a.state = 'expired') AS expired
    FROM message_runs r JOIN send_attempts a ON a.run_id = r.id
    WHERE r.shop_id = :shop_id AND r.updated_at > now() - interval '1 hour'
      AND a.finished_at > now() - interval '1 hour'""")


def queue_figures(shop_id: int) -> tuple[RowMapping, RowMapping]:
    """The shop's messages by where they are, and its provider calls of the last hour."""
    session, given = require_unit_of_work(), {"shop_id": shop_id}
    return (
        session.execute(QUEUE_FIGURES, given).mappings().one(),
        session.execute(RECENT_CALLS, given).mappings().one(),
    )


def totals(shop_id: int, source: Source | None = None, source_id: int | None = None) -> Counts:
    """All messages of the shop, or of one source's runs, by state: the sum of the runs' counters."""
    names = list(Counts.__dataclass_fields__)
    summed = select(*(func.coalesce(func.sum(getattr(Run, name)), 0).label(name) for name in names))
    summed = summed.where(Run.shop_id == shop_id)
    if source is not None:
        summed = summed.where(Run.source == source, Run.source_id == source_id)
    row = require_unit_of_work().execute(summed).one()
    return Counts(**{name: int(getattr(row, name)) for name in names})


def newest_messages(shop_id: int, limit: int) -> Sequence[Row[Any]]:
    """The shop's newest messages, with what `find_messages` gives of each."""
    newest = _shown().where(Message.shop_id == shop_id).order_by(Message.id.desc()).limit(limit)
    return require_unit_of_work().execute(newest).all()


def find_messages(shop_id: int, names: Collection[str]) -> dict[str, Row[Any]]:
    """The shop's messages that the carrier's ids, or our own ids, name. Other names are left out."""
    own = [int(name) for name in names if ID.fullmatch(name) and int(name) < 2**63]
    found = _shown().where(Message.shop_id == shop_id)
    session = require_unit_of_work()
    by_id = session.execute(found.where(Message.id.in_(own))).all() if own else []
    by_carrier = session.execute(found.where(Message.provider_message_id.in_(names))).all() if names else []
    return {str(row.id): row for row in by_id} | {row.provider_message_id: row for row in by_carrier}


def messages_of_run(
    shop_id: int, run_id: int, *, page: int, page_size: int
) -> tuple[int, Sequence[Row[Any]]]:
    """How many messages a run has, and one page of them in the order in which they were frozen.

    The last read of its transaction: see WALK_ALONG_INDEXES.
    """
    session = require_unit_of_work()
    run = session.scalars(select(Run).where(Run.shop_id == shop_id, Run.id == run_id)).one()
    total = sum(getattr(run, str(state)) for state in MessageState)
    offset = (page - 1) * page_size
    # Never ask for more rows than there are: after its last one the search would go on to the shop's newest.
    limit = min(page_size, total - offset)
    if limit <= 0:
        return total, []
    return total, _walk(_of_run(shop_id, run).limit(limit).offset(offset))


def in_flight(shop_id: int, run_id: int, limit: int) -> tuple[int, Sequence[Row[Any]]]:
    """How many of a run's messages were accepted and not reported on yet, and the first of them.

    The last read of its transaction: see WALK_ALONG_INDEXES.
    """
    session = require_unit_of_work()
    run = session.scalars(select(Run).where(Run.shop_id == shop_id, Run.id == run_id)).one()
    if not run.sent:
        return 0, []
    waiting = _of_run(shop_id, run).where(Message.state == MessageState.SENT)
    return run.sent, _walk(waiting.limit(min(limit, run.sent)))


def inbound_count(shop_id: int, starts_at: datetime, ends_at: datetime) -> int:
    """How many texts people sent to the shop in the time."""
    received = select(func.count()).where(
        InboundMessage.shop_id == shop_id,
        InboundMessage.received_at >= starts_at,
        InboundMessage.received_at < ends_at,
    )
    return require_unit_of_work().scalar(received) or 0


def engaged_contacts(shop_id: int, starts_at: datetime, ends_at: datetime, *, contacts: int) -> int:
    """How many of the shop's `contacts` got a message delivered that was sent in the time.

    Exact up to 1,000 contacts, an estimate from as many of them above.
    """
    if not contacts:
        return 0
    looked_at = min(contacts, LOOKED_AT_MOST)
    given = {"shop_id": shop_id, "starts_at": starts_at, "ends_at": ends_at}
    sized = {"looked_at": looked_at, "contacts": contacts}
    found = int(require_unit_of_work().execute(ENGAGED, given | sized).scalar_one())
    return min(round(found * contacts / looked_at), contacts)


def _shown() -> Select[Any]:
    columns: tuple[Any, ...] = (
        Message.id,
        Message.run_id,
        Message.contact_id,
        Message.phone,
        Message.parts,
        Message.state,
        Message.failure,
        Message.provider_message_id,
        Message.created_at,
        Message.sent_at,
        Message.updated_at,
        Run.source,
        Run.source_id,
        Run.sender,
    )
    return select(*columns).join(Run, (Run.shop_id == Message.shop_id) & (Run.id == Message.run_id))


def _of_run(shop_id: int, run: Run) -> Select[Any]:
    found = _shown().where(Message.shop_id == shop_id, Message.run_id == run.id)
    return found.where(Message.id > (run.after_message_id or 0)).order_by(Message.id)


def _walk(found: Select[Any]) -> Sequence[Row[Any]]:
    session = require_unit_of_work()
    session.execute(WALK_ALONG_INDEXES)
    return session.execute(found).all()


def texted_since(shop_id: int, phones: Collection[str], moment: datetime) -> dict[str, int]:
    """How many texts each of the phones has got from the shop since `moment`, or is about to get."""
    told = (
        select(Message.phone, func.count())
        .where(Message.phone.in_(phones), Message.shop_id == shop_id, Message.created_at >= moment)
        .where(Message.state.not_in((MessageState.SKIPPED, MessageState.FAILED, MessageState.NOT_SENT)))
        .group_by(Message.phone)
    )
    return {row[0]: row[1] for row in require_unit_of_work().execute(told)}


def totals_by_source(shop_id: int, source: Source) -> dict[int, Counts]:
    """The messages of each source's runs by state, from the counters."""
    names = list(Counts.__dataclass_fields__)
    summed = select(Run.source_id, *(func.sum(getattr(Run, name)).label(name) for name in names))
    summed = summed.where(Run.shop_id == shop_id, Run.source == source).group_by(Run.source_id)
    rows = require_unit_of_work().execute(summed)
    return {row.source_id: Counts(**{name: int(getattr(row, name)) for name in names}) for row in rows}
