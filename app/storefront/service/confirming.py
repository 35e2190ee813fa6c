"""Double opt-in: one text with a link, and what a tap on it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from app.contacts import consent
from app.contacts.consent import Evidence
from app.core.clock import now
from app.core.settings import settings
from app.core.uow import across_shops, require_unit_of_work, unit_of_work
from app.core.urls import public_base_url
from app.messaging.service import freezing, runs
from app.messaging.states import Source
from app.shops import service as shops
from app.shops.errors import ShopNotFound
from app.shops.models import Shop
from app.storefront import queries
from app.storefront.errors import InvalidConfirmation
from app.storefront.models import OptInConfirmation
from app.storefront.service.admitting import admit
from app.storefront.service.visits import Visit
from app.storefront.tokens import make_token, read_token
from app.storefront.wording import confirmation_text
from app.subscriptions.service import standing as subscriptions

VALID_FOR = timedelta(hours=72)
PERSON = ("phone", "region", "first_name", "last_name", "gender", "birth_date", "tag")


@dataclass(frozen=True)
class Confirmation:
    """What a confirmation link is about. `is_used` says that it confirmed before and does nothing more."""

    shop_id: int
    id: int
    phone: str
    is_used: bool
    shop_name: str = ""


def ask(
    shop: Shop, person: dict[str, Any], *, wording: str | None, evidence: Evidence, language: str | None
) -> None:
    """Text the person a link to confirm with, once while one waits. A step; the caller has taken the turn.

    Costs what a text costs. Raises SubscriptionRequired or InsufficientCredits, and then the caller's
    transaction undoes all: a later try finds nothing that waits.
    """
    subscriptions.require_active_subscription(shop.id)
    queries.forget_expired(shop.id)
    if queries.waiting(shop.id, person["phone"]):
        return
    session = require_unit_of_work()
    asked = OptInConfirmation(
        shop_id=shop.id, wording=wording, evidence=evidence, expires_at=now() + VALID_FOR, **person
    )
    session.add(asked)
    session.flush()  # the link names its id
    url = f"{public_base_url(shop.base_url)}/opt-in/confirm/{make_token(asked.id, _secret())}"
    run_id = freezing.open_run(
        shop.id,
        Source.SERVICE,
        asked.id,
        confirmation_text(shop.display_name, url, language),
        sender=shops.sender_of(shop),
    )
    freezing.freeze_one(shop.id, run_id, phone=asked.phone, values={})
    runs.ring(shop.id, run_id, urgent=True)


def open_confirmation(token: str) -> Confirmation:
    """What a link is about; changes nothing. Raises InvalidConfirmation."""
    found = _find(token)
    with unit_of_work(found.shop_id):
        return _described(found)


def confirm(token: str, visit: Visit) -> Confirmation:
    """Record the consent that a link stands for, also of a number that had opted out.

    Works once: after that it changes nothing, so an old link cannot undo a later opt-out. Raises
    InvalidConfirmation.
    """
    found = _find(token)
    with unit_of_work(found.shop_id) as session:
        confirmation = _described(found)
        consent.take_turn(found.shop_id)
        if not queries.use(found.shop_id, found.id):
            return replace(confirmation, is_used=True)
        asked = session.get_one(OptInConfirmation, found.id)
        admit(
            asked.shop_id,
            {column: getattr(asked, column) for column in PERSON},
            wording=asked.wording,
            evidence=asked.evidence | _evidence(asked.id, visit),
            lift_suppression=True,
        )
    return confirmation


def _evidence(confirmation_id: int, visit: Visit) -> Evidence:
    return {
        "double_opt_in": True,
        "confirmation_id": confirmation_id,
        "confirmed_ip": visit.ip,
        "confirmed_user_agent": visit.user_agent,
    }


def _find(token: str) -> Confirmation:
    confirmation_id = read_token(token, _secret())
    if confirmation_id is None:
        raise InvalidConfirmation
    with across_shops("a public token names a confirmation, not a shop") as session:
        asked = session.get(OptInConfirmation, confirmation_id)
    if asked is None or asked.expires_at <= now():
        raise InvalidConfirmation
    return Confirmation(asked.shop_id, asked.id, asked.phone, is_used=asked.confirmed_at is not None)


def _described(found: Confirmation) -> Confirmation:
    try:
        return replace(found, shop_name=shops.find_shop(found.shop_id).display_name)
    except ShopNotFound:  # it has left: nobody would send anything
        raise InvalidConfirmation from None


def _secret() -> str:
    return settings().unsubscribe_secret
