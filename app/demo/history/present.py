"""What the shop is doing now, all of it through the services that a merchant's clients call."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from app.access.service import keys
from app.audiences.service import segments
from app.campaigns.errors import DuplicateName
from app.campaigns.queries import Campaign
from app.campaigns.service import editing, sending
from app.contacts.importing import running
from app.contacts.importing import service as imports
from app.core.uow import require_unit_of_work, unit_of_work
from app.demo.history.calendar import Calendar
from app.demo.history.plan import BUYERS, GUESTS, SEGMENTS, link
from app.demo.people import SEED, make_contacts
from app.templates import service as templates
from app.templates.queries import TemplateFilter

TRICKLE = timedelta(hours=5)
LIVE = "Winter collection"
FIRST_GUESTS = text("""
    SELECT id FROM contacts WHERE shop_id = :shop_id AND consent = 'opted_in' AND 'vip' = ANY (tags)
      AND birth_date IS NOT NULL ORDER BY id LIMIT 60""")
SEGMENTS_BY_NAME = text("SELECT name, id FROM segments WHERE shop_id = :shop_id AND kind = 'custom'")
# The workers take a message no earlier than this, so the campaign really is under way for hours, without
# slowing down anything else that the shop sends.
SPREAD = text("""
    UPDATE messages m SET send_after = now() + p.place * :seconds * interval '1 second' / p.of
    FROM (SELECT id, row_number() OVER (ORDER BY hashtext(phone)) - 40 AS place, count(*) OVER () AS of
          FROM messages
          WHERE shop_id = :shop_id AND run_id = :run_id AND state = 'pending') p
    WHERE m.id = p.id""")
USE = ("thank", "new", "sale", "wel", "back")
KEYS = (
    ("Till system", ["contacts:read", "contacts:write"]),
    ("Data warehouse", ["reports:read", "campaigns:read"]),
    ("Old newsletter tool", ["contacts:read"]),
)
# The past of keys that were made a moment ago: nothing has used them, so only SQL can say that something has.
AGE_KEYS = text("""
    UPDATE api_keys SET created_at = now() - interval '26 days',
      last_used_at = CASE name WHEN 'Till system' THEN now() - interval '40 minutes'
                               WHEN 'Data warehouse' THEN now() - interval '9 hours' END
    WHERE shop_id = :shop_id""")
HAS_KEYS = text("SELECT EXISTS (SELECT FROM api_keys WHERE shop_id = :shop_id)")
HAS_IMPORT = text("SELECT EXISTS (SELECT FROM contact_imports WHERE shop_id = :shop_id AND filename = :name)")
HAS_USE = text("SELECT EXISTS (SELECT FROM template_usage WHERE shop_id = :shop_id)")


def make_segments(shop_id: int) -> dict[str, int]:
    """The shop's own segments by name: three by rule, one list of members. Makes those that it lacks."""
    with unit_of_work(shop_id) as session:
        known = set(session.scalars(SEGMENTS_BY_NAME, {"shop_id": shop_id}))
        guests = list(session.scalars(FIRST_GUESTS, {"shop_id": shop_id}))
    for name, rule in SEGMENTS.items():
        if name not in known:
            segments.create_segment(shop_id, name=name, rule=rule)
    if GUESTS not in known:
        segments.create_segment(shop_id, name=GUESTS, contact_ids=guests)
    with unit_of_work(shop_id) as session:
        return dict(map(tuple, session.execute(SEGMENTS_BY_NAME, {"shop_id": shop_id})))


def use_templates(shop_id: int) -> None:
    """Give the shop its own set, and let it have started from some of them."""
    templates.ensure_defaults(shop_id)
    with unit_of_work(shop_id) as session:
        if session.scalar(HAS_USE, {"shop_id": shop_id}):
            return
    shown = templates.list_templates(shop_id, TemplateFilter(), offset=0, page_size=6)
    for place, one in enumerate(shown.items):
        for _ in range(6 - place):
            templates.track_use(shop_id, one.template.id)


def make_keys(shop_id: int) -> None:
    """Two keys that are in use and one that was revoked. Their secrets are shown to nobody."""
    with unit_of_work(shop_id) as session:
        if session.scalar(HAS_KEYS, {"shop_id": shop_id}):
            return
    made = [keys.create_key(shop_id, name=name, scopes=scopes) for name, scopes in KEYS]
    with unit_of_work(shop_id) as session:
        session.execute(AGE_KEYS, {"shop_id": shop_id})
    keys.revoke_key(shop_id, made[-1].key.id)


def import_today(shop_id: int) -> None:
    """A short list that came in today, read by the importer itself, mistakes and all."""
    name = "market-stall.csv"
    with unit_of_work(shop_id) as session:
        if session.scalar(HAS_IMPORT, {"shop_id": shop_id, "name": name}):
            return
    accepted = imports.accept_file(shop_id, name, io.BytesIO(make_contacts(120, SEED + 1).as_csv()))
    running.run_import(shop_id, accepted.id)


def write_campaigns(shop_id: int, calendar: Calendar, named: Mapping[str, int]) -> None:
    """Drafts, one for tomorrow evening, one for the end of the week."""
    drafts: tuple[dict[str, Any], ...] = (
        {
            "name": "Christmas wish list",
            "message": "{{firstName}}, what is on your list? Ours is here: " + link("wishes", "wish-list"),
            "audience": f"segment:{named[BUYERS]}",
        },
        {
            "name": "Γιορτινό τραπέζι",
            "message": "Τραπεζομάντιλα και ποτήρια για τις γιορτές: " + link("trapezi", "giortes"),
            "audience": "women",
            "meta": {"compressGreek": True},
        },
        {
            "name": "Flash sale",
            "message": "Only tonight: 25% off everything made of linen. " + link("tonight", "flash-sale"),
            "audience": "all",
            "schedule_type": "scheduled",
            "schedule_at": calendar.at(-1, 18, 30).isoformat(),
        },
        {
            "name": "Last day to order",
            "message": "Order today and it arrives in time. " + link("in-time", "last-day"),
            "audience": "all",
            "schedule_type": "scheduled",
            "schedule_at": calendar.at(-4, 10, 0).isoformat(),
            "priority": "high",
        },
    )
    for given in drafts:
        try:
            editing.create_campaign(shop_id, given)
        except DuplicateName:
            continue


def start_live_campaign(shop_id: int) -> None:
    """Send a campaign to everybody, by the button's own function, at the pace of a trickle."""
    message = "Our winter collection is here. See it first: " + link("winter", "winter-collection")
    try:
        made = editing.create_campaign(shop_id, {"name": LIVE, "message": message, "audience": "all"})
        campaign_id = made.campaign.id
    except DuplicateName:
        with unit_of_work(shop_id) as session:
            wanted = session.query(Campaign).filter_by(shop_id=shop_id, name=LIVE, status="draft")
            found = wanted.one_or_none()
        if found is None:
            return
        campaign_id = found.id
    with unit_of_work(shop_id):
        sending.start(shop_id, campaign_id)
        _spread(shop_id, campaign_id)


def _spread(shop_id: int, campaign_id: int) -> None:
    session = require_unit_of_work()
    run_id = session.get_one(Campaign, campaign_id).run_id
    pace = {"shop_id": shop_id, "run_id": run_id, "seconds": TRICKLE.total_seconds()}
    session.execute(SPREAD, pace)
