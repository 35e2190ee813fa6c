"""The whole history, stage after stage. Every stage leaves alone what is there already."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from app.core.activity import OPERATOR, Actor, ActorKind, acting_as, record
from app.core.clock import now
from app.core.uow import unit_of_work
from app.demo.history import activity_sql, present
from app.demo.history.calendar import Calendar
from app.demo.history.people import make_people
from app.demo.history.phones import fill_phones
from app.demo.history.plan import DOMAIN, SENDER, SHOP_NAME
from app.demo.history.sendings import make_sendings
from app.shops import service as shops
from app.shops.errors import ShopNotFound
from app.subscriptions.service import standing as subscriptions

CONTACTS = 5_600  # lines; about 5,000 of them are people
MERCHANT = Actor(ActorKind.USER, network="203.0.113.0/24")
OPENED = text("UPDATE shops SET created_at = :at WHERE id = :shop_id")


@dataclass(frozen=True)
class Seeded:
    """The shop, and whether this call finished its history."""

    shop_id: int
    domain: str
    is_new: bool
    seconds: float


def seed(*, contacts: int = CONTACTS, phones: Path | None = None) -> Seeded:
    """Give the demo shop its month, once; `phones` is the carrier's file, which must not be in use.

    Idempotent by shop: each stage is one transaction or asks by name, and the last one leaves a mark, after
    which nothing is looked at again, whatever somebody has deleted meanwhile.
    """
    began = time.monotonic()
    shop_id = _open_shop()
    with unit_of_work(shop_id) as session:
        is_finished = session.scalar(activity_sql.IS_FINISHED, {"shop_id": shop_id})
    if not is_finished:
        with acting_as(MERCHANT):
            _tell(shop_id, contacts, phones)
    return Seeded(shop_id, DOMAIN, not is_finished, time.monotonic() - began)


def _tell(shop_id: int, contacts: int, phones: Path | None) -> None:
    with unit_of_work(shop_id):
        zone = shops.zone_of(shops.find_shop(shop_id))
    calendar = Calendar(now(), zone)
    make_people(shop_id, contacts, calendar)
    named = present.make_segments(shop_id)
    if make_sendings(shop_id, calendar, named):
        with unit_of_work(shop_id) as session:
            session.execute(OPENED, {"shop_id": shop_id, "at": calendar.at(35, 10, 0)})
            session.execute(activity_sql.TELL, {"shop_id": shop_id})
    if phones is not None:
        fill_phones(shop_id, phones)
    present.use_templates(shop_id)
    present.make_keys(shop_id)
    present.import_today(shop_id)
    present.write_campaigns(shop_id, calendar, named)
    present.start_live_campaign(shop_id)
    with acting_as(OPERATOR), unit_of_work(shop_id):
        record(shop_id, "demo.seeded", "shop", shop_id)


def _open_shop() -> int:
    try:
        return shops.shop_by_domain(DOMAIN).id
    except ShopNotFound:
        made = subscriptions.create_shop(DOMAIN, name=SHOP_NAME, plan=None)  # its plan began a month ago
    with unit_of_work(made.id):
        shops.change_settings(made.id, sender_name=SENDER, eshop_type="home")
    return made.id
