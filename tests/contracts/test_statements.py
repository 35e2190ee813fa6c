"""No answer costs more SQL because there is more to show: counted for every operation of the document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from app.automations.schemas import STEPS_MAX
from app.config import Settings
from app.contacts.importing import running
from app.messaging.link_tokens import make_token
from app.storefront.tokens import make_token as confirmation_token
from tests import build
from tests.build_campaigns import statements
from tests.contracts.belongings import MAKERS, NOT_KEPT_HERE
from tests.contracts.crowd import BIGGEST, Crowd, a_crowd, shared_templates
from tests.contracts.operations import Json, Operation, operations, resolved
from tests.reports.conftest import an_asked_carrier

MANY = 100
# Beside the one that finds the shop of the token, which every request of a tenant makes.
MOST = 12
MOST_OF_A_POLL = 2
POLLS = {
    "GET /campaigns/{campaign_id}/status",
    "GET /campaigns/{campaign_id}/progress",
    "GET /billing/balance",
    "GET /subscriptions/status",
    "GET /billing/summary",
}
# What may cost more, and why.
LARGER: dict[str, tuple[int, str]] = {
    "GET /reports/overview": (30, "it is the six reports at once; the answer is kept"),
    "GET /reports/export": (30, "it reads what the report reads, and no page of either client asks for it"),
    "GET /billing/ledger/export": (20, "it seals what is new and reads seal by seal; nobody polls it"),
}
# What is no reading of what a shop has, and why.
NO_READING = {
    "GET /auth/shopify": "it sends a browser to Shopify",
    "GET /auth/callback": "it asks Shopify, and installs",
    "GET /subscriptions/portal": "it asks Stripe for an address",
    "GET /privacy/requests/{request_id}/export": "it is of one person: each table once (tests/privacy)",
}
# Lists that are one value of one row.
VALUES = {"tags", "scopes"}

GETS = [
    one
    for one in operations()
    if one.method == "GET"
    and one.name not in NO_READING
    and not NOT_KEPT_HERE.intersection(one.path_parameters)
]


def takes_a_list(operation: Operation) -> bool:
    properties = resolved(operation.body_schema or {}).get("properties", {})
    return any(kind.get("type") == "array" for name, kind in properties.items() if name not in VALUES)


WRITES = [one for one in operations() if one.method != "GET" and takes_a_list(one)]


def by_name(chosen: list[Operation]) -> Any:
    return pytest.mark.parametrize("operation", chosen, ids=lambda operation: operation.name)


@dataclass
class Counted:
    """Calls the API, and says how many statements that took."""

    app: Flask
    client: FlaskClient
    settings: Settings

    def call(self, operation: Operation, crowd: Crowd, **kwargs: Any) -> tuple[int, Any]:
        """The statements beside the sign-in and the set-up of transactions; the answer's JSON, if it is."""
        headers = build.auth(crowd.shop) | {"X-Admin-Token": self.settings.admin_token}
        address = operation.address(
            **{name: self._id(operation, name, crowd) for name in operation.path_parameters}
        )
        redis.Redis.from_url(self.settings.redis_url).flushdb()  # no answer may be a kept one
        with statements(self.app) as seen:
            answer = self.client.open(address, method=operation.method, headers=headers, **kwargs)
            text = answer.get_data(as_text=True)
        assert answer.status_code < 400, text
        asked = [one for one in seen if "set_config('app." not in one]
        is_tenants = not operation.is_public
        return len(asked) - is_tenants, answer.get_json() if answer.is_json else text

    def _id(self, operation: Operation, name: str, crowd: Crowd) -> str:
        if name == "token":
            return self._token(operation, crowd)
        if operation.path.startswith("/admin/templates"):
            return self._shared_template(crowd)
        return BIGGEST[name](crowd) if name in BIGGEST else MAKERS[name](self.client, crowd.shop)

    def _token(self, operation: Operation, crowd: Crowd) -> str:
        secret = self.settings.unsubscribe_secret
        if operation.path.startswith("/opt-in/"):
            return confirmation_token(int(crowd.first("opt_in_confirmations")), secret)
        is_link = operation.path.startswith(("/r/", "/s/"))
        return make_token(int(crowd.first("messages")), int(is_link), secret)

    def _shared_template(self, crowd: Crowd) -> str:
        answer = self.client.get("/admin/templates", headers={"X-Admin-Token": self.settings.admin_token})
        return str(answer.json["data"]["items"][0]["id"])


@pytest.fixture
def counted(app: Flask, client: FlaskClient, settings: Settings) -> Counted:
    return Counted(app, client, settings)


@dataclass(frozen=True)
class Both:
    """A shop with one of everything, and one with a hundred."""

    few: Crowd
    many: Crowd


@pytest.fixture
def both(app: Flask) -> Both:
    shared_templates(MANY)
    return Both(a_crowd(1), a_crowd(MANY))


