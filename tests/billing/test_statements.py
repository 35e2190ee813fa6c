"""A shop's month in credits and money."""

from __future__ import annotations

import csv
import io
import itertools
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.billing.statements.months import months_of
from app.billing.statements.reckoning import Statement, statement_of
from app.billing.statements.wording import Line
from app.core.clock import now
from app.core.csv import csv_text
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.payers.service import profiles
from app.shops.models import Shop
from tests import build, build_messages

NAME = "Υφάσματα & Σία Ο.Ε."


def this_month() -> str:
    return f"{now():%Y-%m}"


def aged(owner: sa.Engine, shop: Shop, months: int) -> None:
    """The shop came that many months ago."""
    with owner.connect() as connection:
        connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
        connection.exec_driver_sql(
            f"UPDATE shops SET timezone = 'UTC', created_at = created_at - interval '{months} months'"
            f" WHERE id = {shop.id}"
        )


def transfers_at(owner: sa.Engine, shop: Shop, moment: datetime, after_id: int = 0) -> None:
    """The shop's transfers behind an id were posted at that moment."""
    with owner.connect() as connection:
        connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
        connection.exec_driver_sql("ALTER TABLE ledger_transfers DISABLE TRIGGER USER")
        connection.execute(
            sa.text(
                "UPDATE ledger_transfers SET created_at = :moment WHERE shop_id = :shop_id AND id > :after"
            ),
            {"moment": moment, "shop_id": shop.id, "after": after_id},
        )
        connection.exec_driver_sql("ALTER TABLE ledger_transfers ENABLE TRIGGER USER")


def last_transfer(owner: sa.Engine) -> int:
    with owner.connect() as connection:
        connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
        return int(
            connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM ledger_transfers").scalar_one()
        )


def sold(shop: Shop, **columns: Any) -> None:
    """A top-up that was paid now."""
    values = {
        "shop_id": shop.id,
        "kind": "topup",
        "credits": 1000,
        "net_cents": 4500,
        "tax_cents": 1080,
        "gross_cents": 5580,
        "currency": "EUR",
        "vat_treatment": "domestic_vat",
        "vat_rate": "0.24",
        "vat_jurisdiction": "GR",
        "status": "paid",
        "paid_at": now(),
        **columns,
    }
    names = ", ".join(values)
    with unit_of_work(shop.id) as session:
        given = ", ".join(f":{name}" for name in values)
        session.execute(sa.text(f"INSERT INTO purchases ({names}) VALUES ({given})"), values)


def invoiced(shop: Shop, **columns: Any) -> None:
    values = {
        "shop_id": shop.id,
        "stripe_invoice_id": "in_1",
        "subtotal_cents": 4000,
        "tax_cents": 960,
        "total_cents": 4960,
        "paid_cents": 4960,
        "currency": "EUR",
        "status": "paid",
        "issued_at": now(),
        "paid_at": now(),
        **columns,
    }
    names = ", ".join(values)
    with unit_of_work(shop.id) as session:
        given = ", ".join(f":{name}" for name in values)
        session.execute(sa.text(f"INSERT INTO invoices ({names}) VALUES ({given})"), values)


def held(shop: Shop) -> tuple[int, int]:
    """What the shop has and owes, by the balances of its accounts."""
    with unit_of_work(shop.id):
        balance = credits.balance_of(shop.id)
    return balance.wallet + balance.allowance + balance.held, balance.debt


def closing(statement: Statement) -> tuple[int, int]:
    return statement.closing_credits, statement.closing_debt


def table(client: FlaskClient, shop: Shop, month: str) -> list[dict[str, str]]:
    answer = client.get(f"/billing/statements/{month}.csv", headers=build.auth(shop))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"] == f'attachment; filename="statement-{month}.csv"'
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


def test_a_new_shop_has_a_statement_of_its_first_month(client: FlaskClient):
    shop = build.a_shop()

    answer = client.get("/billing/statements", headers=build.auth(shop))

    months = answer.json["data"]["statements"]
    assert [month["month"] for month in months] == [this_month()]
    assert months[0]["isComplete"] is False
    assert months[0]["csvUrl"] == f"/billing/statements/{this_month()}.csv"
    assert client.get(months[0]["pdfUrl"], headers=build.auth(shop)).status_code == 200


def test_months_are_listed_from_the_shops_first_the_newest_first(client: FlaskClient, owner: sa.Engine):
    shop = build.a_shop()
    aged(owner, shop, 14)

    months = client.get("/billing/statements", headers=build.auth(shop)).json["data"]["statements"]
    one = months[3]["month"]
    alone = client.get(f"/billing/statements?month={one}", headers=build.auth(shop)).json["data"]

    names = [month["month"] for month in months]
    assert len(names) in {14, 15}
    assert names == sorted(names, reverse=True)
    assert all(month["isComplete"] for month in months[1:])
    assert [month["month"] for month in alone["statements"]] == [one]


