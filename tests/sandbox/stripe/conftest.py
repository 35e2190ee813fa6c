"""A pretend Stripe for each test, and the app that it tells events to."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.sandbox.conftest import serving
from tests.stripe_world import StripeWorld, a_stripe


@dataclass
class Post:
    """One event as the app got it."""

    path: str
    signature: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class App:
    """The app's door for events. It refuses `refusals` posts, then takes all."""

    url: str = ""
    refusals: int = 0
    posts: list[Post] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer_to(self, post: Post) -> int:
        with self.lock:
            self.posts.append(post)
            if self.refusals:
                self.refusals -= 1
                return 503
        return 200

    def got(self, type: str) -> list[Post]:
        with self.lock:
            return [post for post in self.posts if post.json()["type"] == type]


@pytest.fixture
def app() -> Iterator[App]:
    listening = App()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            post = Post(self.path, self.headers["Stripe-Signature"], body)
            self.send_response(listening.answer_to(post))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    listening.url = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield listening


@pytest.fixture
def told(app: App) -> Iterator[StripeWorld]:
    """A Stripe that posts its events to `app`."""
    with a_stripe(webhook_url=f"{app.url}/webhooks/stripe") as world:
        yield world


@pytest.fixture
def world() -> Iterator[StripeWorld]:
    """A Stripe that posts nothing: its events are pulled."""
    with a_stripe() as running:
        yield running
