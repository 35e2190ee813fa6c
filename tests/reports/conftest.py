"""Two merchants, so that every test can have a stranger in it; and a carrier that can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.integrations.mitto.client import MittoClient
from app.messaging.provider import EXTENSION
from tests.build_campaigns import Merchant, a_merchant
from tests.integrations.mitto.carriers import Asked, Said, carrier
from tests.reports.history import known_message

Answer = Callable[[str], Said]


@dataclass
class AskedCarrier:
    """A carrier that knows the messages in `words`, by their id, and no others. It notes what it is asked."""

    words: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    is_down: bool = False

    def answer(self, request: Asked) -> Said:
        id_ = request.path.rpartition("/")[2]
        self.asked.append(id_)
        if self.is_down:
            return Said(b"", 503)
        return known_message(id_, self.words[id_]) if id_ in self.words else Said(b"", 404)


@pytest.fixture
def merchant(client: FlaskClient) -> Merchant:
    return a_merchant(client)


@pytest.fixture
def stranger(client: FlaskClient) -> Merchant:
    """The owner of another shop."""
    return a_merchant(client)


@pytest.fixture
def lookups(app: Flask) -> Iterator[AskedCarrier]:
    """The carrier that the app asks about messages."""
    with an_asked_carrier(app) as known:
        yield known


@contextmanager
def an_asked_carrier(app: Flask) -> Iterator[AskedCarrier]:
    """The same, for as long as the context lasts."""
    known = AskedCarrier()
    with carrier(known.answer) as server:
        client = MittoClient(server.url, "key", "account", timeout_seconds=5)
        app.extensions[EXTENSION] = client
        yield known
        client.close()
        del app.extensions[EXTENSION]
