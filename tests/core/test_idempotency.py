"""A key is used once: its answer is repeated, its failure forgotten, its twin made to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.errors import ValidationFailed
from app.core.idempotency import (
    IdempotencyInProgress,
    IdempotencyKeyReused,
    purge_keys,
    read_key,
    store_answer,
    stored_answer,
)
from app.core.uow import across_shops, unit_of_work
from app.shops.models import Shop
from tests import build
from tests.core.threads import Background, until_blocked

ANSWER = {"campaignId": "7", "status": "sending"}
REQUEST = {"campaign": 7}


def use(shop: Shop, key: str = "k", request: Any = REQUEST, work: Callable[[], None] = lambda: None) -> Any:
    """What a use case with a key does; gives the earlier answer, or None when it did the work itself."""
    with unit_of_work(shop.id):
        earlier = stored_answer(shop.id, key, request)
        if earlier is None:
            work()
            store_answer(shop.id, key, ANSWER)
        return earlier


def test_the_second_use_of_a_key_gets_the_first_ones_answer(app: Flask):
    shop = build.a_shop()

    assert use(shop) is None
    assert use(shop) == ANSWER
    assert use(shop) == ANSWER


def test_the_order_of_a_requests_fields_does_not_matter(app: Flask):
    shop = build.a_shop()
    use(shop, request={"a": 1, "b": [2]})

    assert use(shop, request={"b": [2], "a": 1}) == ANSWER


def test_a_key_used_for_another_request_is_refused(app: Flask):
    shop = build.a_shop()
    use(shop)

    with pytest.raises(IdempotencyKeyReused):
        use(shop, request={"campaign": 8})
    assert use(shop) == ANSWER


def test_a_key_belongs_to_its_shop(app: Flask):
    first, second = build.a_shop(), build.a_shop()
    use(first)

    assert use(second) is None


def test_a_failure_leaves_the_key_free(app: Flask):
    shop = build.a_shop()

    def fail() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        use(shop, work=fail)

    assert use(shop) is None
    assert use(shop) == ANSWER


def test_a_twin_waits_for_the_first_and_gets_its_answer(app: Flask, owner: sa.Engine):
    shop, done = build.a_shop(), threading.Event()
    working = threading.Event()

    def work() -> None:
        working.set()
        assert done.wait(10)

    first = Background(app, lambda: use(shop, work=work))
    assert working.wait(10)
    twin = Background(app, lambda: use(shop))
    until_blocked(owner)
    done.set()

    assert (first.result(), twin.result()) == (None, ANSWER)


def test_a_twin_does_the_work_when_the_first_fails(app: Flask, owner: sa.Engine):
    shop, done = build.a_shop(), threading.Event()
    working = threading.Event()

    def fail() -> None:
        working.set()
        assert done.wait(10)
        raise RuntimeError("first failed")

    first = Background(app, lambda: use(shop, work=fail))
    assert working.wait(10)
    twin = Background(app, lambda: use(shop))
    until_blocked(owner)
    done.set()

    assert twin.result() is None
    with pytest.raises(RuntimeError, match="first failed"):
        first.result()


def test_a_twin_that_waited_too_long_is_told_that_the_first_still_runs(app: Flask):
    shop, done = build.a_shop(), threading.Event()
    working = threading.Event()

    def work() -> None:
        working.set()
        assert done.wait(10)

    first = Background(app, lambda: use(shop, work=work))
    assert working.wait(10)

    with pytest.raises(IdempotencyInProgress) as refused, unit_of_work(shop.id) as session:
        session.execute(sa.text("SET LOCAL lock_timeout = '50ms'"))
        stored_answer(shop.id, "k", REQUEST)

    done.set()
    assert refused.value.status == 409
    assert first.result() is None


def test_keys_older_than_a_week_are_forgotten(app: Flask):
    shop = build.a_shop()
    use(shop, "old")
    use(shop, "young")
    with unit_of_work(shop.id) as session:
        session.execute(
            sa.text("UPDATE idempotency_keys SET created_at = now() - interval '8 days' WHERE key = 'old'")
        )

    with across_shops("to purge"):
        purge_keys()

    assert use(shop, "young") == ANSWER
    assert use(shop, "old") is None


@pytest.mark.parametrize("header", ["x" * 129, "ключ", "a\tb", "a\x7f"])
def test_a_key_that_is_no_key_is_refused_by_name(header: str):
    with pytest.raises(ValidationFailed) as refused:
        read_key(header)

    assert refused.value.details[0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize(("header", "key"), [(None, None), ("", None), ("x" * 128, "x" * 128)])
def test_a_key_is_optional_and_has_up_to_128_characters(header: str | None, key: str | None):
    assert read_key(header) == key
