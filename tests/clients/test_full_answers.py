"""Every field that the pages read, in answers about a shop that has some of everything: no list is empty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from app.core.settings import settings
from app.messaging.link_tokens import make_token
from tests.clients.browser import Browser, Embedded, Web
from tests.clients.conftest import signed_in
from tests.clients.pages import EMBEDDED, WEB
from tests.clients.shapes import Maybe, Shape
from tests.contracts.crowd import Crowd, a_crowd, shared_templates

BROWSERS: dict[str, tuple[type[Browser], dict[str, Shape]]] = {"W": (Web, WEB), "S": (Embedded, EMBEDDED)}
# Asked of Stripe, and without a list: the walks open it.
ELSEWHERE = {"GET /subscriptions/portal"}
GETS = [
    (client, name)
    for client, (_, reads) in BROWSERS.items()
    for name in reads
    if name.startswith("GET ") and name not in ELSEWHERE
]
NO_PRICES = "the options need a Stripe"
# Lists that are empty here, and why.
EMPTY: dict[str, dict[str, str]] = {
    "GET /shopify/discounts": {"data.discounts": "they are asked of Shopify"},
    "GET /settings": {"data.recentTransactions": "nothing is paid for yet"},
    "GET /billing/packages": {"data.packages[].features": "no package has any"},
    "GET /billing/balance": {"data.subscription.availableOptions": NO_PRICES},
    "GET /billing/summary": {"data.subscription.availableOptions": NO_PRICES},
    "GET /subscriptions/status": {"data.availableOptions": NO_PRICES},
}


@pytest.mark.parametrize(("client", "name"), GETS)
def test_every_field_is_in_a_real_answer(
    app: Any, address: str, session: requests.Session, client: str, name: str
) -> None:
    kind, reads = BROWSERS[client]
    shared_templates(1)
    crowd = a_crowd(3)
    page = signed_in(kind(address, reads, session), crowd.shop)

    received = page.get(address_of(name, crowd), limit=100)  # holds it against the shape

    assert never_filled(received, reads[name]) == set(EMPTY.get(name, {}))


def test_an_empty_list_is_noticed() -> None:
    shape: Shape = {"a": [{"b": ["x"], "c": ["x"]}], "d": Maybe(["x"])}
    value = {"a": [{"b": [], "c": []}, {"b": [], "c": [1]}], "d": None}

    assert never_filled(value, shape) == {"data.a[].b"}


def never_filled(value: Any, shape: Shape) -> set[str]:
    """The lists that a page reads and that are empty wherever the answer has them."""
    found = list(lists(value, shape, "data"))
    return {where for where, _ in found} - {where for where, is_filled in found if is_filled}


def lists(value: Any, shape: Shape, where: str) -> Iterator[tuple[str, bool]]:
    """Every list in an answer that a page reads, and whether it has items."""
    if isinstance(shape, Maybe):
        if value is not None:
            yield from lists(value, shape.of, where)
    elif isinstance(shape, dict):
        for name, inner in shape.items():
            yield from lists(value[name], inner, f"{where}.{name}")
    elif isinstance(shape, list):
        yield where, bool(value)
        for item in value:
            yield from lists(item, shape[0], f"{where}[]")


def address_of(name: str, crowd: Crowd) -> str:
    path = name.partition(" ")[2]
    if "{token}" in path:
        return path.format(token=make_token(int(crowd.first("messages")), 0, settings().unsubscribe_secret))
    if "{trigger}" in path:
        return path.format(trigger="order_placed")
    if path.endswith("/calculate"):
        return f"{path}?credits=100"
    return path.format(id=crowd.first(path.split("/")[1])) if "{" in path else path
