"""Contacts and the suppression list as files, and a suppression list from a file."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.shops.models import Shop
from tests import build
from tests.build_contacts import (
    a_contact,
    a_suppression,
    consent_events,
    contacts,
    reload_contact,
    suppressed_phones,
)
from tests.contacts.import_files import csv_file


def exported(client: FlaskClient, shop: Shop, path: str = "/contacts/export", **query: Any) -> Any:
    answer = client.get(path, query_string=query, headers=build.auth(shop))
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert answer.mimetype == "text/csv"
    text = answer.data.decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines()))


def bring_back(client: FlaskClient, shop: Shop, content: bytes) -> TestResponse:
    return client.post(
        "/suppressions/import", data=content, content_type="text/csv", headers=build.auth(shop)
    )


def test_contacts_come_with_the_evidence_of_their_consent(client, shop):
    a_contact(shop, first_name="Εύα", email="eva@example.com", tags=["VIP", "Athens"])
    a_contact(shop, first_name="None", consent="unknown")

    nobody, eva = exported(client, shop)

    assert (eva["firstName"], eva["email"], eva["tags"]) == ("Εύα", "eva@example.com", "VIP;Athens")
    assert (eva["smsConsent"], eva["consentSource"], eva["evidenceAction"]) == ("opted_in", "manual", "grant")
    assert eva["evidenceAt"].endswith("Z")
    assert (nobody["smsConsent"], nobody["evidenceAction"], nobody["evidence"]) == ("unknown", "", "")


def test_the_export_is_filtered_and_ordered_like_the_list(client, shop):
    for name in ("Beta", "Alpha", "Gamma"):
        a_contact(shop, first_name=name, gender="female")
    a_contact(shop, first_name="Alone", gender="male")

    rows = exported(client, shop, gender="female", sortBy="firstName", sortOrder="asc")

    assert [row["firstName"] for row in rows] == ["Alpha", "Beta", "Gamma"]
    assert [row["firstName"] for row in exported(client, shop, q="alph")] == ["Alpha"]


def test_a_long_list_is_exported_once_and_whole(client, shop):
    contacts(shop, 2001)

    phones = [row["phoneE164"] for row in exported(client, shop)]

    assert len(phones) == len(set(phones)) == 2001


@pytest.mark.parametrize("name", ["=1+1", "+cmd", "-2", "@SUM(A1)", " =1"])
def test_no_cell_is_a_formula(client, shop, name):
    a_contact(shop, first_name=name)

    (row,) = exported(client, shop)

    assert row["firstName"] == f"'{name}"


def test_a_shop_exports_its_own(client, shop, stranger):
    a_contact(stranger)
    a_suppression(stranger)

    assert exported(client, shop) == []
    assert exported(client, shop, "/suppressions/export") == []
    assert client.get("/contacts/export?listId=999", headers=build.auth(shop)).status_code == 404
    assert client.get("/contacts/export?gender=x", headers=build.auth(shop)).status_code == 400


def test_an_exported_suppression_list_can_be_brought_into_another_shop(client, shop, stranger):
    phones = {a_suppression(shop) for _ in range(3)}
    answer = client.get("/suppressions/export", headers=build.auth(shop))

    first = bring_back(client, stranger, answer.data)
    again = bring_back(client, stranger, answer.data)

    assert first.json["data"] == {"added": 3, "already": 0, "errors": []}
    assert again.json["data"] == {"added": 0, "already": 3, "errors": []}
    assert suppressed_phones(stranger) == phones
    assert {event.source for event in consent_events(stranger)} == {"import"}


def test_a_form_may_carry_the_file_and_bad_rows_are_named(client, shop):
    contact = a_contact(shop, phone="+306912345678")
    file = csv_file([["Name", "Phone"], ["Eva", "691 234 5678"], ["X", "not a phone"], ["Y", "2101234567"]])
    head = b'--line\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\n'

    answer = client.post(
        "/suppressions/import",
        data=head + file + b"\r\n--line--\r\n",
        content_type="multipart/form-data; boundary=line",
        headers=build.auth(shop),
    )

    assert answer.status_code == 200, answer.text
    assert [(error["row"], error["phone"]) for error in answer.json["data"]["errors"]] == [
        (2, "not a phone"),
        (3, "2101234567"),
    ]
    assert reload_contact(shop, contact.id).consent == "opted_out"


def test_a_list_needs_no_header(client, shop):
    answer = bring_back(client, shop, b"+306912345678\r\n6987654321\n")

    assert answer.json["data"]["added"] == 2
    assert suppressed_phones(shop) == {"+306912345678", "+306987654321"}


@pytest.mark.parametrize("content", [b"", b"\n", b"name,colour\nEva,red\n", b"phone\n", b"PK\x03\x04"])
def test_a_file_without_numbers_is_refused(client, shop, content):
    refused = bring_back(client, shop, content)

    assert (refused.status_code, refused.json["code"]) == (400, "VALIDATION_ERROR")
    assert [detail["field"] for detail in refused.json["details"]] == ["file"]


def test_what_is_no_csv_is_refused(client, shop):
    refused = client.post("/suppressions/import", json={"phones": []}, headers=build.auth(shop))

    assert (refused.status_code, refused.json["code"]) == (400, "INVALID_CONTENT_TYPE")


def test_an_import_of_contacts_revives_no_imported_opt_out(client, shop):
    bring_back(client, shop, b"+306912345678")
    rows = [{"phone": "+306912345678", "smsConsent": "opted_in"}]
    client.post("/contacts/import", json={"contacts": rows}, headers=build.auth(shop))

    (row,) = exported(client, shop)
    assert (row["smsConsent"], row["evidenceAction"]) == ("opted_out", "withdraw")
