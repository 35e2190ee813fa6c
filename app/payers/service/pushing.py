"""What the merchant says of who pays goes to Stripe, until it is there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog

from app.core.clock import now
from app.core.queue import wake
from app.core.uow import across_shops, after_commit, unit_of_work
from app.integrations.stripe.client import is_configured, stripe_client
from app.integrations.stripe.errors import StripeFailed, StripeRefused
from app.payers import queries
from app.payers.models import Profile
from app.payers.service.customers import ensure_customer
from app.payers.service.vat_numbers import number_of

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)  # longer than a job may take
BATCH = 100


def push(shop_id: int) -> None:
    """Tell Stripe what it does not know yet of who pays for the shop. Idempotent by the profile's version.

    What fails is tried again by the sweep, later each time.
    """
    profile = _turn(shop_id) if is_configured() else None
    if profile is None:
        return
    try:
        customer = ensure_customer(shop_id)
        _tell(customer, profile)
        if profile.vat_version > profile.pushed_version:
            _tell_number(customer, profile)
    except StripeFailed as trouble:
        log.warning("billing_profile_put_off", shop_id=shop_id, reason=trouble.reason)
        with unit_of_work(shop_id) as session:
            session.execute(queries.PUT_OFF_PUSH, {"shop_id": shop_id, "now": now()})
        return
    with unit_of_work(shop_id):
        ended = {"shop_id": shop_id, "version": profile.version, "now": now()}
        pushed = queries.first_row(queries.END_PUSH, ended)
        if pushed and pushed.is_behind:
            after_commit(lambda: wake("payers.push", shop_id))


def ring_for_what_is_due() -> None:
    """Ring for profiles that Stripe does not know yet and VAT numbers to be asked for: lost bells, pauses."""
    due = {"now": now(), "limit": BATCH}
    with across_shops("profiles that are behind belong to any shop") as session:
        pushes = session.scalars(queries.DUE_PUSHES, due).all() if is_configured() else []
        checks = session.scalars(queries.DUE_CHECKS, due).all()
    for shop_id in pushes:
        wake("payers.push", shop_id)
    for shop_id in checks:
        wake("payers.check_vat", shop_id)


def _turn(shop_id: int) -> Profile | None:
    """The profile, for this caller alone for a while; None when nothing is due."""
    with unit_of_work(shop_id):
        turn = {"shop_id": shop_id, "now": now(), "until": now() + LEASE}
        return queries.profile_of(shop_id) if queries.first_row(queries.TAKE_PUSH, turn) else None


def _tell(customer: str, profile: Profile) -> None:
    told: dict[str, Any] = {
        # Stripe takes an empty text for "nothing".
        "name": profile.legal_name or "",
        "email": profile.billing_email or "",
        "address": _address(profile) or "",
    }
    with stripe_client() as stripe:
        stripe.v1.customers.update(customer, told, {"idempotency_key": _key(profile, "profile")})  # type: ignore[arg-type]


def _tell_number(customer: str, profile: Profile) -> None:
    """Let the customer have exactly the profile's VAT number, as far as it is one of the EU.

    A number whose form Stripe does not like stays here only: the register has the last word on it.
    """
    number = number_of(profile)
    wanted = number.prefixed if number and number.is_european else None
    with stripe_client() as stripe:
        held = stripe.v1.customers.tax_ids.list(customer, {"limit": 100}).data
    ours = [one for one in held if one.type == "eu_vat"]
    if wanted and wanted not in {one.value for one in ours}:
        _add_number(customer, wanted, _key(profile, "vat"), profile.shop_id)
    for one in ours:
        if one.value != wanted:
            with stripe_client() as stripe:
                stripe.v1.customers.tax_ids.delete(customer, one.id)


def _add_number(customer: str, value: str, key: str, shop_id: int) -> None:
    try:
        with stripe_client() as stripe:
            stripe.v1.customers.tax_ids.create(
                customer, {"type": "eu_vat", "value": value}, {"idempotency_key": key}
            )
    except StripeRefused as refused:
        if refused.reason != "tax_id_invalid":
            raise
        log.info("vat_number_not_taken", shop_id=shop_id)


def _address(profile: Profile) -> dict[str, str] | None:
    address = profile.billing_address
    if not address:
        return None
    named = {"postal_code": address.get("postalCode"), **address}
    named.pop("postalCode", None)
    return {name: value or "" for name, value in named.items()}


def _key(profile: Profile, what: str) -> str:
    """A profile that was erased and opened again counts its versions anew."""
    opened = int(profile.created_at.timestamp())
    return f"customer:{profile.shop_id}:{what}:{opened}:{profile.version}"
