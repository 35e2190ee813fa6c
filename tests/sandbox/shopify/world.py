"""A pretend Shopify on a free loopback port, and typed ways to ask things of it.

    with shopify_world(app_url="http://127.0.0.1:8080", api_key=…, api_secret=…) as world:
        shop = world.shop("demo.myshopify.com", customers=50_000)     # made in seconds, tells nothing
        shop.admin_base       # "http://127.0.0.1:<port>/shopify/demo.myshopify.com"
        world.admin_base      # the setting SHOPIFY_ADMIN_BASE, with {shop} in it
        world.download_host   # the setting SHOPIFY_DOWNLOAD_HOSTS: "127.0.0.1:<port>"
        shop.session_token()  # what App Bridge gives; installs the app when it is not
        token = shop.offline_token()                                  # by token exchange, as the app would
        shop.graphql("query ShopDetails { shop { name } }", token=token)
        person = shop.do("create-customer", phone="+306911111111", sms_state="subscribed")
        order = shop.do("order", customer_id=person["id"], discount_codes=["SMS10"], landing_site="/?an=abc")
        shop.do("fulfil", order_id=order["id"], partial=True); shop.do("deliver", order_id=order["id"])
        cart = shop.do("checkout", customer_id=person["id"])          # left alone, it is abandoned
        shop.do("order", token=cart["token"])                         # bought after all
        shop.do("consent", customer_id=…, state="unsubscribed", at="2026-11-23T10:00:00Z")
        shop.do("redact", customer_id=…); shop.do("uninstall"); shop.do("shop-redact")
        world.fault("throttle", count=3, on="CustomersChanged")       # kinds: app/sandbox/shopify/faults.py
        world.fault("duplicate", value=2, on="orders/create")
        world.settle()                                                # every webhook was taken or given up
        world.webhooks(topic="orders/create"); world.requests(operation="UpdateSmsConsent")
        figures = shop.storm(count=10_000, duplicates=0.3)            # returns when it is over
        world.move_clock(3600)                                        # Shopify's time, not the app's

`in_a_process=True` starts `python -m app.sandbox` instead of a thread: for storms and for measuring. All
names of `do` are in app/sandbox/shopify/actions.py, the switches of `world.switch` in …/settings.py. The same
address serves the carrier with its phones.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from app.sandbox import SandboxConfig, create_sandbox
from tests.sandbox.waiting import eventually

API_KEY = "sandbox-shopify-key"
API_SECRET = "sandbox-shopify-secret-of-32-bytes"
VERSION = "2026-10"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
OFFLINE = "urn:shopify:params:oauth:token-type:offline-access-token"


@dataclass
class World:
    """The running sandbox, by its control API."""

    url: str
    api_key: str = API_KEY
    api_secret: str = API_SECRET
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def admin_base(self) -> str:
        return f"{self.url}/shopify/{{shop}}"

    @property
    def download_host(self) -> str:
        return self.url.removeprefix("http://")

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Anything, as it is answered."""
        options.setdefault("timeout", 60)
        return self.session.request(method, self.url + path, json=body, **options)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the control API that must succeed."""
        answer = self.call(method, f"/sandbox/shopify{path}", body)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def shop(self, domain: str = "demo.myshopify.com", *, customers: int = 0, **wish: Any) -> ShopWorld:
        """Open a shop (or find it), with `customers` people of long ago. More: Population, `shops.create`."""
        self.ask("POST", "/shops", {"domain": domain, "customers": customers, **wish})
        return ShopWorld(self, domain)

    def register(self, **app: str) -> None:
        """api_key, api_secret (newest first, with commas), app_url, scopes."""
        self.api_key = app.get("api_key", self.api_key)
        self.api_secret = app.get("api_secret", self.api_secret)
        self.ask("PUT", "/app", app)

    def fault(self, kind: str, **details: Any) -> None:
        self.ask("POST", "/faults", {"kind": kind, **details})

    def heal(self) -> None:
        self.ask("DELETE", "/faults")

    def switch(self, **switches: Any) -> None:
        self.ask("PUT", "/switches", switches)

    def move_clock(self, seconds: float) -> None:
        self.switch(clock_offset_seconds=seconds)

    def rotate_secret(self, secret: str) -> None:
        self.ask("POST", "/rotate-secret", {"secret": secret})

    def requests(self, **wanted: str) -> list[dict[str, Any]]:
        """What the app asked, oldest first: shop=, operation=, kind=graphql|token|download."""
        answer = self.call("GET", "/sandbox/shopify/requests", params=wanted)
        return list(answer.json()["requests"])

    def webhooks(self, **wanted: str) -> list[dict[str, Any]]:
        """Deliveries with their answers, oldest first: shop=, topic=."""
        answer = self.call("GET", "/sandbox/shopify/webhooks", params={"limit": "5000", **wanted})
        return list(answer.json()["webhooks"])

    def settle(self, within_seconds: float = 30) -> None:
        """Wait until every webhook was taken or given up."""
        eventually(lambda: self.ask("GET", "/webhooks")["outstanding"] == 0, within_seconds=within_seconds)

    def reset(self) -> None:
        self.ask("POST", "/reset")


@dataclass
class ShopWorld:
    """One shop of it."""

    world: World
    domain: str

    @property
    def admin_base(self) -> str:
        return f"{self.world.url}/shopify/{self.domain}"

    def do(self, action: str, **wish: Any) -> Any:
        """Make something happen; what came of it, as a webhook would show it."""
        return self.world.ask("POST", f"/shops/{self.domain}/do/{action}", wish)

    def shown(self) -> dict[str, Any]:
        """The shop with its figures, scopes and subscriptions."""
        return dict(self.world.ask("GET", f"/shops/{self.domain}"))

    def customers(self, *, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        path = f"/shops/{self.domain}/customers?after={after}&limit={limit}"
        return list(self.world.ask("GET", path)["customers"])

    def customer(self, number: int) -> dict[str, Any]:
        return dict(self.world.ask("GET", f"/shops/{self.domain}/customers/{number}"))

    def orders(self, *, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        path = f"/shops/{self.domain}/orders?after={after}&limit={limit}"
        return list(self.world.ask("GET", path)["orders"])

    def session_token(self, **claims: Any) -> str:
        """A token of App Bridge; `claims` replace the true ones."""
        answer = self.world.call("POST", f"/shopify/{self.domain}/session-token", {"claims": claims})
        return str(answer.json()["token"])

    def token_call(self, **body: Any) -> requests.Response:
        """Ask the token endpoint with the app's id and secret."""
        credentials = {
            "client_id": self.world.api_key,
            "client_secret": self.world.api_secret.split(",")[0],
        }
        path = f"/shopify/{self.domain}/admin/oauth/access_token"
        return self.world.call("POST", path, {**credentials, **body})

    def exchange(self, session_token: str) -> requests.Response:
        """A session token for an expiring offline token."""
        return self.token_call(
            grant_type=EXCHANGE,
            subject_token=session_token,
            subject_token_type=ID_TOKEN,
            requested_token_type=OFFLINE,
            expiring="1",
        )

    def offline_token(self) -> str:
        """An access token, got as the app would."""
        return str(self.exchange(self.session_token()).json()["access_token"])

    def graphql(
        self, query: str, variables: dict[str, Any] | None = None, *, token: str, version: str = VERSION
    ) -> requests.Response:
        path = f"/shopify/{self.domain}/admin/api/{version}/graphql.json"
        headers = {"X-Shopify-Access-Token": token}
        return self.world.call("POST", path, {"query": query, "variables": variables or {}}, headers=headers)

    def storm(self, *, within_seconds: float = 300, **wish: Any) -> dict[str, Any]:
        """Let a storm loose and wait for its end; its figures. To do something meanwhile: `begin_storm`."""
        return self.end_of_storm(self.begin_storm(**wish), within_seconds=within_seconds)

    def begin_storm(self, **wish: Any) -> int:
        """count, duplicates, seed, threads, mix. Its number."""
        return int(self.world.ask("POST", f"/shops/{self.domain}/storm", wish)["id"])

    def end_of_storm(self, number: int, *, within_seconds: float = 300) -> dict[str, Any]:
        """Wait for it: posts, distinct, topics, statuses, refused, p50_ms, p99_ms, max_ms, per_second."""
        deadline = time.monotonic() + within_seconds
        pause = threading.Event()
        while not (figures := self.storm_so_far(number))["done"]:
            assert time.monotonic() < deadline, figures
            pause.wait(0.2)
        return figures

    def storm_so_far(self, number: int) -> dict[str, Any]:
        return dict(self.world.ask("GET", f"/storms/{number}"))


