"""A sandbox on a real port for each test, and a real receiver for what it posts."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from werkzeug.serving import make_server

from app.sandbox import SandboxConfig, create_sandbox
from tests.sandbox.waiting import eventually

KEY = "the-key"
SECRET = "the-secret"
ACCOUNT = "7d3c1c5e-52a4-4c0e-9f5b-0a6f2b9d1e11"


@dataclass
class Carrier:
    """A running sandbox as its callers see it."""

    url: str
    session: requests.Session

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        return self.session.request(method, self.url + path, json=body, timeout=10, **options)

    def bulk(self, *destinations: str, text: str = "Hello") -> requests.Response:
        items = [message(destination, text=text) for destination in destinations]
        return self.call("POST", "/api/v1.1/Messages/sendmessagesbulk", {"messages": items})

    def send(self, destination: str, text: str = "Hello") -> str:
        """Send one text and return its id."""
        answer = self.call("POST", "/api/v1.1/Messages/send", message(destination, text=text))
        return str(answer.json()["messages"][0]["messageId"])

    def status(self, message_id: str) -> str:
        return str(self.call("GET", f"/api/v1/Messages/{message_id}").json()["deliveryStatus"])

    def fault(self, kind: str, **details: Any) -> None:
        assert self.call("POST", "/_sandbox/faults", {"kind": kind, **details}).status_code == 201

    def switch(self, **switches: Any) -> None:
        assert self.call("PUT", "/_sandbox/reports", switches).status_code == 200

    def stats(self) -> dict[str, Any]:
        return dict(self.call("GET", "/_sandbox/stats").json())

    def outstanding(self) -> int:
        return int(self.call("GET", "/_sandbox/outstanding").json()["outstanding"])

    def settle(self) -> None:
        """Wait until everything has been told."""
        eventually(lambda: self.outstanding() == 0)


@dataclass
class Received:
    """One POST that the product's webhook got."""

    path: str
    token: str | None
    body: Any


@dataclass
class Receiver:
    """The product's webhooks: they take everything with the right token, after `refusals` refusals."""

    url: str = ""
    refusals: int = 0
    posts: list[Received] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer_to(self, post: Received) -> int:
        with self.lock:
            if self.refusals:
                self.refusals -= 1
                return 503
            self.posts.append(post)
        return 202 if post.token == SECRET else 401

    def reports(self) -> list[dict[str, Any]]:
        """All reports in the order of arrival, whether they came alone or in arrays."""
        with self.lock:
            bodies = [post.body for post in self.posts if post.path == "/dlr"]
        return [report for body in bodies for report in (body if isinstance(body, list) else [body])]

    def replies(self) -> list[dict[str, Any]]:
        with self.lock:
            return [post.body for post in self.posts if post.path == "/inbound"]


def message(destination: str, *, text: str = "Hello", sender: str = "MyShop") -> dict[str, Any]:
    return {
        "trafficAccountId": ACCOUNT,
        "destination": destination,
        "sms": {"text": text, "sender": sender},
    }


@contextmanager
def listening(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = receiver.answer_to(Received(self.path, self.headers.get("X-Webhook-Token"), body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield receiver


@contextmanager
def serving(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running(config: SandboxConfig) -> Iterator[Carrier]:
    app = create_sandbox(config)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    try:
        with serving(server), requests.Session() as session:
            session.headers["X-Mitto-API-Key"] = config.api_key
            session.trust_env = False
            yield Carrier(f"http://127.0.0.1:{server.server_port}", session)
    finally:
        app.extensions["sandbox"].close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening(Receiver()) as found:
        yield found


@pytest.fixture
def start(receiver: Receiver) -> Iterator[Callable[..., Carrier]]:
    """Start a sandbox with some settings changed; it is quick, never unlucky, and posts to `receiver`."""
    defaults: dict[str, Any] = {
        "api_key": KEY,
        "webhook_url": receiver.url,
        "webhook_secret": SECRET,
        "quick": True,
        "failure_share": 0.0,
        "late_share": 0.0,
        "retry_seconds": 0.01,
    }
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(running(SandboxConfig(**defaults | settings)))


@pytest.fixture
def carrier(start: Callable[..., Carrier]) -> Carrier:
    return start()
