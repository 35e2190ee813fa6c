"""The contact form of the public site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.uow import unit_of_work
from app.storefront.models import Enquiry
from tests import build

FORM = {"name": "Maria Pappa", "email": "Maria@example.com", "message": "How much are 100,000 texts?"}
Kept = Callable[[], list[Any]]


def test_what_people_write_is_kept(client: FlaskClient, enquiries: Kept):
    answer = client.post("/public/contact", json=FORM)

    assert answer.status_code == 200
    assert answer.json["data"]["submitted"] is True
    assert answer.json["data"]["message"]
    assert enquiries() == [("Maria Pappa", "maria@example.com", FORM["message"])]


def test_the_form_works_without_the_hidden_field_or_with_it_empty(client: FlaskClient, enquiries: Kept):
    for website in ("", None, False):
        assert client.post("/public/contact", json={**FORM, "website": website}).status_code == 200

    assert len(enquiries()) == 3


@pytest.mark.parametrize("website", ["https://spam.example", " ", 1, ["x"], {"a": 1}, True])
def test_a_machine_is_thanked_and_nothing_is_kept(client: FlaskClient, enquiries: Kept, website: Any):
    honest = client.post("/public/contact", json=FORM).json["data"]

    answer = client.post("/public/contact", json={**FORM, "website": website})

    assert answer.status_code == 200
    assert answer.json["data"] == honest
    assert len(enquiries()) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "  "),
        ("name", "x" * 101),
        ("name", None),
        ("name", ["x"]),
        ("email", ""),
        ("email", None),
        ("email", "maria"),
        ("email", "maria@"),
        ("email", "a@example.com\r\nBcc: b@example.com"),
        ("email", "x" * 300 + "@example.com"),
        ("message", ""),
        ("message", "too short"),
        ("message", "   short    "),
        ("message", "x" * 2001),
        ("message", "a\x00" * 10),
        ("message", 1234567890123),
        ("message", None),
    ],
)
def test_what_cannot_be_answered_is_named(client: FlaskClient, enquiries: Kept, field: str, value: Any):
    answer = client.post("/public/contact", json={**FORM, field: value})

    assert answer.status_code == 400, answer.text
    assert answer.json["details"][0]["field"] == field
    assert enquiries() == []


def test_no_shop_can_read_what_was_written_to_us(client: FlaskClient, app: Flask, enquiries: Kept):
    client.post("/public/contact", json=FORM)

    with unit_of_work(build.a_shop().id) as session:
        assert session.query(Enquiry).count() == 0
    assert len(enquiries()) == 1
