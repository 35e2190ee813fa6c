"""Signing up on a storefront: a stranger's form, so it may not learn or change what is known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import structlog

from app.contacts import consent, values
from app.contacts.consent import Evidence
from app.contacts.models import Consent
from app.core.clock import now
from app.core.errors import ValidationFailed
from app.core.settings import settings
from app.core.uow import unit_of_work
from app.credits.errors import InsufficientCredits
from app.shops import service as shops
from app.shops.errors import ShopNotFound
from app.shops.models import Shop
from app.storefront import queries
from app.storefront.errors import StorefrontNotFound
from app.storefront.service.admitting import admit
from app.storefront.service.confirming import ask
from app.storefront.service.visits import Visit
from app.storefront.tokens import make_reference
from app.subscriptions.errors import SubscriptionRequired

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OptIn:
    """What was typed into the form, with the consent given. `wording` is what the form said."""

    shop_domain: str
    phone: str
    source: str
    first_name: str | None = None
    last_name: str | None = None
    gender: str | None = None
    birthday: str | None = None
    wording: str | None = None


@dataclass(frozen=True)
class Received:
    """The answer: what was sent, and nothing that was known. `consent` is what the form has stated."""

    reference: str
    phone: str
    consent: Consent
    first_name: str | None
    last_name: str | None
    gender: str | None
    birthday: date | None


def opt_in(wish: OptIn, visit: Visit) -> Received:
    """Take a consent, or ask for its confirmation where the number has opted out or the shop wants it.

    Twice is once. Raises StorefrontNotFound or ValidationFailed; whether the number was known, has opted
    out, or could not be texted, the answer is the same.
    """
    shop = _storefront(wish.shop_domain)
    person = _person(shop, wish)
    try:
        with unit_of_work(shop.id):
            _take(shop, person, wish, visit)
    except (InsufficientCredits, SubscriptionRequired) as refusal:
        log.info("confirmation_not_sent", shop_id=shop.id, reason=refusal.code)
    return Received(
        reference=make_reference(shop.id, person["phone"], settings().unsubscribe_secret),
        phone=person["phone"],
        consent=Consent.UNKNOWN if shop.double_opt_in else Consent.OPTED_IN,
        first_name=wish.first_name,
        last_name=wish.last_name,
        gender=wish.gender,
        birthday=person["birth_date"],
    )


def _take(shop: Shop, person: dict[str, Any], wish: OptIn, visit: Visit) -> None:
    consent.take_turn(shop.id)
    evidence = _evidence(wish, visit)
    if not shop.double_opt_in and not consent.is_suppressed(shop.id, person["phone"]):
        admit(shop.id, person, wording=wish.wording, evidence=evidence)
    elif not queries.is_opted_in(shop.id, person["phone"]):
        ask(shop, person, wording=wish.wording, evidence=evidence, language=visit.language)


def _evidence(wish: OptIn, visit: Visit) -> Evidence:
    return {
        "form": wish.source,
        "ip": visit.ip,
        "user_agent": visit.user_agent,
        "page_url": visit.page_url,
    }


def _storefront(domain: str) -> Shop:
    """401 would log a merchant out who tries the own form."""
    try:
        return shops.shop_by_domain(domain)
    except ShopNotFound:
        raise StorefrontNotFound from None


def _person(shop: Shop, wish: OptIn) -> dict[str, Any]:
    zone = shops.zone_of(shop)
    with _refusing("phone"):
        phone = values.read_phone(wish.phone, shop.country)
    with _refusing("birthday"):
        birthday = values.read_birth_date(wish.birthday or "", zone, now().astimezone(zone).date())
    return {
        "phone": phone.e164,
        "region": phone.region,
        "first_name": wish.first_name,
        "last_name": wish.last_name,
        "gender": wish.gender,
        "birth_date": birthday,
        "tag": f"opt-in-{wish.source}",
    }


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    try:
        yield
    except ValueError as refusal:
        raise ValidationFailed(name, str(refusal)) from None
