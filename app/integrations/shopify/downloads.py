"""The files that Shopify writes for us, line by line, however large they are.

Facts: shopify.dev "Bulk operations": a signed address at a storage host that lives seven days, so no token
goes there; one JSON object a line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import requests
from urllib3 import exceptions as http

from app.core.settings import settings
from app.integrations.shopify.errors import ShopifyRefused, ShopifyUnavailable
from app.integrations.shopify.transport import CONNECT_SECONDS, session

SILENCE_SECONDS = 30.0
PIECE_BYTES = 256 * 1024
LINE_MAX_BYTES = 256 * 1024
FILE_MAX_BYTES = 20 * 1024**3
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Line(NamedTuple):
    """A line without its end, None if it is too long to be read; `end` is the file's byte behind it."""

    content: bytes | None
    end: int


def lines(url: str, start: int = 0) -> Iterator[Line]:
    """The file's lines from byte `start`, which must begin one. Holds one piece and one line at a time.

    Raises ShopifyRefused for an address that is not one of SHOPIFY_DOWNLOAD_HOSTS and for a file that is too
    large, ShopifyUnavailable when the file cannot be had, or not to its end.
    """
    _require_allowed(url)
    try:
        with session().get(
            url,
            headers={"Accept": "*/*", "Accept-Encoding": "identity", "Range": f"bytes={start}-"},
            timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.status_code == 416:  # nothing behind the last line
                return
            yield from _lines(_from(response, start), start)
    except (requests.RequestException, http.HTTPError) as trouble:
        raise ShopifyUnavailable(type(trouble).__name__) from trouble


def _require_allowed(url: str) -> None:
    parts = urlsplit(url)
    hosts = settings().shopify_download_hosts
    is_listed = parts.netloc in hosts and "@" not in parts.netloc
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not (is_listed and is_safe):
        raise ShopifyRefused("download_host_not_allowed")


def _from(response: requests.Response, start: int) -> Iterator[bytes]:
    """The bytes behind `start`, also from a server that knows no ranges."""
    if response.status_code not in (200, 206):
        raise ShopifyUnavailable(f"http_{response.status_code}")
    to_skip = start if response.status_code == 200 else 0
    for piece in response.iter_content(PIECE_BYTES):
        rest = piece[to_skip:]
        to_skip -= len(piece) - len(rest)
        if rest:
            yield rest


def _lines(pieces: Iterator[bytes], at: int) -> Iterator[Line]:
    held = b""
    too_long = 0  # bytes of a line that is not kept
    for piece in pieces:
        *whole, held = (held + piece).split(b"\n")
        for line in whole:
            at += too_long + len(line) + 1
            yield Line(None if too_long or len(line) > LINE_MAX_BYTES else line, at)
            too_long = 0
        if len(held) > LINE_MAX_BYTES:
            too_long, held = too_long + len(held), b""
        if at > FILE_MAX_BYTES:
            raise ShopifyRefused("download_too_large")
    if held or too_long:
        yield Line(None if too_long else held, at + too_long + len(held))
