"""Firing an automation by hand."""

from __future__ import annotations

import dataclasses

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.settings import settings
from app.shops.models import Shop
from tests import build, build_contacts

PATH = "/automation-webhooks/trigger"


@pytest.fixture
def shop(app: Flask) -> Shop:
    return build.a_shop()


def fire(client: FlaskClient, shop: Shop, contact_id: int, **headers: str) -> tuple[int, str | None]:
    body = {
        "shopId": "999",
        "contactId": str(contact_id),
        "triggerEvent": "welcome",
        "additionalData": {"x": 1},
    }
    answer = client.post(PATH, json=body, headers=build.auth(shop) | headers)
    return answer.status_code, answer.json.get("code")


def test_a_merchant_fires_for_contacts_of_the_own_shop_only(client: FlaskClient, shop: Shop) -> None:
    mine, theirs = build_contacts.a_contact(shop), build_contacts.a_contact(build.a_shop())

    assert fire(client, shop, mine.id)[0] == 200
    assert fire(client, shop, theirs.id)[0] == 404
    assert client.post(PATH, json={}).status_code == 401


def test_in_production_only_the_administrator_fires(app: Flask, client: FlaskClient, shop: Shop) -> None:
    contact = build_contacts.a_contact(shop)
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = dataclasses.replace(before, app_env="production")
    try:
        assert fire(client, shop, contact.id) == (403, "FORBIDDEN")
        assert fire(client, shop, contact.id, **{"X-Admin-Token": settings().admin_token})[0] == 200
    finally:
        app.config["SETTINGS"] = before


def test_a_trigger_that_does_not_exist_is_refused(client: FlaskClient, shop: Shop) -> None:
    contact = build_contacts.a_contact(shop)
    body = {"contactId": str(contact.id), "triggerEvent": "full_moon"}

    answer = client.post(PATH, json=body, headers=build.auth(shop))

    assert (answer.status_code, answer.json["code"]) == (400, "VALIDATION_ERROR")
