"""VAT of a Greek seller (contract §13.2)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask

from app.config import Settings
from app.payers.models import Treatment, VatStatus
from app.payers.service.vat import (
    EU,
    STANDARD_RATES,
    Rates,
    VatFacts,
    country_code,
    ip_country,
    rates_in_force,
    vat_on,
)

RATES = Rates()
BUSINESS = VatFacts(billing_country="DE", vat_country="DE", vat_number="DE123456789")


def test_greece_pays_greek_vat_whatever_its_number():
    for status in (None, *VatStatus):
        vat = vat_on(4500, VatFacts(billing_country="EL", vat_status=status), RATES)

        assert (vat.treatment, vat.jurisdiction, vat.rate) == ("domestic_vat", "GR", Decimal("0.24"))
        assert (vat.net_cents, vat.tax_cents, vat.gross_cents) == (4500, 1080, 5580)


@pytest.mark.parametrize("country", sorted(EU - {"GR"}))
def test_elsewhere_in_the_eu_consumers_pay_what_their_country_asks(country: str):
    vat = vat_on(10_000, VatFacts(billing_country=country), RATES)

    assert (vat.treatment, vat.rate) == (Treatment.EU_B2C, STANDARD_RATES[country])
    assert vat.tax_cents == STANDARD_RATES[country] * 10_000


def test_a_verified_number_elsewhere_in_the_eu_reverses_the_charge():
    vat = vat_on(4500, replace(BUSINESS, vat_status="verified"), RATES)

    assert (vat.treatment, vat.rate, vat.gross_cents) == (Treatment.EU_REVERSE_CHARGE, Decimal(0), 4500)


@pytest.mark.parametrize("status", [None, *sorted(set(VatStatus) - {VatStatus.VERIFIED})])
def test_nothing_but_a_verified_number_reverses_the_charge(status: str | None):
    vat = vat_on(4500, replace(BUSINESS, vat_status=status), RATES)

    assert (vat.treatment, vat.tax_cents) == (Treatment.EU_B2C, 855)


def test_a_greek_number_reverses_no_charge_wherever_its_bills_go():
    payer = VatFacts(billing_country="DE", vat_country="EL", vat_status="verified")

    assert vat_on(100, payer, RATES).treatment == Treatment.EU_B2C


def test_outside_the_eu_there_is_no_vat():
    vat = vat_on(4500, VatFacts(billing_country="us"), RATES)

    assert (vat.treatment, vat.rate, vat.gross_cents, vat.jurisdiction) == ("non_eu", Decimal(0), 4500, "US")


def test_without_a_country_no_rate_is_claimed():
    vat = vat_on(4500, VatFacts(billing_country="", ip_country="T1"), RATES)

    assert (vat.treatment, vat.rate, vat.tax_cents, vat.gross_cents) == ("unknown", None, 0, 4500)
    assert vat.jurisdiction is None


def test_the_billing_country_counts_before_the_country_of_the_request():
    assert vat_on(100, VatFacts(billing_country="FR", ip_country="DE"), RATES).jurisdiction == "FR"
    assert vat_on(100, VatFacts(ip_country="DE"), RATES).jurisdiction == "DE"


@pytest.mark.parametrize(
    ("net", "tax"), [(0, 0), (1, 0), (2, 0), (3, 1), (25, 6), (2999, 720), (1_000_000_050, 240_000_012)]
)
def test_tax_is_rounded_half_up_to_whole_cents(net: int, tax: int):
    vat = vat_on(net, VatFacts(billing_country="GR"), RATES)

    assert (vat.tax_cents, vat.gross_cents) == (tax, net + tax)


def test_half_a_cent_goes_up():
    assert vat_on(50, VatFacts(billing_country="EE"), Rates({"EE": Decimal("0.01")})).tax_cents == 1
    assert vat_on(150, VatFacts(billing_country="EE"), Rates({"EE": Decimal("0.01")})).tax_cents == 2


def test_an_eu_country_without_a_rate_of_its_own_gets_the_default():
    assert vat_on(100, VatFacts(billing_country="FI"), Rates({}, Decimal("0.2"))).tax_cents == 20


def test_the_environment_changes_rates(app: Flask, settings: Settings):
    app.config["SETTINGS"] = replace(settings, vat_rates={"EL": Decimal("0.25"), "US": Decimal("0.5")})
    try:
        rates = rates_in_force()
    finally:
        app.config["SETTINGS"] = settings

    assert rates.of("GR") == Decimal("0.25")
    assert rates.of("DE") == Decimal("0.19")
    assert vat_on(100, VatFacts(billing_country="US"), rates).tax_cents == 0


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("gr", "GR"),
        (" El ", "GR"),
        ("DE", "DE"),
        ("DEU", None),
        ("1A", None),
        ("Ελ", None),
        ("", None),
        (None, None),
    ],
)
def test_a_country_is_two_letters(raw: str | None, code: str | None):
    assert country_code(raw) == code


def test_a_country_in_a_header_counts_only_behind_our_own_proxy(app: Flask, settings: Settings):
    headers = {"CF-IPCountry": "de"}
    assert ip_country(headers) is None

    app.config["SETTINGS"] = replace(settings, trusted_proxy_hops=1)
    try:
        assert ip_country(headers) == "DE"
        assert ip_country({"CF-IPCountry": "XX", "X-Country": "FR"}) == "FR"
        assert ip_country({"CF-IPCountry": "T1"}) is None
        assert ip_country({}) is None
    finally:
        app.config["SETTINGS"] = settings
