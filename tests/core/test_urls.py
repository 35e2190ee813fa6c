"""Public addresses: the shop's own, the configured one, the request behind trusted proxies. In this order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from app.config import Settings
from app.core.urls import LOCAL, link_base_url, public_base_url
from tests.core.conftest import MakeApp

FORWARDED = {"X-Forwarded-Host": "public.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4"}


def base_of(app: Flask, headers: dict[str, str] | None = None) -> str:
    """The public base as a request through this app sees it."""
    answer = app.test_client().get("/trial/base", base_url="http://inside.example:8080", headers=headers)
    base: str = answer.json["base"]
    return base


def test_the_shops_own_address_comes_first(app: Flask):
    assert public_base_url("https://shop.example/") == "https://shop.example"


def test_then_the_configured_one_whatever_the_request_says(make_app: MakeApp):
    app = make_app(public_base_url="https://sms.example.com", trusted_proxy_hops=1)

    assert base_of(app, FORWARDED) == "https://sms.example.com"
    with app.app_context():
        assert public_base_url() == "https://sms.example.com"


def test_then_the_request_behind_as_many_proxies_as_are_trusted(make_app: MakeApp):
    app = make_app(public_base_url=None, trusted_proxy_hops=1)

    assert base_of(app, FORWARDED) == "https://public.example"


def test_without_trusted_proxies_forwarded_headers_mean_nothing(make_app: MakeApp):
    app = make_app(public_base_url=None, trusted_proxy_hops=0)

    assert base_of(app, FORWARDED) == "http://inside.example:8080"


def test_what_a_stranger_wrote_before_the_proxy_means_nothing(make_app: MakeApp):
    app = make_app(public_base_url=None, trusted_proxy_hops=1)
    headers = {"X-Forwarded-Host": "evil.example, public.example", "X-Forwarded-Proto": "gopher, https"}

    assert base_of(app, headers) == "https://public.example"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example/path",
        "user@evil.example",
        "evil.example?x=",
        "evil.example#",
        "evil example",
        'evil.example"><script>',
        "evil.example\\@public.example",
        "[evil",
        "",
    ],
)
def test_a_forwarded_host_that_is_no_host_never_becomes_an_address(make_app: MakeApp, host: str):
    app = make_app(public_base_url=None, trusted_proxy_hops=1)

    answer = app.test_client().get("/trial/base", headers={"X-Forwarded-Host": host})

    assert answer.status_code in {200, 400}
    assert "evil" not in (answer.json.get("base") or "")


@pytest.mark.parametrize("scheme", ["javascript", "ftp", "https://evil.example/?"])
def test_a_forwarded_scheme_other_than_http_never_becomes_an_address(make_app: MakeApp, scheme: str):
    app = make_app(public_base_url=None, trusted_proxy_hops=1)

    assert base_of(app, {"X-Forwarded-Proto": scheme}) == LOCAL


def test_a_job_without_any_of_them_speaks_of_this_machine(make_app: MakeApp):
    with make_app(public_base_url=None).app_context():
        assert public_base_url() == LOCAL


def test_short_links_begin_with_their_own_short_address(app: Flask, settings: Settings):
    app.config["SETTINGS"] = replace(settings, shortlink_base_url="https://a.example")
    try:
        assert link_base_url() == "https://a.example"
        assert link_base_url("https://shop.example") == "https://shop.example"
    finally:
        app.config["SETTINGS"] = settings
    assert link_base_url() == "https://sms.example.com"
