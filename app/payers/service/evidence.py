"""Why a sale was taxed as it was: kept with the sale, for the ten years that tax offices may ask."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert

from app.core.uow import require_unit_of_work
from app.payers import queries
from app.payers.models import Evidence, SaleKind
from app.payers.service.vat import Vat, VatFacts
from app.payers.service.vat_numbers import number_of


def facts_of(shop_id: int, *, ip_country: str | None = None) -> VatFacts:
    """What is known now of who pays for the shop. A step."""
    profile = queries.profile_of(shop_id)
    if profile is None:
        return VatFacts(ip_country=ip_country)
    number = number_of(profile)
    number_country = number.country if number else None
    return VatFacts(
        billing_country=profile.billing_country or profile.vat_country or number_country,
        ip_country=ip_country,
        vat_number=profile.vat_number,
        vat_country=number_country,
        vat_status=profile.vat_status,
        vat_source=profile.vat_source,
        vat_checked_at=profile.vat_checked_at,
        vat_consultation=profile.vat_consultation,
    )


def keep_evidence(
    shop_id: int,
    vat: Vat,
    payer: VatFacts,
    *,
    currency: str,
    purchase_id: int | None = None,
    stripe_invoice_id: str | None = None,
) -> bool:
    """Keep how a purchase or an invoice was taxed and what was known of who pays, once per sale.

    True when this call did it; a repetition changes nothing. A step. Give the facts that `vat` was reckoned
    with. Exactly one of the two ids is given.
    """
    kind, sale = _sale(purchase_id, stripe_invoice_id)
    row = insert(Evidence).values(
        shop_id=shop_id,
        sale_kind=kind,
        sale_id=sale,
        ip_country=payer.ip_country,
        billing_country=payer.billing_country,
        vat_number=payer.vat_number,
        vat_status=payer.vat_status,
        vat_source=payer.vat_source,
        vat_checked_at=payer.vat_checked_at,
        vat_consultation=payer.vat_consultation,
        treatment=vat.treatment,
        jurisdiction=vat.jurisdiction,
        rate=vat.rate,
        net_cents=vat.net_cents,
        tax_cents=vat.tax_cents,
        currency=currency.upper(),
    )
    new = require_unit_of_work().scalar(row.on_conflict_do_nothing().returning(Evidence.id))
    return new is not None


def _sale(purchase_id: int | None, stripe_invoice_id: str | None) -> tuple[SaleKind, str]:
    if purchase_id is not None and stripe_invoice_id is None:
        return SaleKind.PURCHASE, str(purchase_id)
    if stripe_invoice_id is not None and purchase_id is None:
        return SaleKind.INVOICE, stripe_invoice_id
    raise TypeError("evidence is of a purchase or of an invoice")
