"""Short links: where they lead, and which openings count."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.messaging.service import links
from tests.links.rows import SentText, a_shop_id, a_text, everything, rows, value

PHONE_BROWSER = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
)
SHOP_PAGE = "https://shop.example.com/sale?utm=sms&x=1"


@pytest.fixture
def sent(app: Flask) -> SentText:
    """A text with two links."""
    return a_text(a_shop_id(), links=(SHOP_PAGE, "https://shop.example.com/second"))


@pytest.fixture
def configured(app: Flask) -> Iterator[Any]:
    """Change settings for one test."""
    before = app.config["SETTINGS"]

    def change(**values: Any) -> None:
        app.config["SETTINGS"] = dataclasses.replace(app.config["SETTINGS"], **values)

    yield change
    app.config["SETTINGS"] = before


def clicked(sent: SentText) -> int:
    return int(value("SELECT clicked FROM message_runs WHERE id = :id", id=sent.run_id))


def tap(client: FlaskClient, token: str, **headers: str) -> Any:
    return client.get(f"/r/{token}", headers={"User-Agent": PHONE_BROWSER, **headers})


@pytest.mark.parametrize("path", ["r", "s"])
def test_a_link_leads_to_the_url_of_the_text_and_is_not_cached(
    client: FlaskClient, sent: SentText, path: str
) -> None:
    response = client.get(f"/{path}/{sent.token(1)}")

    assert response.status_code == 302
    assert response.headers["Location"] == SHOP_PAGE
    assert response.headers["Cache-Control"] == "no-store"


def test_the_opt_out_link_leads_to_the_opt_out_page_and_is_no_click(
    client: FlaskClient, sent: SentText
) -> None:
    response = tap(client, sent.token(0))

    assert response.headers["Location"] == f"https://sms.example.com/opt-out/{sent.token(0)}"
    assert clicked(sent) == 0
    assert rows("SELECT * FROM click_events") == []


def test_a_person_who_taps_often_and_on_two_links_is_one_person_who_clicked(
    client: FlaskClient, sent: SentText
) -> None:
    for link_no in (1, 1, 2, 1):
        tap(client, sent.token(link_no))

    assert clicked(sent) == 1
    events = rows("SELECT link_no, message_id, run_id, shop_id FROM click_events ORDER BY link_no")
    assert [event["link_no"] for event in events] == [1, 2]
    assert {(event["message_id"], event["run_id"], event["shop_id"]) for event in events} == {
        (sent.message_id, sent.run_id, sent.shop_id)
    }


def test_links_of_one_message_that_are_opened_at_the_same_moment_count_one_person(app: Flask) -> None:
    sent = a_text(a_shop_id(), links=tuple(f"https://shop.example.com/{number}" for number in range(8)))
    found = [links.find_link(sent.token(number)) for number in range(1, 9)]

    def click(link: links.FoundLink | None) -> None:
        with app.app_context():
            assert link is not None
            links.count_click(link)

    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(click, found))

    assert clicked(sent) == 1
    assert value("SELECT count(*) FROM click_events") == 8


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"},
        {"User-Agent": "WhatsApp/2.23.20.0 A"},
        {"User-Agent": "TelegramBot (like TwitterBot)"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
    ],
)
def test_previews_and_prefetches_are_redirected_but_are_no_clicks(
    client: FlaskClient, sent: SentText, headers: dict[str, str]
) -> None:
    response = tap(client, sent.token(1), **headers)

    assert response.headers["Location"] == SHOP_PAGE
    assert clicked(sent) == 0


def test_a_head_request_is_answered_but_is_no_click(client: FlaskClient, sent: SentText) -> None:
    response = client.head(f"/r/{sent.token(1)}", headers={"User-Agent": PHONE_BROWSER})

    assert response.status_code == 302
    assert clicked(sent) == 0


def test_a_click_that_cannot_be_counted_does_not_keep_the_visitor(
    client: FlaskClient, sent: SentText, owner: sa.Engine
) -> None:
    with owner.execution_options(isolation_level="READ COMMITTED").begin() as holder:
        holder.exec_driver_sql("SET LOCAL app.all_shops = 'on'")
        held = holder.exec_driver_sql(f"SELECT id FROM message_runs WHERE id = {sent.run_id} FOR UPDATE")
        assert held.scalar_one() == sent.run_id
        response = tap(client, sent.token(1))

    assert response.headers["Location"] == SHOP_PAGE
    assert clicked(sent) == 0
    assert rows("SELECT * FROM click_events") == [], "neither half of a click was counted"


def test_a_token_nobody_made_shows_a_page_and_changes_nothing(client: FlaskClient, sent: SentText) -> None:
    genuine = sent.token(1)
    forged = genuine[:-1] + ("A" if genuine[-1] != "A" else "B")
    before = everything()

    response = tap(client, forged)

    assert response.status_code == 404
    assert response.mimetype == "text/html"
    assert "not available" in response.text
    assert everything() == before


def test_a_token_nobody_made_leads_to_the_web_clients_page_where_there_is_one(
    client: FlaskClient, configured: Any
) -> None:
    configured(frontend_url="https://app.example.com")

    response = client.get("/s/abcdef_-12")

    assert response.status_code == 302
    assert (
        response.headers["Location"] == "https://app.example.com/link-not-available?type=s&token=abcdef_-12"
    )
    assert response.headers["Cache-Control"] == "no-store"


def test_the_page_for_missing_links_speaks_greek_too(client: FlaskClient) -> None:
    response = client.get("/r/abcdefgh", headers={"Accept-Language": "el-GR,el;q=0.9,en;q=0.5"})

    assert '<html lang="el">' in response.text
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
    assert "/link-page/link.css" in response.text
    with client.get("/link-page/link.css") as style:
        assert style.mimetype == "text/css"


@pytest.mark.parametrize("token", ["abc", "a" * 17, "abc.defgh", "%2e%2e%2fetc", "abcdef%0d%0aX", "αβγδεζ"])
def test_what_cannot_be_a_token_is_refused(client: FlaskClient, configured: Any, token: str) -> None:
    configured(frontend_url="https://app.example.com")

    response = client.get(f"/r/{token}")

    assert response.status_code in {400, 404}
    assert "Location" not in response.headers


def test_a_link_number_past_the_links_of_the_text_leads_nowhere(client: FlaskClient, sent: SentText) -> None:
    assert tap(client, sent.token(3)).status_code == 404


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example",
        "ftp://shop.example.com/x",
        "https:///nowhere",
        "https://shop.example.com\\@evil.example/",
        "https://shop.example.com@evil.example/",
        "https://shop.example.com:port/",
        "https://evil.example/\r\nSet-Cookie: a=b",
        "https://evil.example\t.shop.example.com/",
        "/relative",
        "",
    ],
)
def test_a_stored_target_that_is_no_plain_web_address_is_not_followed(client: FlaskClient, url: str) -> None:
    sent = a_text(a_shop_id(), links=(url,))

    response = tap(client, sent.token(1))

    assert response.status_code == 404
    assert "Location" not in response.headers
    assert clicked(sent) == 0


@pytest.mark.parametrize(
    ("url", "is_followed"),
    [
        ("https://shop.example.com/a", True),
        ("https://SHOP.example.com./a", True),
        ("https://shop.example.com:8443/a", True),
        ("https://deep.er.allowed.gr/a", True),
        ("https://allowed.gr/a", False),
        ("https://evilallowed.gr/a", False),
        ("https://shop.example.com.evil.example/a", False),
        ("https://evil.example/shop.example.com", False),
        ("https://evil.example#shop.example.com", False),
    ],
)
def test_only_listed_hosts_are_followed_where_a_list_is_configured(
    client: FlaskClient, configured: Any, url: str, is_followed: bool
) -> None:
    configured(redirect_allowed_hosts=("shop.example.com", "*.allowed.gr"))
    sent = a_text(a_shop_id(), links=(url,))

    assert (tap(client, sent.token(1)).status_code == 302) is is_followed


def test_production_follows_https_only(client: FlaskClient, configured: Any) -> None:
    sent = a_text(a_shop_id(), links=("http://shop.example.com/", "https://shop.example.com/"))

    assert tap(client, sent.token(1)).status_code == 302
    configured(app_env="production")
    assert tap(client, sent.token(1)).status_code == 404
    assert tap(client, sent.token(2)).status_code == 302


def test_a_link_needs_no_credential_and_ignores_a_bad_one(client: FlaskClient, sent: SentText) -> None:
    assert tap(client, sent.token(1), Authorization="Bearer nonsense").status_code == 302
