"""Counting contacts, and the birthdays that are near."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.contacts.queries import birthdays
from app.core.database import db
from app.core.uow import unit_of_work
from app.shops.models import Shop
from tests import build
from tests.build_contacts import a_contact


def get(client: FlaskClient, shop: Shop, path: str) -> Any:
    response = client.get(path, headers=build.auth(shop))
    assert response.status_code == 200, response.json
    return response.json["data"]


def today_in(zone: str) -> date:
    return datetime.now(ZoneInfo(zone)).date()


def years_before(day: date, years: int) -> date:
    """The same day in an earlier year; 29 February falls back to the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def near(shop: Shop, today: date, days_ahead: int) -> list[date]:
    """Birth dates of those whose birthday is near, when today is `today`."""
    with unit_of_work(shop.id):
        rows = birthdays(shop.id, today=today, days_ahead=days_ahead, most=100)
    return [row["birth_date"] for row in rows]


def test_the_figures_have_the_shape_that_the_clients_read(client, shop, stranger):
    born = date(1990, 5, 15)
    a_contact(shop, gender="female", birth_date=born)
    a_contact(shop, gender="male")
    a_contact(shop)
    a_contact(shop, consent="opted_out", birth_date=born)
    a_contact(shop, consent="unknown", gender="other")
    a_contact(stranger)

    assert get(client, shop, "/contacts/stats") == {
        "total": 5,
        "optedIn": 3,
        "optedOut": 1,
        "unknown": 1,
        "smsConsent": {"optedIn": 3, "optedOut": 1, "unknown": 1, "consentRate": 60},
        "byGender": {"male": 1, "female": 1, "other": 1, "unspecified": 2},
        "gender": {"male": 1, "female": 1, "other": 1, "unspecified": 2},
        "birthDate": {"withBirthDate": 2, "withoutBirthDate": 3, "birthDateRate": 40},
        "automation": {"birthdayEligible": 1, "smsEligible": 3},
    }


def test_the_figures_of_an_empty_shop_are_zero(client, shop):
    figures = get(client, shop, "/contacts/stats")

    assert figures["total"] == 0
    assert figures["smsConsent"]["consentRate"] == 0
    assert figures["birthDate"]["birthDateRate"] == 0


def test_the_figures_count_no_contact_anew(client, shop):
    a_contact(shop)
    statements: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        get(client, shop, "/contacts/stats")
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)

    assert [statement for statement in statements if "FROM contacts" in statement] == []
    assert len([statement for statement in statements if "FROM contact_counts" in statement]) == 1


def test_birthdays_from_today_on_are_listed_soonest_first(client, shop, stranger):
    today = today_in("Europe/Athens")
    for days, name in ((7, "last"), (0, "first"), (8, "late"), (-1, "gone"), (3, "middle")):
        a_contact(shop, first_name=name, birth_date=years_before(today + timedelta(days), 28))
    a_contact(shop, first_name="refuses", birth_date=years_before(today, 20), consent="opted_out")
    a_contact(shop, first_name="never asked", birth_date=years_before(today, 20), consent="unknown")
    a_contact(shop, first_name="ageless")
    a_contact(stranger, first_name="theirs", birth_date=years_before(today, 20))

    found = get(client, shop, "/contacts/birthdays")

    assert [contact["firstName"] for contact in found["contacts"]] == ["first", "middle", "last"]
    assert (found["daysAhead"], found["total"], found["count"]) == (7, 3, 3)
    assert found["contacts"][0].keys() == {
        "id",
        "firstName",
        "lastName",
        "phoneE164",
        "email",
        "birthDate",
    }


def test_today_is_the_shops_day(client, shop):
    zones = ("Pacific/Kiritimati", "Pacific/Pago_Pago")  # 25 hours apart: never the same day
    for zone in zones:
        a_contact(shop, first_name=zone, birth_date=years_before(today_in(zone), 28))

    with unit_of_work(shop.id) as session:
        session.execute(sa.text("UPDATE shops SET timezone = :zone"), {"zone": zones[1]})
    found = get(client, shop, "/contacts/birthdays?daysAhead=1")["contacts"]

    assert found[0]["firstName"] == zones[1]


def test_the_window_reaches_into_the_next_year(shop):
    a_contact(shop, birth_date=date(1990, 1, 2))
    a_contact(shop, birth_date=date(1990, 12, 30))

    assert near(shop, date(2026, 12, 29), 7) == [date(1990, 12, 30), date(1990, 1, 2)]
    assert near(shop, date(2026, 12, 31), 7) == [date(1990, 1, 2)]
    assert near(shop, date(2026, 1, 3), 365) == [date(1990, 12, 30), date(1990, 1, 2)]


def test_the_29th_of_february_is_kept_on_the_28th_in_common_years(shop):
    a_contact(shop, birth_date=date(2000, 2, 29))

    assert near(shop, date(2026, 2, 28), 1) == [date(2000, 2, 29)]
    assert near(shop, date(2026, 3, 1), 7) == []
    assert near(shop, date(2028, 2, 28), 1) == [date(2000, 2, 29)]
    assert near(shop, date(2028, 2, 27), 1) == []
    assert near(shop, date(2028, 2, 29), 1) == [date(2000, 2, 29)]
    assert near(shop, date(2027, 12, 31), 59) == []
    assert near(shop, date(2027, 12, 31), 60) == [date(2000, 2, 29)]


@pytest.mark.parametrize("days", ["0", "366", "soon", "-1"])
def test_a_window_is_one_to_365_days(client, shop, days):
    response = client.get(f"/contacts/birthdays?daysAhead={days}", headers=build.auth(shop))

    assert response.status_code == 400
    assert response.json["details"][0]["field"] == "daysAhead"
