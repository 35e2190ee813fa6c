"""Whether a VAT number exists: the register is asked until it answers, and its answer is kept as proof."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from app.core.activity import record
from app.core.clock import now
from app.core.uow import unit_of_work
from app.integrations.vies.client import VatRegister, look_up
from app.integrations.vies.errors import VatRegisterUnavailable
from app.payers import queries
from app.payers.models import Profile, VatSource, VatStatus
from app.payers.service.vat_numbers import number_of

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)  # longer than a job may take
# Numbers are given up, and businesses end: what holds today is asked for again.
AGAIN = timedelta(days=30)
NEWS_AFTER_TRIES = 12  # more than a day without an answer


def check_vat(shop_id: int, register: VatRegister = look_up) -> None:
    """Ask the register for the shop's VAT number, if that is due. Harmless twice; an outage puts it off."""
    profile = _turn(shop_id)
    number = number_of(profile) if profile else None
    if profile is None or number is None:
        return
    if not number.is_european or number.country is None:
        _settle(profile, VatStatus.UNVERIFIED)  # no register that we could ask
        return
    try:
        told = register(number.country, number.digits)
    except VatRegisterUnavailable as silent:
        _put_off(profile, silent.reason)
        return
    status = VatStatus.VERIFIED if told.is_valid else VatStatus.UNVERIFIED
    _settle(profile, status, source=VatSource.VIES, at=told.at, consultation=told.number)


def _turn(shop_id: int) -> Profile | None:
    """The profile, for this caller alone for a while; None when nothing is due."""
    with unit_of_work(shop_id):
        turn = {"shop_id": shop_id, "now": now(), "until": now() + LEASE}
        return queries.profile_of(shop_id) if queries.first_row(queries.TAKE_CHECK, turn) else None


def _settle(
    profile: Profile,
    status: VatStatus,
    *,
    source: VatSource | None = None,
    at: datetime | None = None,
    consultation: str | None = None,
) -> None:
    answer = {
        "shop_id": profile.shop_id,
        "vat_version": profile.vat_version,
        "status": status,
        "source": source,
        "at": at,
        "consultation": consultation,
        "again_at": now() + AGAIN if status == VatStatus.VERIFIED else None,
    }
    with unit_of_work(profile.shop_id):
        if queries.first_row(queries.END_CHECK, answer):
            record(profile.shop_id, "billing_profile.vat_checked", "billing_profile", status=str(status))


def _put_off(profile: Profile, reason: str) -> None:
    values = {"shop_id": profile.shop_id, "vat_version": profile.vat_version, "now": now()}
    with unit_of_work(profile.shop_id):
        row = queries.first_row(queries.PUT_OFF_CHECK, values)
    if row and row.vat_tries >= NEWS_AFTER_TRIES:
        log.warning("vat_check_put_off", shop_id=profile.shop_id, reason=reason, tries=row.vat_tries)
    else:
        log.info("vat_register_silent", shop_id=profile.shop_id, reason=reason)
