"""Opting out by the link in a text: the page for phones, and the same for the web clients."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.contacts import consent
from app.contacts.consent import ConsentSource
from app.core.settings import settings
from app.core.uow import across_shops, unit_of_work
from app.shops import service as shops
from tests.links.rows import (
    MASKED,
    PHONE,
    SentText,
    a_contact,
    a_shop_id,
    a_text,
    everything,
    rows,
    value,
)

GREEK = {"Accept-Language": "el-GR,el;q=0.9,en;q=0.4"}


@pytest.fixture
def shop_id(app: Flask) -> int:
    return a_shop_id(name="Kalamata Olives")


@pytest.fixture
def sent(shop_id: int) -> SentText:
    """A text to a contact who had consented."""
    return a_text(shop_id, contact_id=a_contact(shop_id))


def consent_of(shop_id: int) -> Any:
    return value("SELECT consent FROM contacts WHERE shop_id = :id", id=shop_id)


def legacy_token(claims: object, secret: str | None = None, *, over_encoding: bool = True) -> str:
    body = json.dumps(claims).encode()
    encoded = base64.urlsafe_b64encode(body).rstrip(b"=")
    key = (secret or settings().unsubscribe_secret).encode()
    mac = hmac.new(key, encoded if over_encoding else body, hashlib.sha256).hexdigest()
    return f"{encoded.decode()}.{mac}"


def test_the_page_asks_before_it_does_anything(client: FlaskClient, sent: SentText) -> None:
    before = everything()

    response = client.get(f"/opt-out/{sent.token()}")

    assert response.status_code == 200
    assert "Stop texts from Kalamata Olives?" in response.text
    assert MASKED in response.text
    assert PHONE not in response.text
    assert '<form method="post">' in response.text
    assert everything() == before, "link scanners open every link"


def test_the_page_speaks_greek_to_phones_that_do(client: FlaskClient, sent: SentText) -> None:
    asked = client.get(f"/opt-out/{sent.token()}", headers=GREEK)
    done = client.post(f"/opt-out/{sent.token()}", headers=GREEK)

    assert '<html lang="el">' in asked.text
    assert "Διακοπή μηνυμάτων από Kalamata Olives;" in asked.text
    assert "Η διαγραφή σας ολοκληρώθηκε" in done.text
    assert '<html lang="en">' in client.get(f"/opt-out/{sent.token()}").text


def test_the_page_loads_nothing_but_its_style_and_is_kept_nowhere(
    client: FlaskClient, sent: SentText
) -> None:
    response = client.get(f"/opt-out/{sent.token()}")

    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'")
    assert "unsafe-inline" not in policy
    assert "<script" not in response.text and "style=" not in response.text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    with client.get("/opt-out-page/page.css") as style:
        assert style.mimetype == "text/css"


def test_one_tap_withdraws_consent_with_evidence_and_counts_for_the_run(
    client: FlaskClient, sent: SentText
) -> None:
    response = client.post(f"/opt-out/{sent.token()}")

    assert "You are unsubscribed" in response.text
    assert consent_of(sent.shop_id) == "opted_out"
    assert rows("SELECT shop_id, phone, source FROM suppressions") == [
        {"shop_id": sent.shop_id, "phone": PHONE, "source": "unsubscribe_link"}
    ]
    (event,) = rows("SELECT * FROM consent_events")
    assert (event["action"], event["source"], event["phone"]) == ("withdraw", "unsubscribe_link", PHONE)
    assert event["evidence"] == {"run_id": sent.run_id, "message_id": sent.message_id}
    assert value("SELECT opted_out FROM message_runs") == 1


def test_a_second_tap_and_a_second_visit_change_nothing(client: FlaskClient, sent: SentText) -> None:
    """But when it was said again: only a consent after that counts."""
    client.post(f"/opt-out/{sent.token()}")
    before = everything()

    again = client.post(f"/opt-out/{sent.token()}")
    visit = client.get(f"/opt-out/{sent.token()}")

    assert again.status_code == 200
    assert "You are unsubscribed" in again.text
    assert "You have already opted out" in visit.text
    assert "<form" not in visit.text
    after = everything()
    for state in (before, after):
        for suppression in state["suppressions"]:
            del suppression["confirmed_at"]
    assert after == before


def test_two_texts_to_one_person_count_one_opt_out(client: FlaskClient, sent: SentText) -> None:
    second = a_text(sent.shop_id)

    client.post(f"/opt-out/{second.token()}")
    client.post(f"/opt-out/{sent.token()}")

    assert value("SELECT sum(opted_out) FROM message_runs") == 1
    assert value("SELECT opted_out FROM message_runs WHERE id = :id", id=second.run_id) == 1


def test_the_shop_s_name_is_text_not_markup(client: FlaskClient) -> None:
    sent = a_text(a_shop_id(name="<b>{phone} & Sons</b>"))

    response = client.get(f"/opt-out/{sent.token()}")

    assert "&lt;b&gt;" in response.text
    assert "<b>" not in response.text


def test_opting_out_of_one_shop_is_not_opting_out_of_another(client: FlaskClient, sent: SentText) -> None:
    other = a_shop_id()
    a_contact(other)
    a_text(other)

    client.post(f"/opt-out/{sent.token()}")

    assert consent_of(sent.shop_id) == "opted_out"
    assert consent_of(other) == "opted_in"


def test_somebody_who_is_no_contact_any_more_can_still_opt_out(client: FlaskClient, shop_id: int) -> None:
    sent = a_text(shop_id, contact_id=77)

    client.post(f"/opt-out/{sent.token()}")

    assert rows("SELECT phone FROM suppressions WHERE shop_id = :id", id=shop_id) == [{"phone": PHONE}]
    shown = client.get(f"/unsubscribe/{sent.token()}").json["data"]["contact"]
    assert shown["smsConsent"] == "opted_out"


def test_the_link_works_after_the_shop_has_left(client: FlaskClient, sent: SentText) -> None:
    with across_shops("a test lets a shop leave") as session:
        session.execute(text("UPDATE shops SET status = 'uninstalled' WHERE id = :id"), {"id": sent.shop_id})
        name = shops.known_shop(sent.shop_id).display_name

    asked = client.get(f"/opt-out/{sent.token()}")
    done = client.post(f"/opt-out/{sent.token()}")

    assert asked.status_code == done.status_code == 200
    assert name in asked.text and name in done.text
    assert client.get(f"/unsubscribe/{sent.token()}").json["data"]["shop"]["shopName"] == name
    assert consent_of(sent.shop_id) == "opted_out"


def test_an_invalid_link_is_explained_to_people_and_to_clients(client: FlaskClient, sent: SentText) -> None:
    genuine = sent.token()
    tampered = "B" + genuine[1:]
    for method in (client.get, client.post):
        page = method(f"/opt-out/{tampered}")
        assert page.status_code == 400
        assert page.mimetype == "text/html"
        assert "This link does not work" in page.text
        answer = method(f"/unsubscribe/{tampered}")
        assert answer.status_code == 400
        assert answer.json["code"] == answer.json["error"] == "INVALID_TOKEN"
        assert answer.json["success"] is False
    assert rows("SELECT * FROM suppressions") == []


def test_a_url_link_is_no_opt_out_link(client: FlaskClient, shop_id: int) -> None:
    sent = a_text(shop_id, links=("https://shop.example.com/",))

    assert client.post(f"/unsubscribe/{sent.token(1)}").status_code == 400
    assert rows("SELECT * FROM suppressions") == []


def test_the_message_of_a_forgotten_person_leads_nowhere(client: FlaskClient, shop_id: int) -> None:
    sent = a_text(shop_id, phone="")

    assert client.post(f"/unsubscribe/{sent.token()}").status_code == 400


def test_the_web_clients_see_whom_a_link_concerns(client: FlaskClient, sent: SentText) -> None:
    before = everything()

    response = client.get(f"/unsubscribe/{sent.token()}")

    assert response.json["success"] is True
    data = response.json["data"]
    assert data["contact"] == {
        "id": str(value("SELECT id FROM contacts")),
        "firstName": "Maria",
        "lastName": "Nikolaou",
        "phoneE164": MASKED,
        "smsConsent": "opted_in",
    }
    assert data["shop"]["id"] == str(sent.shop_id)
    assert data["shop"]["shopName"] == "Kalamata Olives"
    assert data["shop"]["shopDomain"].endswith(".myshopify.com")
    assert data["token"] == sent.token()
    assert everything() == before


def test_a_shop_without_a_name_is_called_by_its_domain(client: FlaskClient) -> None:
    sent = a_text(a_shop_id(domain="olive-grove.myshopify.com"))

    assert client.get(f"/unsubscribe/{sent.token()}").json["data"]["shop"]["shopName"] == "olive-grove"


def test_the_web_clients_opt_out_as_often_as_they_like(client: FlaskClient, sent: SentText) -> None:
    for _ in range(2):
        data = client.post(f"/unsubscribe/{sent.token()}").json["data"]
        assert data["success"] is True
        assert data["message"]
        assert data["contact"] == {
            "id": str(value("SELECT id FROM contacts")),
            "phoneE164": MASKED,
            "smsConsent": "opted_out",
        }
    assert value("SELECT count(*) FROM consent_events") == 1
    assert value("SELECT opted_out FROM message_runs") == 1
    assert client.get(f"/unsubscribe/{sent.token()}").json["data"]["contact"]["smsConsent"] == "opted_out"


def test_a_newer_consent_is_shown_and_can_be_withdrawn_again(client: FlaskClient, sent: SentText) -> None:
    client.post(f"/unsubscribe/{sent.token()}")
    with unit_of_work(sent.shop_id):
        consent.lift_suppression(sent.shop_id, PHONE)
        consent.grant_by_phones(sent.shop_id, [PHONE], source=ConsentSource.OPT_IN_FORM)

    assert client.get(f"/unsubscribe/{sent.token()}").json["data"]["contact"]["smsConsent"] == "opted_in"
    client.post(f"/unsubscribe/{sent.token()}")
    assert consent_of(sent.shop_id) == "opted_out"


@pytest.mark.parametrize("over_encoding", [True, False])
def test_a_text_of_the_old_system_still_opts_out(
    client: FlaskClient, shop_id: int, over_encoding: bool
) -> None:
    a_contact(shop_id)
    claims = {"contactId": "9", "shopId": str(shop_id), "phoneE164": PHONE, "timestamp": 1700000000000}
    for secret in (settings().unsubscribe_secret, settings().jwt_secret):
        token = legacy_token(claims, secret, over_encoding=over_encoding)
        assert client.get(f"/unsubscribe/{token}").json["data"]["contact"]["firstName"] == "Maria"
        assert client.get(f"/opt-out/{token}").status_code == 200
        assert client.post(f"/unsubscribe/{token}").json["data"]["success"] is True
    assert consent_of(shop_id) == "opted_out"
    assert value("SELECT count(*) FROM consent_events") == 1


def test_an_old_shop_id_stands_for_the_only_shop_that_knows_the_number(
    client: FlaskClient, shop_id: int
) -> None:
    a_contact(shop_id)
    token = legacy_token({"contactId": "ckx1", "shopId": "ckx2f9q", "phoneE164": PHONE, "timestamp": 1})

    assert client.get(f"/unsubscribe/{token}").json["data"]["shop"]["id"] == str(shop_id)
    a_contact(a_shop_id())
    assert client.get(f"/unsubscribe/{token}").status_code == 400


@pytest.mark.parametrize(
    "claims",
    [
        {"shopId": "999999", "phoneE164": PHONE},
        {"shopId": "9" * 30, "phoneE164": PHONE},
        {"shopId": "", "phoneE164": PHONE},
        {"shopId": "1", "phoneE164": "6912345678"},
        {"shopId": "1", "phoneE164": None},
        {"phoneE164": "+000"},
        ["not", "an", "object"],
        "text",
    ],
)
def test_an_old_token_that_names_nobody_is_refused(client: FlaskClient, shop_id: int, claims: object) -> None:
    assert client.post(f"/unsubscribe/{legacy_token(claims)}").status_code == 400
    assert rows("SELECT * FROM suppressions") == []


def test_an_old_token_with_another_signature_is_refused(client: FlaskClient, shop_id: int) -> None:
    claims = {"shopId": str(shop_id), "phoneE164": PHONE}
    genuine = legacy_token(claims)
    body, _, mac = genuine.partition(".")
    others = legacy_token({**claims, "phoneE164": "+306900000000"}).partition(".")[0]
    for forged in (
        legacy_token(claims, "another secret"),
        f"{others}.{mac}",
        f"{body}.{mac[:-1]}",
        f"{body}.{mac.upper()}0",
        f"{body}.",
        f"é.{mac}",
    ):
        assert client.post(f"/unsubscribe/{forged}").status_code == 400
    assert rows("SELECT * FROM suppressions") == []
