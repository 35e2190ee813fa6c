"""The API on a real socket, and both clients signed in to one shop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TypeVar

import pytest
import requests
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from app.auth import tokens
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.shops.models import Shop
from tests import build
from tests.clients.browser import Browser, Embedded, Web
from tests.clients.pages import EMBEDDED, WEB
from tests.stripe_world import running_stripe, stripe_world  # noqa: F401  # fixtures

Client = TypeVar("Client", bound=Browser)


class Quiet(WSGIRequestHandler):
    """No line on the terminal for each request."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@pytest.fixture(scope="session")
def address(migrated: Flask) -> Iterator[str]:
    """Where the API listens while the tests run."""
    server = make_server("127.0.0.1", 0, migrated, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A shop with a subscription, and 1 000 credits in its wallet."""
    shop = build.a_shop()
    with unit_of_work(shop.id):
        credits.grant(shop.id, 1000, key="test", reason="for a test")
    return shop


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def web(address: str, shop: Shop, session: requests.Session) -> Web:
    return signed_in(Web(address, WEB, session), shop)


@pytest.fixture
def embedded(address: str, shop: Shop, session: requests.Session) -> Embedded:
    return signed_in(Embedded(address, EMBEDDED, session), shop)


def signed_in(client: Client, shop: Shop) -> Client:
    client.token, client.domain = tokens.issue(shop.id, shop.domain), shop.domain
    return client
