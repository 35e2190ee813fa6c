"""Reports to keep, as data and as files."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.uow import unit_of_work
from app.reports.service import exporting
from tests.build_campaigns import Merchant
from tests.reports.history import a_sent_campaign, days_ago

TYPES = ("overview", "campaigns", "automations", "credits", "contacts", "messaging")


def a_file(merchant: Merchant, query: str) -> Any:
    answer = merchant.call("GET", f"/reports/export?download=true&{query}")
    assert answer.status_code == 200, answer.text
    return answer


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("report", TYPES)
def test_every_report_can_be_exported_with_its_csv_inside(merchant: Merchant, report: str) -> None:
    a_sent_campaign(merchant, "aa", "d")

    shown = merchant.data("GET", f"/reports/export?type={report}&format=csv")

    assert (shown["format"], shown["reportType"]) == ("csv", report)
    own = merchant.data("GET", f"/reports/{report}")
    assert shown["exportData"] == own
    assert len(rows_of(shown["csv"])) > 0
    assert shown["generatedAt"][:10] < shown["expiresAt"][:10]


@pytest.mark.parametrize("report", TYPES)
def test_every_report_is_a_file_in_both_formats(merchant: Merchant, report: str) -> None:
    a_sent_campaign(merchant, "aa", "d")

    as_csv, as_json = a_file(merchant, f"type={report}&format=csv"), a_file(merchant, f"type={report}")

    assert as_csv.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert as_json.headers["Content-Type"] == "application/json"
    first, last = days_ago(merchant, 29), days_ago(merchant, 0)
    name = f'attachment; filename="astronote-{report}-{first}-{last}.csv"'
    assert as_csv.headers["Content-Disposition"] == name
    assert as_csv.headers["X-Content-Type-Options"] == "nosniff"
    assert as_csv.text.startswith("\ufeff")
    written = [{key: str(value) for key, value in row.items()} for row in json.loads(as_json.text)]
    assert rows_of(as_csv.text) == written


def test_without_a_format_it_is_data_only(merchant: Merchant) -> None:
    shown = merchant.data("GET", "/reports/export")

    assert (shown["format"], shown["reportType"]) == ("json", "overview")
    assert "csv" not in shown


def test_the_days_of_a_file_are_the_days_of_the_report(merchant: Merchant) -> None:
    a_sent_campaign(merchant, "aaar", "ddf")

    rows = rows_of(a_file(merchant, f"type=messaging&format=csv&from={days_ago(merchant, 1)}").text)

    assert [row["date"] for row in rows] == [days_ago(merchant, 1), days_ago(merchant, 0)]
    assert rows[1] | {"date": ""} == {
        "date": "",
        "sent": "3",
        "delivered": "2",
        "failed": "2",
        "deliveryRate": "66.7",
        "creditsUsed": "2",
    }


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", '=HYPERLINK("x")', "-2+3", "a,b", 'a"b', "Ωμέγα"]
)
def test_no_cell_is_a_formula_and_none_breaks_out(merchant: Merchant, name: str) -> None:
    with unit_of_work(merchant.shop.id) as session:
        add = sa.text("INSERT INTO campaigns (shop_id, name, message) VALUES (:shop, :name, 'x')")
        session.execute(add, {"shop": merchant.shop.id, "name": name})

    (row,) = rows_of(a_file(merchant, "type=campaigns&format=csv").text)

    assert row["name"].strip()[0] not in "=+-@"
    assert row["name"] in {name, f"'{name}"}


def test_a_long_list_is_read_in_pages_and_is_complete(merchant: Merchant) -> None:
    many = exporting.PAGE + 3
    with unit_of_work(merchant.shop.id) as session:
        add = sa.text(
            "INSERT INTO campaigns (shop_id, name, message)"
            " SELECT :shop, 'c' || n, 'x' FROM generate_series(1, :many) n"
        )
        session.execute(add, {"shop": merchant.shop.id, "many": many})

    rows = rows_of(a_file(merchant, "type=campaigns&format=csv").text)

    assert len({row["id"] for row in rows}) == len(rows) == many


def test_a_file_holds_nothing_of_strangers(merchant: Merchant, stranger: Merchant) -> None:
    a_sent_campaign(merchant, "aa", "d", name="Secret")

    for report in TYPES:
        text = a_file(stranger, f"type={report}&format=csv").text
        assert "Secret" not in text
    assert rows_of(a_file(stranger, "type=campaigns&format=csv").text) == []
    assert json.loads(a_file(stranger, "type=campaigns").text) == []


@pytest.mark.parametrize(
    "query",
    ["type=nonsense", "format=pdf", "format=csv&from=x", "from=2026-02-02&to=2026-02-01", "download=perhaps"],
)
def test_an_export_that_makes_no_sense_is_refused(merchant: Merchant, query: str) -> None:
    assert merchant.refused("GET", f"/reports/export?{query}") == (400, "VALIDATION_ERROR")
