"""Links in texts: what a token names, who clicked, which run an opt-out belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from app.core.cache import changed
from app.core.settings import settings
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.messaging.link_tokens import OPT_OUT_LINK, read_token

# Array subscripts start at 1 like our link numbers; past the end Postgres gives NULL. A link that is a merge
# tag leads to the message's own address of that name.
FIND_LINK = text("""
    SELECT m.shop_id, m.run_id, m.contact_id, m.phone,
      CASE WHEN r.links[:link_no] LIKE '{{%}}' THEN m.merge ->> trim(BOTH '{}' FROM r.links[:link_no])
           ELSE r.links[:link_no] END AS destination
    FROM messages m JOIN message_runs r ON r.shop_id = m.shop_id AND r.id = m.run_id
    WHERE m.id = :message_id""")

# Two links of one message may be opened at once; taking turns makes "the first click of the message" a fact.
# Nobody waits long for a statistic: the timeout is set before the lock is asked for.
TAKE_TURN = text("""
    SELECT set_config('lock_timeout', '500', true),
           pg_advisory_xact_lock(hashtextextended('click on ' || :message_id, 0))""")

COUNT_CLICK = text("""
    WITH clicked AS (
      INSERT INTO click_events (shop_id, run_id, message_id, contact_id, link_no)
      VALUES (:shop_id, :run_id, :message_id, :contact_id, :link_no)
      ON CONFLICT (message_id, link_no) DO NOTHING
      RETURNING message_id)
    UPDATE message_runs SET clicked = clicked + 1, updated_at = now()
    WHERE shop_id = :shop_id AND id = :run_id
      AND EXISTS (SELECT FROM clicked)
      -- this statement cannot see its own insert: what it sees are earlier clicks
      AND NOT EXISTS (SELECT FROM click_events earlier WHERE earlier.message_id = :message_id)""")

COUNT_OPT_OUT = text(
    "UPDATE message_runs SET opted_out = opted_out + 1, updated_at = now() WHERE id = :run_id"
)


@dataclass(frozen=True)
class FoundLink:
    """One link of one message. `destination` is None for the opt-out link."""

    shop_id: int
    message_id: int
    run_id: int
    contact_id: int | None
    phone: str
    link_no: int
    destination: str | None

    @property
    def is_opt_out(self) -> bool:
        return self.link_no == OPT_OUT_LINK


def find_link(token: str) -> FoundLink | None:
    """What a token leads to; None when we did not make it, or its message or link is gone."""
    named = read_token(token, *settings().link_secrets)
    if named is None:
        return None
    with across_shops("a public token names a message, not a shop") as session:
        row = session.execute(FIND_LINK, {"message_id": named.message_id, "link_no": named.link_no}).first()
    if row is None or (row.destination is None and named.link_no != OPT_OUT_LINK):
        return None
    return FoundLink(**row._asdict(), message_id=named.message_id, link_no=named.link_no)


def count_click(found: FoundLink) -> None:
    """Record a click, once per link of a message; the run counts the messages that were clicked."""
    click = {
        "shop_id": found.shop_id,
        "run_id": found.run_id,
        "message_id": found.message_id,
        "contact_id": found.contact_id,
        "link_no": found.link_no,
    }
    with unit_of_work(found.shop_id) as session:
        session.execute(TAKE_TURN, {"message_id": str(found.message_id)})
        session.execute(COUNT_CLICK, click)
        changed(found.shop_id, "figures")


def count_opt_out(run_id: int) -> None:
    """Count that a message of this run made somebody opt out. A step; the caller knows that it is news."""
    require_unit_of_work().execute(COUNT_OPT_OUT, {"run_id": run_id})
