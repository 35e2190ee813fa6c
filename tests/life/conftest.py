"""A whole little world in one process: our API on a socket, our workers by hand, Shopify, carrier, phones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
import requests
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from app.automations.service import sweeping, working
from app.background import Worker
from app.core import clock
from app.core.queue import QUEUES, JsonQueue, wake
from app.core.redis import redis_client
from app.customers.service import importing, pushing
from app.integrations.mitto.client import MittoClient
from app.messaging.provider import EXTENSION
from tests.sandbox.shopify.world import World, shopify_world

CARRIER_KEY, FRONTEND = "sandbox-key", "https://app.example.com"
ACCOUNT = "7d3c1c5e-52a4-4c0e-9f5b-0a6f2b9d1e11"
ROUNDS_MOST = 60


class Quiet(WSGIRequestHandler):
    """No line on the terminal for each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@dataclass
class Life:
    """The world, and what people in it can do over HTTP."""

    api: str
    shopify: World
    session: requests.Session = field(default_factory=requests.Session)

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.session.request(method, self.api + path, json=body, headers=headers, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, *, token: str) -> Any:
        """A call of the merchant's client that must succeed; its `data`."""
        answer = self.call(method, path, body, token)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()["data"]

    def work(self) -> None:
        """Let Shopify post and our workers work until neither has anything left to do now."""
        for _ in range(ROUNDS_MOST):
            self.shopify.settle(60)
            for shop_id in sweeping.shops_with_news():
                wake("automations.welcome", shop_id)
            for shop_id in working.shops_with_due():
                wake("automations.work", shop_id)
            for shop_id in importing.waiting_shops():
                wake("customers.import_all", shop_id)
            for shop_id in pushing.shops_to_tell():
                wake("customers.push_consent", shop_id)
            if not self._answer_bells() and self._is_quiet():
                return
        rung = {
            "welcome": sweeping.shops_with_news(),
            "due": working.shops_with_due(),
            "imports": importing.waiting_shops(),
            "consent": pushing.shops_to_tell(),
        }
        raise AssertionError(f"the workers do not come to rest: {rung}")

    def _answer_bells(self) -> int:
        connection = redis_client()
        queues = [JsonQueue(name, connection=connection) for name in QUEUES]
        waiting = sum(len(queue) for queue in queues)
        if waiting:
            worker = Worker(queues, connection=connection, serializer=queues[0].serializer)
            worker.work(burst=True, with_scheduler=False, logging_level="WARNING")
        return waiting

    def _is_quiet(self) -> bool:
        left = self.session.get(f"{self.shopify.url}/_sandbox/outstanding", timeout=10).json()["outstanding"]
        return not left and not self.shopify.ask("GET", "/webhooks")["outstanding"]

    def texts(self, phone: str) -> list[str]:
        """What has arrived on a phone, oldest first, without the opt-out line."""
        page = self.session.get(f"{self.shopify.url}/_sandbox/messages?limit=1000", timeout=10).json()
        bodies = [one["text"] for one in page["messages"] if one["phone"] == phone]
        return [body.partition("\n\nUnsubscribe")[0] for body in bodies]

    def reply(self, phone: str, words: str) -> None:
        body = {"phone": phone, "text": words}
        assert self.session.post(f"{self.shopify.url}/_sandbox/reply", json=body, timeout=10).ok

    @contextmanager
    def later(self, by: timedelta) -> Iterator[None]:
        """Our clock and Shopify's, so much later."""
        self.shopify.move_clock(by.total_seconds())
        with clock.moved(by):
            yield
        self.shopify.move_clock(0)


@pytest.fixture
def life(app: Flask) -> Iterator[Life]:
    before = app.config["SETTINGS"]
    with _served(app) as api, _sandbox(api, before) as world:
        app.config["SETTINGS"] = replace(
            before,
            shopify_admin_base=world.admin_base,
            shopify_download_hosts=(world.download_host,),
            public_base_url=api,
            frontend_url=FRONTEND,
        )
        client = MittoClient(world.url, CARRIER_KEY, ACCOUNT, timeout_seconds=5)
        app.extensions[EXTENSION] = client
        world.switch(bulk_seconds=0, restore_rate=100_000, bucket_points=100_000)
        yield Life(api, world)
        client.close()
        del app.extensions[EXTENSION]
    app.config["SETTINGS"] = before


def _sandbox(api: str, settings: Any) -> Any:
    return shopify_world(
        app_url=api,
        api_key=settings.shopify_api_key,
        api_secret=settings.shopify_api_secret,
        traffic_account_id=ACCOUNT,
        webhook_url=f"{api}/webhooks/mitto",
        webhook_secret=settings.mitto_webhook_secret,
        quick=True,
        failure_share=0.0,
        late_share=0.0,
    )


class _served:  # noqa: N801 (reads as a function)
    """The app on a free loopback port, in a thread."""

    def __init__(self, app: Flask) -> None:
        self._server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
