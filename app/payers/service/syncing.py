"""What Stripe says of the shop's customer comes here: who it is, and whether its VAT number is good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.core.activity import record
from app.core.clock import now
from app.core.errors import DomainError
from app.core.uow import unit_of_work
from app.integrations.stripe.client import as_dict, is_configured, stripe_client
from app.integrations.stripe.errors import StripeNotConfigured, StripeObjectMissing
from app.payers import queries
from app.payers.errors import CustomerNotFound, MissingCustomer
from app.payers.models import Profile, VatSource, VatStatus
from app.payers.service.profiles import Billing, ask_anew, show, shown
from app.payers.service.vat import country_code
from app.payers.service.vat_numbers import number_of

QUIET = timedelta(seconds=30)  # W may ask on every rendering
OWN_ANSWER_STANDS = timedelta(days=1)
DEFINITE = frozenset({VatStatus.VERIFIED, VatStatus.UNVERIFIED})


@dataclass(frozen=True)
class Told:
    """A customer as Stripe shows it; `tax_ids` the newest first."""

    customer: dict[str, Any]
    tax_ids: list[dict[str, Any]]


def sync_from_stripe(shop_id: int) -> Billing:
    """The profile after a look at Stripe, which is taken at most every 30 s.

    Raises MissingCustomer, StripeNotConfigured, CustomerNotFound, StripeFailed.
    """
    with unit_of_work(shop_id):
        profile = queries.profile_of(shop_id)
        if profile is None or profile.stripe_customer_id is None:
            raise MissingCustomer
        if not is_configured():
            raise StripeNotConfigured
        profile = queries.locked_profile(shop_id)
        if profile.synced_at and profile.synced_at > now() - QUIET:
            return shown(shop_id)
        profile.synced_at = now()
    try:
        pull(shop_id)
    except DomainError:
        with unit_of_work(shop_id):
            queries.locked_profile(shop_id).synced_at = None
        raise
    return show(shop_id)


def pull(shop_id: int, *, removed: str | None = None) -> None:
    """Read the shop's customer at Stripe and take over what is there; what is not there stays.

    What the merchant has said here since, or Stripe has not been told yet, outweighs it. `removed` is a VAT
    number that was taken away at Stripe. Idempotent. Raises CustomerNotFound, MissingCustomer, StripeFailed.
    """
    with unit_of_work(shop_id):
        seen = queries.profile_of(shop_id)
    if seen is None or seen.stripe_customer_id is None:
        raise MissingCustomer
    told = _read(seen.stripe_customer_id)
    with unit_of_work(shop_id):
        profile = queries.locked_profile(shop_id)
        if profile.version == seen.version == profile.pushed_version:
            _take_over(profile, told, removed)
        _hear(profile, told)


def _read(customer_id: str) -> Told:
    try:
        with stripe_client() as stripe:
            customer = as_dict(stripe.v1.customers.retrieve(customer_id))
            if customer.get("deleted"):
                raise CustomerNotFound
            held = stripe.v1.customers.tax_ids.list(customer_id, {"limit": 100})
            tax_ids = [as_dict(one) for one in held.data if one.type == "eu_vat"]
    except StripeObjectMissing as missing:
        raise CustomerNotFound from missing
    return Told(customer, sorted(tax_ids, key=lambda one: one["created"], reverse=True))


def _take_over(profile: Profile, told: Told, removed: str | None) -> None:
    found = _columns(told.customer)
    found |= _number(profile, told, removed)
    altered = {name: value for name, value in found.items() if getattr(profile, name) != value}
    if not altered:
        return
    before = number_of(profile)
    for name, value in altered.items():
        setattr(profile, name, value)
    profile.version += 1
    profile.pushed_version = profile.version  # Stripe knows it: it is where it comes from
    if number_of(profile) != before:
        ask_anew(profile)
    record(profile.shop_id, "billing_profile.synced", "billing_profile", changed=sorted(altered))


def _columns(customer: dict[str, Any]) -> dict[str, Any]:
    """What Stripe knows, as columns. What it does not know is not named."""
    found = {
        "legal_name": customer.get("name"),
        "billing_email": customer.get("email"),
        "billing_address": _address(customer.get("address") or {}),
    }
    is_exempt = {"tax_exempt": customer.get("tax_exempt") == "exempt"}
    return is_exempt | {name: value for name, value in found.items() if value}


def _address(given: dict[str, Any]) -> dict[str, Any] | None:
    if not any(given.values()):
        return None
    address = {name: given.get(name) or None for name in ("line1", "line2", "city", "state")}
    country = country_code(given.get("country"))
    return address | {"postalCode": given.get("postal_code") or None, "country": country}


def _number(profile: Profile, told: Told, removed: str | None) -> dict[str, Any]:
    """A number that we do not have yet, or none where ours was taken away at Stripe."""
    ours = number_of(profile)
    values = [one["value"] for one in told.tax_ids]
    if ours is None and values:
        return {"vat_number": values[0], "vat_country": country_code(values[0][:2])}
    if ours is not None and removed == ours.prefixed and removed not in values:
        return {"vat_number": None}
    return {}


def _hear(profile: Profile, told: Told) -> None:
    """Take Stripe's word on our number, unless we asked the register ourselves lately.

    The register is asked all the same, where it has not answered yet: its consultation number is the proof.
    """
    ours = number_of(profile)
    words = {one["value"]: (one.get("verification") or {}).get("status") for one in told.tax_ids}
    word = words.get(ours.prefixed) if ours else None
    if word not in DEFINITE or _has_own_answer(profile) or profile.vat_status == word:
        return
    profile.vat_status = word
    profile.vat_source = VatSource.STRIPE
    profile.vat_checked_at = now()
    profile.vat_consultation = None
    record(profile.shop_id, "billing_profile.vat_checked", "billing_profile", status=str(word))


def _has_own_answer(profile: Profile) -> bool:
    asked = profile.vat_checked_at
    return profile.vat_source == VatSource.VIES and asked is not None and asked > now() - OWN_ANSWER_STANDS