@contextmanager
def shopify_world(
    *,
    app_url: str = "",
    api_key: str = API_KEY,
    api_secret: str = API_SECRET,
    retry_seconds: float = 0.01,
    in_a_process: bool = False,
    **settings: Any,
) -> Iterator[World]:
    """A sandbox for as long as the context lasts. `settings`: members of SandboxConfig (not in a process)."""
    config = SandboxConfig(
        app_url=app_url,
        shopify_api_key=api_key,
        shopify_api_secret=api_secret,
        shopify_retry_seconds=retry_seconds,
        **settings,
    )
    serve = _process if in_a_process else _thread
    with serve(config) as url, requests.Session() as session:
        session.trust_env = False
        yield World(url, api_key, api_secret, session)


class Quiet(WSGIRequestHandler):
    """Answers without a line in the log for each request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def _thread(config: SandboxConfig) -> Iterator[str]:
    app = create_sandbox(config)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    server.daemon_threads = True  # a kept-alive connection of the app must not keep the test
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["sandbox"].close()


@contextmanager
def _process(config: SandboxConfig) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = {
        "SANDBOX_PORT": str(port),
        "SANDBOX_STORE": ":memory:",
        "SANDBOX_APP_URL": config.app_url,
        "SANDBOX_SHOPIFY_API_KEY": config.shopify_api_key,
        "SANDBOX_SHOPIFY_API_SECRET": config.shopify_api_secret,
        "SANDBOX_SHOPIFY_RETRY_SECONDS": str(config.shopify_retry_seconds),
    }
    command = [sys.executable, "-m", "app.sandbox"]
    process = subprocess.Popen(command, env={**os.environ, **given}, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _answers(process, url), within_seconds=30)
        yield url
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    assert process.poll() is None, "the sandbox has ended"
    try:
        return requests.get(f"{url}/sandbox/shopify/shops", timeout=5).ok
    except requests.ConnectionError:
        return False