@by_name(GETS)
def test_reading_costs_the_same_whatever_there_is(counted: Counted, both: Both, operation: Operation) -> None:
    paging = {"pageSize", "limit"}.intersection(one["name"] for one in operation.query_parameters)
    needed = {one["name"]: 1 for one in operation.query_parameters if one.get("required")}
    for crowd in (both.few, both.many):
        counted.call(operation, crowd, query_string=needed)  # what a shop's first reader makes, it makes once

    few, many = (needed | dict.fromkeys(paging, size) for size in (1, MANY))
    few_statements, few_shown = counted.call(operation, both.few, query_string=few)
    many_statements, many_shown = counted.call(operation, both.many, query_string=many)

    if paging:
        assert longest_list(few_shown) < longest_list(many_shown) >= MANY, "it proves nothing: see crowd.py"
    assert many_statements == few_statements
    assert many_statements <= most_of(operation)


@by_name([one for one in operations() if one.name in POLLS])
def test_what_is_polled_costs_two_statements(counted: Counted, both: Both, operation: Operation) -> None:
    asked, _ = counted.call(operation, both.many)

    assert asked <= MOST_OF_A_POLL


def test_what_is_polled_is_served() -> None:
    assert {one.name for one in GETS} >= {*POLLS, *LARGER}


# A body with so many rows, from the `first`-th thing of the shop on.
Body = Callable[[Crowd, int, int], Json]
BODIES: dict[str, Body] = {
    "POST /contacts/import": lambda _crowd, first, count: {"contacts": people(first, count)},
    "POST /suppressions": lambda _crowd, first, count: {"phones": phones(first, count)},
    "POST /audiences/segments": lambda crowd, first, count: {
        "name": f"From {first}",
        "contactIds": crowd.ids("contacts", first, count),
    },
    "PUT /audiences/segments/{segment_id}": lambda crowd, first, count: {
        "contactIds": crowd.ids("contacts", first, count)
    },
    "POST /audiences/segments/{segment_id}/members": lambda crowd, first, count: {
        "contactIds": crowd.ids("contacts", first, count)
    },
    "DELETE /audiences/segments/{segment_id}/members": lambda crowd, first, count: {
        "contactIds": crowd.ids("contacts", first, count)
    },
    "POST /automations": lambda _crowd, first, count: {
        "name": f"From {first}",
        "trigger": "welcome",
        "message": "Welcome to us",
        "steps": steps(count),
    },
    "PUT /automations/{automation_id}": lambda _crowd, _first, count: {"steps": steps(count)},
    "POST /tracking/bulk-update": lambda crowd, first, count: {
        "messageIds": crowd.ids("messages", first, count)
    },
    "POST /api/mitto/refresh-status-bulk": lambda crowd, first, count: {
        "providerMessageIds": [f"again-{one}" for one in crowd.ids("messages", first, count)]
    },
}


def people(first: int, count: int) -> list[Json]:
    return [
        {"phoneE164": phone, "firstName": "Εύα", "smsConsent": "opted_in"} for phone in phones(first, count)
    ]


def steps(count: int) -> list[Json]:
    """As many as there may be."""
    return [{"message": "Welcome to us", "delayMinutes": day} for day in range(min(count, STEPS_MAX))]


def phones(first: int, count: int) -> list[str]:
    return [f"+306970{number:06}" for number in range(first, first + count)]


@by_name(WRITES)
def test_a_list_is_written_at_the_cost_of_one_row(counted: Counted, operation: Operation) -> None:
    assert operation.name in BODIES, "it takes a list: give it a body in BODIES"
    crowd, body = a_crowd(MANY), BODIES[operation.name]
    with an_asked_carrier(counted.app) as carrier:
        if operation.path.startswith(("/tracking", "/api/mitto")):
            carrier.words = dict.fromkeys(crowd.send_again(), "Delivered")

        one, _ = counted.call(operation, crowd, json=body(crowd, 1, 1))
        ninety, _ = counted.call(operation, crowd, json=body(crowd, 2, 90))

    assert ninety == one


@pytest.mark.parametrize("path", ["/suppressions/import", "/contacts/import"])
def test_a_file_is_taken_in_at_the_cost_of_one_row(counted: Counted, path: str) -> None:
    operation = next(one for one in operations() if one.name == f"POST {path}")
    crowd = a_crowd(1)

    one = taken_in(counted, operation, crowd, phones(1, 1))
    many = taken_in(counted, operation, crowd, phones(2, 500))

    assert many == one


def taken_in(counted: Counted, operation: Operation, crowd: Crowd, numbers: list[str]) -> int:
    """The statements of handing in a file and, where a job does it, of the job."""
    file = (BytesIO("\n".join(["phone", *numbers]).encode()), "numbers.csv")
    asked, answer = counted.call(operation, crowd, data={"file": file})
    import_id = (answer["data"] or {}).get("importId")
    if import_id is None:
        return asked
    with statements(counted.app) as seen:
        running.run_import(crowd.shop.id, int(import_id))
    return asked + len(seen)


def most_of(operation: Operation) -> int:
    return LARGER[operation.name][0] if operation.name in LARGER else MOST


def longest_list(node: Any) -> int:
    """The length of the longest list anywhere in an answer."""
    return max((len(one) for one in _lists(node)), default=0)


def _lists(node: Any) -> Iterator[list[Any]]:
    if isinstance(node, list):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _lists(inner)
