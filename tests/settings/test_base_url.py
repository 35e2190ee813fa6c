"""The address with which a shop's links begin: every text carries it, so it must be one and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.settings.conftest import Change
from tests.settings.test_settings import assert_refused

HOSTILE = [
    "https://a.example\r\nX-Injected: 1",
    "https://a.example\n",
    "https://a.example/\r\n\r\n<script>",
    "https://a.example%0d%0aSet-Cookie:x",
    "https://user@a.example",
    "https://user:secret@a.example",
    "https://a.example@evil.example",
    "https://a.example:443@evil.example",
    "https://a.example\\@evil.example",
    "https://a.example#evil.example",
    "https://a.example?next=https://evil.example",
    "https://a.example:0",
    "https://a.example:99999",
    "https://a.example:",
    "https://a.example:80:80",
    "https://a.example:١",
    "https://[::1]",
    "https://a_b.example",
    "https://παράδειγμα.gr",
    "https://a..example",
    "https://.example",
    "https://-a.example",
    "https://a.example/../admin",
    "https://a.example/a b",
    "https://a.example//evil.example/x",
    "https://" + "a" * 260 + ".example",
    "https:///path",
    "https://",
    "http:a.example",
    "//a.example",
    "a.example",
    "/relative",
    "ftp://a.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "https://a.example\t",
    "https://a.example<script>",
    "https://a.example/{{firstName}}",
    7,
    ["https://a.example"],
    {"url": "https://a.example"},
]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://sms.example.com", "https://sms.example.com"),
        ("https://sms.example.com///", "https://sms.example.com"),
        ("  https://sms.example.com/  ", "https://sms.example.com"),
        ("HTTPS://SMS.Example.com/Go/", "https://sms.example.com/Go"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("", None),
        (None, None),
    ],
)
def test_a_base_url_is_kept_without_its_last_slash(change: Change, typed: str | None, kept: str | None):
    assert change(baseUrl=typed).json["data"]["baseUrl"] == kept


@pytest.mark.parametrize("typed", HOSTILE)
def test_what_is_more_or_less_than_an_address_is_refused(change: Change, typed: Any):
    change(baseUrl="https://sms.example.com")

    assert_refused(change(baseUrl=typed), "baseUrl")

    assert change().json["data"]["baseUrl"] == "https://sms.example.com"


@pytest.mark.usefixtures("in_production")
@pytest.mark.parametrize(
    "typed", ["http://a.example", "http://localhost", "https://a.example:8443", *HOSTILE]
)
def test_in_production_it_is_plain_https(change: Change, typed: Any):
    assert_refused(change(baseUrl=typed), "baseUrl")

    assert change(baseUrl="https://a.example").json["data"]["baseUrl"] == "https://a.example"
