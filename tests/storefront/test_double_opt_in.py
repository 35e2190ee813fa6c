"""Double opt-in: one text, one link, one yes."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.billing import service as billing
from app.contacts import consent
from app.contacts.models import ConsentSource
from app.core.settings import settings
from app.core.uow import unit_of_work
from app.messaging.text.parts import count_parts
from app.shops import service as shops
from app.storefront.tokens import make_token, read_token
from tests import build, build_contacts
from tests.storefront.conftest import AGENT, PAGE, WORDING, Storefront

PHONE = "+306912345678"
GREEK = {"Accept-Language": "el-GR,el;q=0.9,en;q=0.4"}


@pytest.fixture
def asked(storefront: Storefront) -> str:
    """The address of the page that somebody who had opted out was sent."""
    build_contacts.a_contact(storefront.shop, phone=PHONE, consent="opted_out")
    storefront.opt_in(PHONE, consentText=WORDING, pageUrl=PAGE)
    (text,) = storefront.texts()
    return text.path


@pytest.fixture
def careful(storefront: Storefront) -> Storefront:
    """A shop that has everybody confirm."""
    storefront.wants_double_opt_in()
    return storefront


def test_who_had_opted_out_stays_so_until_the_link_is_used(storefront: Storefront, asked: str):
    assert storefront.consent_of(PHONE) == "opted_out"
    assert build_contacts.suppressed_phones(storefront.shop) == {PHONE}


def test_the_link_brings_back_who_had_opted_out(client: FlaskClient, storefront: Storefront, asked: str):
    page = client.post(asked)

    assert page.status_code == 200
    assert "You are signed up" in page.text
    assert storefront.consent_of(PHONE) == "opted_in"
    assert build_contacts.suppressed_phones(storefront.shop) == set()


def test_the_confirmed_consent_can_be_proved(client: FlaskClient, storefront: Storefront, asked: str):
    client.post(asked, headers={"User-Agent": "Another phone"})

    event = storefront.events()[-1]
    assert (event.action, event.source, event.wording) == ("grant", "opt_in_form", WORDING)
    assert event.evidence.pop("confirmation_id") > 0
    assert event.evidence == {
        "form": "theme-banner",
        "ip": "127.0.0.1",
        "user_agent": AGENT,
        "page_url": PAGE,
        "double_opt_in": True,
        "confirmed_ip": "127.0.0.1",
        "confirmed_user_agent": "Another phone",
    }


def test_the_text_asks_and_advertises_nothing(storefront: Storefront, asked: str):
    (text,) = storefront.texts()

    assert text.phone == PHONE
    assert text.source == "service"
    assert text.sender == "Astronote"
    assert text.text == (
        "Kalamata Olives: tap to confirm that you want our texts. Not you? Ignore this."
        f"\nhttps://sms.example.com{asked}"
    )
    assert text.parts == 1


def test_a_greek_phone_is_asked_in_greek_capitals_that_cost_one_part(storefront: Storefront):
    build_contacts.a_suppression(storefront.shop, PHONE)

    storefront.opt_in(PHONE, headers=GREEK)

    (text,) = storefront.texts()
    assert "ΠATHΣTE" in text.text
    assert text.parts == count_parts(text.text).parts == 1


def test_a_shops_name_cannot_write_the_text(client: FlaskClient, app: Flask):
    shop = Storefront(client, build.a_shop(name="{{phone}}\nhttps://evil.example/" + "x" * 100))
    build_contacts.a_suppression(shop.shop, PHONE)

    shop.opt_in(PHONE)

    (text,) = shop.texts()
    assert "{{" not in text.text
    assert text.text.count("\n") == 1
    assert len(text.text) < 200


def test_the_link_begins_like_all_links_of_the_shop(client: FlaskClient, storefront: Storefront):
    headers = build.auth(storefront.shop)
    client.put(
        "/settings", json={"baseUrl": "https://go.olives.example", "senderId": "Olives"}, headers=headers
    )
    build_contacts.a_suppression(storefront.shop, PHONE)

    storefront.opt_in(PHONE)

    (text,) = storefront.texts()
    assert "https://go.olives.example/opt-in/confirm/" in text.text
    assert text.sender == "Olives"


def test_the_text_costs_what_a_text_costs(storefront: Storefront):
    before = storefront.wallet()
    build_contacts.a_suppression(storefront.shop, PHONE)

    storefront.opt_in(PHONE)

    assert storefront.wallet() == before - 1


def test_nobody_is_texted_twice_while_a_link_waits(storefront: Storefront, asked: str):
    storefront.opt_in(PHONE)
    storefront.opt_in(PHONE, source="footer")

    assert len(storefront.texts()) == 1


def test_a_shop_that_cannot_pay_sends_nothing_and_the_answer_is_the_same(client: FlaskClient, app: Flask):
    poor = Storefront(client, build.a_shop(plan=None))
    free = poor.opt_in(PHONE).json["data"]
    build_contacts.a_suppression(poor.shop, PHONE)

    answer = poor.opt_in(PHONE)

    assert answer.status_code == 200
    assert answer.json["data"] == free
    assert poor.texts() == []
    assert build_contacts.suppressed_phones(poor.shop) == {PHONE}


def test_credits_that_come_later_let_a_later_try_be_texted(storefront: Storefront):
    storefront.reserves_everything()
    build_contacts.a_suppression(storefront.shop, PHONE)
    storefront.opt_in(PHONE)
    assert storefront.texts() == []

    billing.grant_credits(storefront.shop.id, 1, key="gift", reason="test")
    storefront.opt_in(PHONE)

    assert [text.phone for text in storefront.texts()] == [PHONE]
    assert storefront.wallet() == 0


def test_a_careful_shop_has_everybody_confirm(client: FlaskClient, careful: Storefront):
    answer = careful.opt_in(PHONE, firstName="Maria", birthday="1990-05-15", source="footer")

    assert answer.json["data"]["smsConsent"] == "unknown"
    assert careful.contact(PHONE) is None, "nothing is kept about a number that has not answered"
    (text,) = careful.texts()
    client.post(text.path)
    contact = careful.contact(PHONE)
    assert contact is not None
    assert (contact.first_name, str(contact.birth_date)) == ("Maria", "1990-05-15")
    assert (contact.consent, contact.tags) == ("opted_in", ["opt-in-footer"])


def test_who_consents_already_is_not_asked_again(careful: Storefront):
    build_contacts.a_contact(careful.shop, phone=PHONE, first_name=None)

    answer = careful.opt_in(PHONE, firstName="Mallory")

    assert answer.json["data"]["smsConsent"] == "unknown", "as for everybody"
    assert careful.texts() == []
    contact = careful.contact(PHONE)
    assert contact is not None
    assert contact.first_name is None


def test_opening_the_link_changes_nothing(client: FlaskClient, storefront: Storefront, asked: str):
    for _ in range(2):
        page = client.get(asked)

        assert page.status_code == 200
        assert "Get texts from Kalamata Olives?" in page.text
        assert '<form method="post">' in page.text
        assert PHONE not in page.text
    assert storefront.consent_of(PHONE) == "opted_out", "link scanners open every link"


def test_the_page_speaks_greek_and_is_not_kept_or_framed(client: FlaskClient, asked: str):
    page = client.get(asked, headers=GREEK)

    assert '<html lang="el">' in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    style = client.get("/opt-in-page/page.css")
    assert style.status_code == 200
    style.close()


def test_a_link_works_once(client: FlaskClient, storefront: Storefront, asked: str):
    client.post(asked)
    with unit_of_work(storefront.shop.id):
        consent.withdraw_by_phone(storefront.shop.id, PHONE, source=ConsentSource.SMS_REPLY)

    again = client.post(asked)

    assert again.status_code == 200
    assert "This link has been used" in again.text
    assert "This link has been used" in client.get(asked).text
    assert storefront.consent_of(PHONE) == "opted_out", "an old link cannot undo a later opt-out"


def test_two_taps_at_once_confirm_once(app: Flask, storefront: Storefront, asked: str):
    together, pages = threading.Barrier(4), []

    def tap() -> None:
        together.wait(5)
        pages.append(app.test_client().post(asked).text)

    taps = [threading.Thread(target=tap) for _ in range(4)]
    for one in taps:
        one.start()
    for one in taps:
        one.join(20)

    assert sum("You are signed up" in page for page in pages) == 1
    assert [event.action for event in storefront.events()] == ["withdraw", "grant"]


def test_after_72_hours_the_link_is_dead_and_a_new_one_can_be_had(
    client: FlaskClient, storefront: Storefront, asked: str, outdated: Callable[[], None]
):
    outdated()

    assert client.get(asked).status_code == 400
    assert "too old" in client.post(asked).text
    assert storefront.consent_of(PHONE) == "opted_out"
    storefront.opt_in(PHONE)
    fresh = storefront.texts()[-1].path
    assert fresh != asked
    assert client.post(asked).status_code == 400
    assert client.post(fresh).status_code == 200
    assert storefront.consent_of(PHONE) == "opted_in"


def test_the_link_of_a_shop_that_has_left_is_dead(client: FlaskClient, storefront: Storefront, asked: str):
    with unit_of_work(storefront.shop.id):
        shops.find_shop(storefront.shop.id).status = "uninstalled"

    assert client.get(asked).status_code == 400
    assert client.post(asked).status_code == 400


def test_one_shops_yes_is_not_anothers(client: FlaskClient, storefront: Storefront, other: Storefront):
    build_contacts.a_suppression(storefront.shop, PHONE)
    build_contacts.a_suppression(other.shop, PHONE)
    storefront.opt_in(PHONE)
    other.opt_in(PHONE)

    client.post(other.texts()[0].path)

    assert build_contacts.suppressed_phones(storefront.shop) == {PHONE}
    assert other.consent_of(PHONE) == "opted_in"


@pytest.mark.parametrize("token", ["x", "A" * 24, "é" * 24, "=" * 24, "A" * 2000, "%00", "..", "-_" * 12])
def test_a_made_up_link_is_refused_politely(client: FlaskClient, asked: str, token: str):
    for answer in (client.get(f"/opt-in/confirm/{token}"), client.post(f"/opt-in/confirm/{token}")):
        assert answer.status_code in (400, 404)


def test_a_link_with_one_letter_changed_is_refused(client: FlaskClient, storefront: Storefront, asked: str):
    token = asked.rpartition("/")[2]
    for place in range(len(token)):
        forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert client.post(f"/opt-in/confirm/{forged}").status_code == 400
    assert storefront.consent_of(PHONE) == "opted_out"


def test_a_token_signed_with_another_secret_is_not_ours(app: Flask):
    secret = settings().unsubscribe_secret

    assert read_token(make_token(7, secret), secret) == 7
    assert read_token(make_token(7, "another secret"), secret) is None
