"""Reading what a merchant types into the settings. Raises ValueError with a sentence that can be shown."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from zoneinfo import available_timezones

BASE_URL_MAX = 255
PORT_MAX = 65_535
E164 = re.compile(r"\+[1-9][0-9]{1,14}")
SENDER_NAME = re.compile(r"(?=[0-9]*[A-Za-z])[A-Za-z0-9]{3,11}")
# The whole address, not a search in it: no credentials, query, fragment, blank, line break or "..".
BASE_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>(?:/(?!\.)[a-z0-9._~-]+)*)/*",
    re.IGNORECASE,
)


class Currency(StrEnum):
    EUR = "EUR"
    USD = "USD"


def read_sender(raw: str) -> dict[str, str | None]:
    """The two sender columns for a number or a name; nothing clears both."""
    sender = raw.strip()
    if E164.fullmatch(sender):
        return {"sender_number": sender, "sender_name": None}
    if sender and not SENDER_NAME.fullmatch(sender):
        raise ValueError(
            "must be a phone number like +306900000001, or 3 to 11 letters and digits, not digits alone"
        )
    return {"sender_number": None, "sender_name": sender or None}


def read_sender_number(raw: str) -> str | None:
    number = raw.strip()
    if number and not E164.fullmatch(number):
        raise ValueError("must be a phone number like +306900000001")
    return number or None


def read_sender_name(raw: str) -> str | None:
    name = raw.strip()
    if name and not SENDER_NAME.fullmatch(name):
        raise ValueError("must have 3 to 11 letters and digits, with at least one letter")
    return name or None


def read_timezone(raw: str) -> str:
    if raw not in _zones():
        raise ValueError("is not an IANA time zone, such as Europe/Athens")
    return raw


def read_base_url(raw: str, *, https_only: bool) -> str | None:
    """Where the shop's links begin, without a trailing slash; None when empty.

    `https_only` also forbids ports: what people tap in production is a plain web address.
    """
    url = raw.strip(" ")
    if not url:
        return None
    parts = BASE_URL.fullmatch(url)
    if parts is None or len(url) > BASE_URL_MAX or int(parts["port"] or 1) not in range(1, PORT_MAX + 1):
        raise ValueError("must be an absolute web address, such as https://sms.example.com")
    if https_only and (parts["scheme"].lower() != "https" or parts["port"]):
        raise ValueError("must begin with https:// and have no port")
    origin = f"{parts['scheme']}://{parts['host']}".lower()
    return origin + (f":{parts['port']}" if parts["port"] else "") + parts["path"]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
