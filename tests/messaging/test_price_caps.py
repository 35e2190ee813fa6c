"""The most that one text may cost: chosen by the merchant, kept to by campaigns and automations."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.campaigns.service import sending
from app.core.uow import unit_of_work
from app.messaging.service import capping
from app.messaging.service.capping import Caps
from tests import build_contacts, build_pools
from tests.automations.builders import an_automation, an_order, attempts, tell, work
from tests.build_campaigns import Merchant, a_merchant, statements

PATH = "/billing/price-caps"
LONG = "Hi {{firstName}}, " + "x" * 80


@pytest.fixture
def merchant(client: FlaskClient) -> Merchant:
    return a_merchant(client)


def cap(merchant: Merchant, most: int | None = None, **countries: int) -> Any:
    return merchant.data("PUT", PATH, {"maxCreditsPerMessage": most, "countries": countries})


def greek_and_american(merchant: Merchant) -> list[str]:
    """Three cheap Greeks, two Americans, and a Greek whose name doubles what a text costs; their phones."""
    people = {f"+30691234567{number}": "Ana" for number in range(3)}
    people |= {f"+1201555012{number}": "Bob" for number in range(2)} | {"+306912345679": "Ελένη"}
    for phone, name in people.items():
        build_contacts.a_contact(merchant.shop, phone=phone, first_name=name)
    return list(people)


# --- choosing them


def test_a_shop_has_no_caps_until_it_chooses_some(merchant: Merchant) -> None:
    none = {"maxCreditsPerMessage": None, "countries": {}}
    assert merchant.data("GET", PATH) == none

    chosen = cap(merchant, 2, US=0, GR=1)

    assert (
        merchant.data("GET", PATH) == chosen == {"maxCreditsPerMessage": 2, "countries": {"GR": 1, "US": 0}}
    )
    assert merchant.data("PUT", PATH, {"countries": {"CY": 1}})["countries"] == {"CY": 1}
    assert merchant.data("PUT", PATH, {}) == none


def test_caps_are_of_one_shop(merchant: Merchant, app: Flask) -> None:
    stranger = a_merchant(app.test_client())
    cap(merchant, 1, US=0)

    assert stranger.data("GET", PATH) == {"maxCreditsPerMessage": None, "countries": {}}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"maxCreditsPerMessage": 0}, "maxCreditsPerMessage"),
        ({"maxCreditsPerMessage": 100}, "maxCreditsPerMessage"),
        ({"maxCreditsPerMessage": "2"}, "maxCreditsPerMessage"),
        ({"countries": {"US": -1}}, "countries.US.value"),
        ({"countries": {"UK": 1}}, "countries"),
        ({"countries": {"*": 1}}, "countries"),
        ({"countries": {"us": 1}}, "countries"),
    ],
)
def test_what_is_no_cap_is_refused(merchant: Merchant, body: Any, field: str) -> None:
    cap(merchant, 3)

    assert merchant.fault("PUT", PATH, body) == field
    assert merchant.data("GET", PATH)["maxCreditsPerMessage"] == 3


def test_where_both_caps_speak_the_lower_one_counts() -> None:
    caps = Caps(2, {"GR": 1, "US": 0, "CY": 5})

    assert [caps.of(country) for country in ("GR", "US", "CY", "FR")] == [1, 0, 2, 2]
    assert caps.allow("CY", 2) and not caps.allow("CY", 3) and not caps.allow("US", 1)
    assert not Caps() and Caps(None, {"US": 0}) and Caps(1)


# --- campaigns


@pytest.mark.parametrize(
    ("most", "countries", "left", "credits"),
    [
        (None, {}, 6, 8),
        (2, {}, 5, 5),
        (None, {"GR": 2}, 5, 5),
        (None, {"US": 0}, 4, 6),
        (2, {"US": 0, "CA": 1}, 3, 3),
        (None, {"CY": 0}, 6, 8),
    ],
)
def test_whose_text_costs_more_gets_none(
    merchant: Merchant, most: int | None, countries: dict[str, int], left: int, credits: int
) -> None:
    greek_and_american(merchant)
    cap(merchant, most, **countries)
    campaign = merchant.a_campaign(message=LONG)

    shown = merchant.data("GET", f"/campaigns/{campaign}/preview")
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")

    assert (shown["recipientCount"], shown["creditsRequired"]) == (left, credits)
    assert shown["excluded"].get("overPriceCap", 0) == 6 - left
    assert (len(merchant.messages()), merchant.balance().held) == (left, credits)


def test_codes_go_to_those_who_get_a_text(merchant: Merchant) -> None:
    greek_and_american(merchant)
    cap(merchant, US=0)
    pool = build_pools.a_pool(merchant.shop, 4)
    campaign = merchant.a_campaign(message="{{firstName}}: {{discountCode}}", discountPoolId=str(pool))

    merchant.data("POST", f"/campaigns/{campaign}/enqueue")

    assert build_pools.given(merchant.shop) == build_pools.said(merchant.shop)
    assert len(merchant.messages()) == 4


def test_when_nobody_is_left_nothing_is_sent(merchant: Merchant) -> None:
    greek_and_american(merchant)
    cap(merchant, GR=0, US=0)
    campaign = merchant.a_campaign()

    assert merchant.refused("POST", f"/campaigns/{campaign}/enqueue") == (400, "NO_RECIPIENTS")


def test_a_large_audience_is_capped_when_it_is_frozen(
    app: Flask, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    inline = app.config["SETTINGS"].__class__(**{**vars(app.config["SETTINGS"]), "enqueue_inline_limit": 2})
    monkeypatch.setitem(app.config, "SETTINGS", inline)
    greek_and_american(merchant)
    campaign = merchant.a_campaign(message=LONG)
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")
    cap(merchant, 2, US=0)

    sending.freeze_large(merchant.shop.id, int(campaign))

    assert (len(merchant.messages()), merchant.balance().held) == (3, 3)


def test_where_a_text_is_one_credit_only_the_countries_count(
    app: Flask, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_message = app.config["SETTINGS"].__class__(
        **{**vars(app.config["SETTINGS"]), "credit_unit": "message"}
    )
    monkeypatch.setitem(app.config, "SETTINGS", by_message)
    greek_and_american(merchant)
    cap(merchant, 1, US=0)
    campaign = merchant.a_campaign(message=LONG)

    quoted = merchant.data("POST", f"/campaigns/{campaign}/quote")
    merchant.data("POST", f"/campaigns/{campaign}/enqueue", {"quoteId": quoted["id"]})

    assert (quoted["credits"], quoted["recipients"], quoted["parts"]) == (4, 4, {"1": 3, "3": 1})
    assert merchant.balance().held == 4


def test_without_caps_the_audience_is_frozen_by_the_same_statement(app: Flask, merchant: Merchant) -> None:
    greek_and_american(merchant)
    with statements(app) as seen:
        merchant.data("POST", f"/campaigns/{merchant.a_campaign()}/enqueue")

    [frozen] = [one for one in seen if "INSERT INTO messages" in one]
    assert "calling_areas" not in frozen and "uncapped" not in frozen


def test_the_country_of_many_numbers_is_read_at_once(app: Flask, merchant: Merchant) -> None:
    with unit_of_work(merchant.shop.id), statements(app) as seen:
        found = capping.countries_of(["+306912345678", "+12015550123", "+12045550123", "+999", "+999"])

    assert found == {"+306912345678": "GR", "+12015550123": "US", "+12045550123": "CA", "+999": "ZZ"}
    assert len(seen) == 1 and "app.shop_id" not in seen[0]


# --- automations


def test_an_automations_text_over_the_cap_is_not_sent_and_the_log_says_why(merchant: Merchant) -> None:
    phones = greek_and_american(merchant)
    cap(merchant, 2, US=0)
    an_automation(merchant.shop, "order_placed", LONG)
    for phone in phones:
        tell(merchant.shop, "order_changed", an_order(phone))

    work(merchant.shop)

    outcomes = [(outcome, reason) for _, outcome, reason in attempts(merchant.shop)]
    assert outcomes == [("sent", None)] * 3 + [("skipped", "over_price_cap")] * 3
    assert (len(merchant.messages()), merchant.balance().held) == (3, 3)


def test_an_automation_that_may_text_nobody_sends_nothing(merchant: Merchant) -> None:
    [phone, *_] = greek_and_american(merchant)
    cap(merchant, GR=0)
    an_automation(merchant.shop, "order_placed", LONG)
    tell(merchant.shop, "order_changed", an_order(phone))

    work(merchant.shop)

    assert attempts(merchant.shop) == [(1, "skipped", "over_price_cap")]
    assert merchant.messages() == []
