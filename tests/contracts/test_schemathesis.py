"""Every operation, asked as the document allows and as it forbids: the answers are what it promises.

`default` is taken out of the document first: an answer that only "any other status" covers is undocumented.
"""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import hypothesis
import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from app.config import Settings
from tests import build
from tests.contracts.belongings import MAKERS
from tests.contracts.operations import METHODS, Json, Operation, document, operations

pytestmark = pytest.mark.usefixtures("stripe_world")  # payments are set up, as in production

EXAMPLES = 16
# Checks that are off, and why.
OFF = {
    # A schema cannot say what a phone number, a time zone or a message with merge fields must look like.
    "positive_data_acceptance",
}
# Where a body that breaks the schema is still taken, and why.
LENIENT = {
    "POST /contacts/import": "each row is judged by itself, a bad one is only reported (contract §6.6)",
    "POST /suppressions/import": "each line is judged by itself, a bad one is only reported",
}
# Operations that are not asked, and why.
NOT_ASKED: dict[str, str] = {}
ASKED = [operation for operation in operations() if operation.name not in NOT_ASKED]


def test_only_operations_that_exist_are_left_out() -> None:
    assert {*NOT_ASKED, *LENIENT} <= {operation.name for operation in operations()}


@pytest.mark.parametrize("operation", ASKED, ids=lambda operation: operation.name)
def test_every_answer_is_documented(
    app: Flask, client: FlaskClient, settings: Settings, operation: Operation
) -> None:
    shop = build.a_shop()
    headers = build.auth(shop) | _secrets(settings)
    asked = _schema(app)[operation.path][operation.method]
    made = {name: MAKERS[name](client, shop) for name in operation.path_parameters if name in MAKERS}
    cases = st.one_of([asked.as_strategy(generation_mode=mode) for mode in GenerationMode])

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=cases, own=st.booleans())
    def ask(case: Any, own: bool) -> None:
        if own and made and case.meta.generation.mode is GenerationMode.POSITIVE:
            case.path_parameters = made
        case.call_and_validate(headers=headers, excluded_checks=_left_out(operation, case))

    ask()


def _secrets(settings: Settings) -> dict[str, str]:
    """What the carrier and the administrator show."""
    return {"X-Webhook-Token": settings.mitto_webhook_secret, "X-Admin-Token": settings.admin_token}


def _left_out(operation: Operation, case: Any) -> list[Any]:
    """The checks that this question cannot pass. An empty query parameter counts as not given (§1.1)."""
    load_all_checks()
    query = case.query or {}
    empty = "" in query or "" in query.values()
    return CHECKS.get_by_names(
        sorted(OFF | ({"negative_data_rejection"} if empty or operation.name in LENIENT else set()))
    )


@cache
def _schema(app: Flask) -> Any:
    schema = schemathesis.openapi.from_dict(_without_catch_all())
    schema.config.generation.update(with_security_parameters=False)  # we show the right ones with every call
    schema.app = app
    return schema


def _without_catch_all() -> Json:
    strict = copy.deepcopy(document())
    for item in strict["paths"].values():
        for method in METHODS:
            item.get(method, {"responses": {}})["responses"].pop("default", None)
    return strict