@pytest.mark.parametrize("month", ["2026-13", "26-11", "x", "2026-11-01"])
def test_a_month_that_is_none_is_refused(client: FlaskClient, month: str):
    answer = client.get(f"/billing/statements?month={month}", headers=build.auth(build.a_shop()))

    assert (answer.status_code, answer.json["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("month", ["2019-01", "2099-01", "2026-13", "x", "2026-11%0A"])
@pytest.mark.parametrize("kind", ["csv", "pdf"])
def test_a_month_without_the_shop_is_not_found(client: FlaskClient, month: str, kind: str):
    answer = client.get(f"/billing/statements/{month}.{kind}", headers=build.auth(build.a_shop()))

    assert answer.status_code == 404


def test_the_month_is_that_of_the_shops_place(client: FlaskClient, owner: sa.Engine):
    shop = build.a_shop()
    aged(owner, shop, 3)
    with unit_of_work(shop.id) as session:
        session.execute(sa.text("UPDATE shops SET timezone = 'Europe/Athens'"))
        last = months_of(profiles.shown(shop.id).shop)[1]
        shop = profiles.shown(shop.id).shop

    assert last.ends_at == datetime(last.next.year, last.next.number, 1, tzinfo=last.zone)
    assert last.ends_at.astimezone(UTC).hour in {21, 22}


def test_everything_that_moved_is_there_with_its_money(client: FlaskClient):
    shop = build.a_shop()
    with unit_of_work(shop.id):
        credits.purchase(shop.id, 1000, key="stripe:purchase:1", reason="bought")
    sold(shop, refunded_cents=2790)
    invoiced(shop)
    with unit_of_work(shop.id):
        credits.reverse(shop.id, 500, key="stripe:purchase:1:reversal:1", reason="refunded")

    rows = table(client, shop, this_month())

    figures = [(row["section"], row["what"], row["credits"], row["debt"]) for row in rows]
    assert figures[0] == ("opening", "Opening", "0", "0")
    assert ("movement", "SMS included in the plan", "100", "0") in figures
    assert ("movement", "Credits bought", "1000", "0") in figures
    assert ("movement", "Taken back: the payment was refunded or disputed", "-500", "0") in figures
    assert ("closing", "Closing", "600", "0") in figures
    money = [row for row in rows if row["section"] == "money"]
    assert [(row["what"], row["net"], row["vat"], row["gross"], row["refunded"]) for row in money] == [
        ("Top-up", "45.00", "10.80", "55.80", "27.90"),
        ("Subscription", "40.00", "9.60", "49.60", "0.00"),
    ]
    assert (money[0]["vat_rate"], money[0]["treatment"], money[0]["currency"]) == (
        "24.0%",
        "Greek VAT",
        "EUR",
    )
    total = rows[-1]
    assert (total["section"], total["net"], total["vat"], total["gross"]) == (
        "total",
        "85.00",
        "20.40",
        "105.40",
    )


def test_what_is_not_paid_is_no_money(client: FlaskClient):
    shop = build.a_shop()
    for status in ("pending", "failed", "expired", "mismatched"):
        sold(shop, status=status, paid_at=None)
    invoiced(shop, status="open", paid_at=None)

    assert [row for row in table(client, shop, this_month()) if row["section"] == "money"] == []


def test_a_debt_is_told_from_credits_and_settled_by_a_purchase(client: FlaskClient):
    shop = build.a_shop(plan=None)
    with unit_of_work(shop.id):
        credits.reverse(shop.id, 300, key="stripe:purchase:1:reversal:1", reason="refunded")

    statement = statement_of(shop.id, this_month())
    assert closing(statement) == (0, 300) == held(shop)

    with unit_of_work(shop.id):
        credits.purchase(shop.id, 1000, key="stripe:purchase:2", reason="bought")

    statement = statement_of(shop.id, this_month())
    assert closing(statement) == (700, 0) == held(shop)
    assert [(one.kind, one.credits, one.debt) for one in statement.movements] == [
        ("reversal", 0, 300),
        ("purchase", 1000, 0),
        ("settlement", -300, -300),
    ]


def test_each_campaign_has_one_sum_under_its_name(client: FlaskClient):
    shop = build.a_shop()
    run = build_messages.a_run(shop, "Hello!").run_id
    with unit_of_work(shop.id) as session:
        campaign = session.scalar(
            sa.text(
                "INSERT INTO campaigns (shop_id, name, message) VALUES (:shop, '=HYPERLINK(1)', 'Hello')"
                " RETURNING id"
            ),
            {"shop": shop.id},
        )
        session.execute(
            sa.text("UPDATE message_runs SET source = 'campaign', source_id = :id"), {"id": campaign}
        )
        credits.hold(shop.id, run, 7, key="more")
        credits.capture(shop.id, run, 2, key="one")
        credits.capture(shop.id, run, 3, key="two")
        credits.release(shop.id, run, 1, key="three")

    statement = statement_of(shop.id, this_month())
    used = [row for row in table(client, shop, this_month()) if row["section"] == "usage"]

    assert [(one.kind, one.credits) for one in statement.usage] == [("capture", -5)]
    assert closing(statement) == held(shop) == (95, 0)
    assert [(row["what"], row["credits"]) for row in used] == [("Campaign: =HYPERLINK(1), sent", "-5")]


def test_what_a_spreadsheet_could_reckon_is_text():
    told = Line("movement", "", "=1+1", -5).cells()

    assert csv_text([told]).startswith("movement,,'=1+1,-5,")


def test_the_closing_of_a_month_is_the_opening_of_the_next(client: FlaskClient, owner: sa.Engine):
    shop = build.a_shop()
    aged(owner, shop, 3)
    with unit_of_work(shop.id):
        months = months_of(profiles.shown(shop.id).shop)[::-1]
    for number, month in enumerate(months):
        before = last_transfer(owner) if number else 0
        with unit_of_work(shop.id):
            credits.purchase(shop.id, 100 + number, key=f"stripe:purchase:{number}", reason="bought")
        transfers_at(owner, shop, month.starts_at + timedelta(minutes=1), before)

    statements = [statement_of(shop.id, month.name) for month in months]

    assert statements[0].opening_credits == 0
    for earlier, later in itertools.pairwise(statements):
        assert earlier.closing_credits == later.opening_credits
    assert closing(statements[-1]) == held(shop)


@pytest.mark.parametrize("seed", range(25))
def test_whatever_happened_the_closing_is_what_the_shop_has(client: FlaskClient, owner: sa.Engine, seed: int):
    lot = random.Random(seed)  # noqa: S311 (a replay)
    shop = build.a_shop()
    aged(owner, shop, 3)
    run = build_messages.a_run(shop, "Hello!").run_id
    with unit_of_work(shop.id):
        months = months_of(profiles.shown(shop.id).shop)[::-1]
    expected = {}
    for month in months:
        before = last_transfer(owner) if month is not months[0] else 0
        for _ in range(lot.randrange(1, 8)):
            something_happens(lot, shop, run)
        transfers_at(owner, shop, month.starts_at + timedelta(seconds=lot.randrange(100)), before)
        expected[month.name] = held(shop)

    statements = [statement_of(shop.id, month.name) for month in months]

    assert {one.month.name: closing(one) for one in statements} == expected
    for earlier, later in itertools.pairwise(statements):
        assert closing(earlier) == (later.opening_credits, later.opening_debt)


def something_happens(lot: random.Random, shop: Shop, run: int) -> None:
    key, amount = f"k:{lot.getrandbits(60)}", lot.randrange(1, 60)
    with unit_of_work(shop.id):
        balance = credits.balance_of(shop.id)
        held_now = lot.randrange(balance.held) + 1 if balance.held else 0
        lot.choice(
            [
                lambda: credits.purchase(shop.id, amount * 5, key=key, reason="bought"),
                lambda: credits.reverse(shop.id, amount * 4, key=key, reason="refunded"),
                lambda: credits.reinstate(shop.id, amount, key=key, reason="won"),
                lambda: credits.grant(shop.id, amount, key=key, reason="given"),
                lambda: credits.start_allowance_period(shop.id, amount, period=key),
                lambda: credits.hold(shop.id, run, min(amount, balance.available), key=key),
                lambda: credits.hold(shop.id, run, min(amount, balance.available), key=key),
                lambda: credits.capture(shop.id, run, held_now, key=key),
                lambda: credits.release(shop.id, run, held_now, key=key),
            ]
        )()


def test_a_pdf_prints_greek_names(client: FlaskClient):
    shop = build.a_shop(name="北京 shop")
    profiles.save(shop.id, {"legal_name": NAME, "billing_address": {"city": "Αθήνα", "country": "GR"}})
    sold(shop)

    answer = client.get(f"/billing/statements/{this_month()}.pdf", headers=build.auth(shop))

    assert answer.status_code == 200
    assert answer.content_type == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    assert f"statement-{this_month()}.pdf" in answer.headers["Content-Disposition"]
    assert answer.data.startswith(b"%PDF-")
    assert b"OpenSans" in answer.data


def test_a_shop_reads_its_own_statements_only(client: FlaskClient):
    mine, other = build.a_shop(), build.a_shop()
    with unit_of_work(mine.id):
        credits.purchase(mine.id, 5000, key="stripe:purchase:1", reason="bought")
    sold(mine)

    rows = table(client, other, this_month())

    assert [row["what"] for row in rows] == ["Opening", "SMS included in the plan", "Closing"]


def test_nobody_reads_statements_without_a_credential(client: FlaskClient):
    assert client.get("/billing/statements").status_code == 401
    assert client.get(f"/billing/statements/{this_month()}.pdf").status_code == 401
