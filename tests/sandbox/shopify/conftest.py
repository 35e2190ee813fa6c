"""A pretend Shopify for each test, and the app that it tells things to."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.sandbox.conftest import serving
from tests.sandbox.shopify.world import API_SECRET, ShopWorld, World, shopify_world


@dataclass
class Post:
    """One webhook as the app got it."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def topic(self) -> str:
        return self.headers["x-shopify-topic"]

    @property
    def webhook_id(self) -> str:
        return self.headers["x-shopify-webhook-id"]

    def json(self) -> Any:
        return json.loads(self.body)

    def is_signed(self, secret: str = API_SECRET) -> bool:
        digest = hmac.new(secret.encode(), self.body, hashlib.sha256).digest()
        return base64.b64encode(digest).decode() == self.headers["x-shopify-hmac-sha256"]


@dataclass
class App:
    """The app's webhook doors. It refuses `refusals` posts, then takes all."""

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

    def got(self, topic: str) -> list[Post]:
        with self.lock:
            return [post for post in self.posts if post.topic == topic]


@pytest.fixture
def app() -> Iterator[App]:
    told = App()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(told.answer_to(Post(self.path, headers, body)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    told.url = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield told


@pytest.fixture
def world(app: App) -> Iterator[World]:
    with shopify_world(app_url=app.url) as running:
        running.switch(bulk_seconds=0.02)
        yield running


@pytest.fixture
def shop(world: World) -> ShopWorld:
    return world.shop("demo.myshopify.com")


@pytest.fixture
def token(shop: ShopWorld) -> str:
    return shop.offline_token()
