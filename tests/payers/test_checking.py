"""A VAT number counts when the register has said so, and never because it is silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.core import clock
from app.core.redis import redis_client
from app.core.uow import unit_of_work
from app.integrations.vies.client import Consultation
from app.integrations.vies.errors import VatRegisterUnavailable
from app.payers import jobs
from app.payers.service.checking import check_vat
from app.payers.service.evidence import facts_of, keep_evidence
from app.payers.service.pushing import ring_for_what_is_due
from app.payers.service.vat import vat_on
from app.shops.models import Shop
from tests import build
from tests.payers.build import let_be_due, profile_of, put, shown
from tests.vies_world import ViesWorld


def treatment(shop: Shop) -> str:
    with unit_of_work(shop.id):
        return vat_on(1000, facts_of(shop.id)).treatment


def test_a_number_that_the_register_knows_is_verified(vies_world: ViesWorld, client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, vatNumber="DE123456789")
    assert redis_client().exists(f"doorbell:payers.check_vat:{shop.id}")
    assert treatment(shop) == "eu_b2c"

    jobs.check_vat(shop.id)

    after = shown(client, shop)
    assert (after["taxStatus"], after["vatValidated"], after["validationSource"]) == (
        "verified",
        True,
        "vies",
    )
    assert after["validatedAt"]
    assert after["taxTreatment"] == treatment(shop) == "eu_reverse_charge"
    assert str(profile_of(shop).vat_consultation).startswith("WAPI")


def test_a_number_that_it_does_not_know_is_unverified(vies_world: ViesWorld, client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, vatNumber="DE123456000")

    jobs.check_vat(shop.id)

    assert (shown(client, shop)["taxStatus"], shown(client, shop)["vatValidated"]) == ("unverified", False)
    assert treatment(shop) == "eu_b2c"
    assert profile_of(shop).vat_check_at is None


@pytest.mark.parametrize("outcome", ["member_state_unavailable", "malformed", "broken", "timeout"])
def test_an_outage_reverses_no_charge_and_is_waited_out(
    vies_world: ViesWorld, client: FlaskClient, outcome: str
):
    shop = build.a_shop()
    put(client, shop, vatNumber="DE123456789")
    vies_world.behave(outcome)

    jobs.check_vat(shop.id)

    assert profile_of(shop).vat_status == "unavailable"
    assert shown(client, shop)["taxStatus"] == "pending"
    assert treatment(shop) == "eu_b2c"
    jobs.check_vat(shop.id)  # not before its pause is over
    assert (len(vies_world.asked()), profile_of(shop).vat_tries) == (1, 1)

    vies_world.reset()
    with clock.moved(timedelta(minutes=2)):
        redis_client().flushdb()
        ring_for_what_is_due()
        assert redis_client().exists(f"doorbell:payers.check_vat:{shop.id}")
        jobs.check_vat(shop.id)
    assert (profile_of(shop).vat_status, profile_of(shop).vat_tries) == ("verified", 0)


def test_pauses_grow_to_six_hours(vies_world: ViesWorld, client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, vatNumber="DE123456789")
    vies_world.behave("service_unavailable")
    pauses = []
    for _ in range(11):
        let_be_due(shop)
        asked_at = clock.now()
        jobs.check_vat(shop.id)
        pauses.append(round((profile_of(shop).vat_check_at - asked_at) / timedelta(minutes=1)))  # type: ignore[operator]

    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]


def test_an_answer_to_an_old_number_says_nothing_of_the_new_one(client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, vatNumber="DE123456789")

    def slow_register(country: str, number: str) -> Consultation:
        put(client, shop, vatNumber="DE999999999")
        return Consultation(True, clock.now(), "WAPI1")

    check_vat(shop.id, slow_register)

    assert (profile_of(shop).vat_status, profile_of(shop).vat_consultation) == ("pending", None)
    assert profile_of(shop).vat_check_at is not None


def test_a_changed_number_is_pending_again(vies_world: ViesWorld, client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, vatNumber="DE123456789")
    jobs.check_vat(shop.id)

    assert put(client, shop, vatNumber="DE999999999")["taxStatus"] == "pending"
    assert treatment(shop) == "eu_b2c"


def test_so_is_a_number_that_belongs_to_another_country_now(vies_world: ViesWorld, client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, vatNumber="123456789", vatCountry="DE")
    jobs.check_vat(shop.id)

    assert put(client, shop, vatCountry="FR")["taxStatus"] == "pending"
    assert put(client, shop, legalName="Mademoiselle")["taxStatus"] == "pending"
    jobs.check_vat(shop.id)
    assert [one["country"] for one in vies_world.asked()] == ["DE", "FR"]


def test_what_was_verified_is_asked_for_again_after_a_month_and_stands_through_an_outage(
    vies_world: ViesWorld, client: FlaskClient
):
    shop = build.a_shop()
    put(client, shop, vatNumber="DE123456789")
    jobs.check_vat(shop.id)

    with clock.moved(timedelta(days=31)):
        vies_world.behave("member_state_unavailable")
        jobs.check_vat(shop.id)
        assert profile_of(shop).vat_status == "verified"
        vies_world.behave("invalid")
        let_be_due(shop)
        jobs.check_vat(shop.id)

    assert profile_of(shop).vat_status == "unverified"


def test_outside_the_eu_no_register_is_asked(vies_world: ViesWorld, client: FlaskClient):
    shop = build.a_shop()
    assert put(client, shop, vatNumber="GB123456789", vatCountry="GB")["taxStatus"] == "pending"

    jobs.check_vat(shop.id)

    assert vies_world.asked() == []
    assert shown(client, shop)["taxStatus"] == "unverified"


def test_two_workers_ask_once(client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, vatNumber="DE123456789")
    asked = []

    def register(country: str, number: str) -> Consultation:
        asked.append(number)
        check_vat(shop.id, register)
        raise VatRegisterUnavailable("MS_UNAVAILABLE")

    check_vat(shop.id, register)

    assert asked == ["123456789"]


def test_evidence_says_what_was_known_and_is_kept_once_per_sale(vies_world: ViesWorld, client: FlaskClient):
    shop = build.a_shop()
    put(client, shop, vatNumber="DE123456789")
    jobs.check_vat(shop.id)

    with unit_of_work(shop.id):
        payer = facts_of(shop.id, ip_country="FR")
        vat = vat_on(4500, payer)
        assert keep_evidence(shop.id, vat, payer, currency="eur", purchase_id=7)
        assert not keep_evidence(shop.id, vat, payer, currency="eur", purchase_id=7)
        assert keep_evidence(shop.id, vat, payer, currency="EUR", stripe_invoice_id="in_7")

    with unit_of_work(shop.id) as session:
        rows = session.execute(sa.text("SELECT * FROM tax_evidence ORDER BY id")).all()
    assert [(row.sale_kind, row.sale_id) for row in rows] == [("purchase", "7"), ("invoice", "in_7")]
    kept = rows[0]
    assert (kept.ip_country, kept.billing_country, kept.jurisdiction) == ("FR", "DE", "DE")
    assert (kept.vat_number, kept.vat_status, kept.vat_source) == ("DE123456789", "verified", "vies")
    assert kept.vat_consultation == profile_of(shop).vat_consultation
    assert (kept.treatment, kept.rate, kept.net_cents, kept.tax_cents) == ("eu_reverse_charge", 0, 4500, 0)


def test_evidence_is_of_exactly_one_sale(client: FlaskClient):
    shop = build.a_shop()
    with unit_of_work(shop.id):
        payer = facts_of(shop.id)
        for sale in ({}, {"purchase_id": 1, "stripe_invoice_id": "in_1"}):
            with pytest.raises(TypeError):
                keep_evidence(shop.id, vat_on(1, payer), payer, currency="EUR", **sale)  # type: ignore[arg-type]
