"""Files of Shopify's, line by line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.integrations.shopify import downloads
from app.integrations.shopify.downloads import Line, lines
from app.integrations.shopify.errors import ShopifyRefused, ShopifyUnavailable

FILE = b'{"a":1}\n{"b":2}\n\n{"c":3}'


class Storage(BaseHTTPRequestHandler):
    """Serves FILE: in ranges under /ranges, whole under /whole, half of it under /cut; else redirects."""

    seen: list[dict[str, str]] = []  # noqa: RUF012 (one server at a time)
    content = FILE

    def do_GET(self) -> None:
        self.seen.append(dict(self.headers))
        start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if self.path == "/ranges" and start >= len(self.content):
            self._answer(416, b"", 0)
        elif self.path == "/ranges":
            self._answer(206, self.content[start:], len(self.content) - start)
        elif self.path == "/whole":
            self._answer(200, self.content, len(self.content))
        elif self.path == "/cut":
            self._answer(200, self.content[: len(self.content) // 2], len(self.content))
        else:
            self.send_response(302)
            self.send_header("Location", "/whole")
            self.send_header("Content-Length", "0")
            self.end_headers()

    def _answer(self, status: int, body: bytes, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Keep still."""


@contextmanager
def serving(content: bytes) -> Iterator[str]:
    Storage.content, Storage.seen = content, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Storage)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def storage(app) -> Iterator[Callable[[bytes], str]]:
    """Serves a content at an allowed host; gives its address."""
    before = app.config["SETTINGS"]
    open_ones = []

    def serve(content: bytes = FILE) -> str:
        opened = serving(content)
        open_ones.append(opened)
        address = opened.__enter__()
        hosts = (address.removeprefix("http://"),)
        app.config["SETTINGS"] = replace(before, shopify_download_hosts=hosts)
        return address

    yield serve
    app.config["SETTINGS"] = before
    for opened in open_ones:
        opened.__exit__(None, None, None)


@pytest.mark.parametrize("path", ["/ranges", "/whole"])
def test_lines_come_with_the_place_behind_them_from_wherever_one_begins(storage, path):
    url = storage() + path

    whole = list(lines(url))

    assert whole == [Line(b'{"a":1}', 8), Line(b'{"b":2}', 16), Line(b"", 17), Line(b'{"c":3}', 24)]
    for index, line in enumerate(whole[:-1]):
        assert list(lines(url, line.end)) == whole[index + 1 :]
    assert list(lines(url, len(FILE))) == []


def test_no_token_and_no_cookie_go_along(storage):
    list(lines(storage() + "/whole"))

    sent = {name.lower() for name in Storage.seen[0]}
    assert not sent & {"x-shopify-access-token", "authorization", "cookie"}


def test_a_line_that_is_too_long_is_passed_over_and_not_held(storage, monkeypatch):
    monkeypatch.setattr(downloads, "LINE_MAX_BYTES", 100)
    monkeypatch.setattr(downloads, "PIECE_BYTES", 64)
    content = b"a\n" + b"x" * 5000 + b"\nb\n" + b"y" * 101

    found = list(lines(storage(content) + "/ranges"))

    assert found == [Line(b"a", 2), Line(None, 5003), Line(b"b", 5005), Line(None, 5106)]


def test_a_file_that_is_too_large_is_refused(storage, monkeypatch):
    monkeypatch.setattr(downloads, "FILE_MAX_BYTES", 10)

    with pytest.raises(ShopifyRefused, match="download_too_large"):
        list(lines(storage() + "/whole"))


def test_a_file_that_ends_early_is_no_whole_file(storage):
    with pytest.raises(ShopifyUnavailable):
        list(lines(storage() + "/cut"))


def test_we_follow_nobody_to_another_address(storage):
    with pytest.raises(ShopifyUnavailable, match="http_302"):
        list(lines(storage() + "/elsewhere"))


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.googleapis.com/x",
        "https://evil.example/x",
        "https://storage.googleapis.com.evil.example/x",
        "https://storage.googleapis.com@evil.example/x",
        "https://evil.example#storage.googleapis.com",
        "https://storage.googleapis.com:444/x",
        "ftp://storage.googleapis.com/x",
        "file:///etc/passwd",
        "",
    ],
)
def test_only_listed_hosts_are_asked_and_only_safely(app, url):
    with pytest.raises(ShopifyRefused, match="download_host_not_allowed"):
        list(lines(url))
