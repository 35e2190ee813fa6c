"""The billing profile: what a merchant says of who pays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.core.activity import record
from app.core.clock import now
from app.core.queue import wake
from app.core.uow import after_commit, unit_of_work
from app.payers import queries
from app.payers.errors import GreekBusinessWithoutNumber
from app.payers.models import Profile, Treatment, VatStatus
from app.payers.service.evidence import facts_of
from app.payers.service.vat import SELLER, country_code, treatment_of
from app.payers.service.vat_numbers import number_of
from app.shops import service as shops
from app.shops.models import Shop

# What says whether a number is needed: only those who change one of these are told that it is missing.
ABOUT_VAT = frozenset({"is_business", "vat_number", "vat_country", "billing_address"})
SOON = timedelta(minutes=2)


@dataclass(frozen=True)
class Billing:
    """A shop, and its billing profile, which is None until somebody says something."""

    shop: Shop
    profile: Profile | None
    treatment: Treatment | None


def show(shop_id: int) -> Billing:
    """The shop's profile, from our own tables alone."""
    with unit_of_work(shop_id):
        return shown(shop_id)


def save(shop_id: int, changes: Mapping[str, Any]) -> Billing:
    """Change what `changes` names (columns of the profile, or the shop's `currency`); the rest stays.

    Stripe and the register of VAT numbers are told and asked afterwards. Raises GreekBusinessWithoutNumber.
    """
    with unit_of_work(shop_id) as session:
        columns = dict(changes)
        currency = columns.pop("currency", None)
        if currency:
            shops.change_settings(shop_id, currency=currency)
        profile = queries.locked_profile(shop_id)
        altered = [name for name, value in columns.items() if getattr(profile, name) != value]
        _change(profile, {name: columns[name] for name in altered})
        session.flush()  # what is shown is read beside what has been written
        if altered or currency:
            told = [*altered, *(["currency"] if currency else [])]
            record(shop_id, "billing_profile.changed", "billing_profile", changed=sorted(told))
        return shown(shop_id)


def shown(shop_id: int) -> Billing:
    """The shop's profile. A step."""
    facts = facts_of(shop_id)
    return Billing(
        shops.find_shop(shop_id),
        queries.profile_of(shop_id),
        treatment_of(facts) if facts.country else None,
    )


def ask_anew(profile: Profile) -> None:
    """Forget what was said of the VAT number, and have the register asked for what is there now. A step."""
    has_number = profile.vat_number is not None
    profile.vat_version = profile.version
    profile.vat_status = VatStatus.PENDING if has_number else None
    profile.vat_source = profile.vat_checked_at = profile.vat_consultation = None
    profile.vat_check_at = now() if has_number else None
    profile.vat_tries = 0
    if has_number:
        after_commit(lambda: wake("payers.check_vat", profile.shop_id))


def _change(profile: Profile, columns: Mapping[str, Any]) -> None:
    if not columns:
        return
    before = number_of(profile)
    for name, value in columns.items():
        setattr(profile, name, value)
    if ABOUT_VAT & columns.keys() and _lacks_number(profile):
        raise GreekBusinessWithoutNumber
    profile.version += 1
    profile.updated_at = now()
    # A pause after a failure ends soon; a push under way keeps its lease.
    profile.push_at = min(profile.push_at, now() + SOON)
    if number_of(profile) != before:
        ask_anew(profile)
    after_commit(lambda: wake("payers.push", profile.shop_id))


def _lacks_number(profile: Profile) -> bool:
    is_greek = country_code(profile.country_of_vat) == SELLER
    return profile.is_business and is_greek and profile.vat_number is None
