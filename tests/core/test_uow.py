"""Units of work: all or nothing, one shop at a time, news only after the commit."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import text

from app.contacts.models import Suppression
from app.core.database import db
from app.core.uow import (
    NestedUnitOfWork,
    NoUnitOfWork,
    across_shops,
    after_commit,
    require_unit_of_work,
    unit_of_work,
    within_shop,
)
from tests import build, build_contacts

SHOP_SETTINGS = text("SELECT current_setting('app.shop_id', true), current_setting('app.all_shops', true)")


def suppress(shop_id: int, phone: str = "+306900000001") -> None:
    require_unit_of_work().add(Suppression(shop_id=shop_id, phone=phone, source="manual"))


def test_leaving_a_unit_of_work_commits_it(app: Flask):
    shop = build.a_shop()

    with unit_of_work(shop.id):
        suppress(shop.id)

    assert build_contacts.suppressed_phones(shop) == {"+306900000001"}


@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_any_exception_undoes_the_whole_unit_of_work(app: Flask, failure: type[BaseException]):
    shop = build.a_shop()

    with pytest.raises(failure), unit_of_work(shop.id) as session:
        suppress(shop.id)
        session.flush()
        raise failure

    assert build_contacts.suppressed_phones(shop) == set()


def test_callbacks_run_in_order_and_only_after_the_commit(app: Flask):
    shop, seen = build.a_shop(), []

    with unit_of_work(shop.id):
        suppress(shop.id)
        after_commit(lambda: seen.append(("first", build_contacts.suppressed_phones(shop))))
        after_commit(lambda: seen.append(("second", set())))
        assert seen == []

    assert seen == [("first", {"+306900000001"}), ("second", set())]


def test_callbacks_never_run_after_a_rollback(app: Flask):
    shop, seen = build.a_shop(), []

    with pytest.raises(RuntimeError), unit_of_work(shop.id):
        after_commit(lambda: seen.append(1))
        raise RuntimeError
    with unit_of_work(shop.id):
        pass

    assert seen == []


def test_callbacks_never_run_when_the_commit_itself_fails(app: Flask):
    shop, seen = build.a_shop(), []
    build_contacts.a_suppression(shop, "+306900000001")

    with pytest.raises(Exception, match="duplicate key"), unit_of_work(shop.id):
        after_commit(lambda: seen.append(1))
        suppress(shop.id)

    assert seen == []


def test_a_unit_of_work_inside_another_one_is_refused(app: Flask):
    shop = build.a_shop()

    with unit_of_work(shop.id):
        with pytest.raises(NestedUnitOfWork), unit_of_work(shop.id):
            pass
        with pytest.raises(NestedUnitOfWork), across_shops("why not"):
            pass
        suppress(shop.id)

    assert build_contacts.suppressed_phones(shop) == {"+306900000001"}


def test_a_step_needs_the_callers_unit_of_work(app: Flask):
    with pytest.raises(NoUnitOfWork):
        require_unit_of_work()
    with pytest.raises(NoUnitOfWork):
        after_commit(lambda: None)

    with pytest.raises(RuntimeError), unit_of_work(build.a_shop().id):
        raise RuntimeError
    with pytest.raises(NoUnitOfWork):
        require_unit_of_work()


def test_a_connection_goes_back_to_the_pool_without_a_shop(app: Flask):
    shop = build.a_shop()
    db.session.remove()
    db.engine.dispose()  # from here on the pool has one connection
    with unit_of_work(shop.id) as session:
        assert tuple(session.execute(SHOP_SETTINGS).one()) == (str(shop.id), "off")
        used = session.scalar(text("SELECT pg_backend_pid()"))
    with pytest.raises(RuntimeError), across_shops("to fail"):
        raise RuntimeError

    with db.engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) == used
        shop_id, all_shops = connection.execute(SHOP_SETTINGS).one()
    assert shop_id in {None, ""}
    assert all_shops in {None, ""}


def test_a_stray_read_outside_a_unit_of_work_sees_nothing_and_does_no_harm(app: Flask):
    shop = build.a_shop()
    build_contacts.a_suppression(shop)

    assert db.session.query(Suppression).all() == []
    with unit_of_work(shop.id) as session:
        assert session.query(Suppression).count() == 1


def test_crossing_shops_needs_a_reason(app: Flask):
    with pytest.raises(ValueError, match="reason"), across_shops(""):
        pass


def test_crossing_shops_sees_all_of_them_and_narrows_to_one(app: Flask):
    first, second = build.a_shop(), build.a_shop()
    for shop in (first, second):
        build_contacts.a_suppression(shop)

    with across_shops("to count") as session:
        assert session.query(Suppression).count() == 2
        with within_shop(first.id):
            assert {row.shop_id for row in session.query(Suppression)} == {first.id}
        assert session.query(Suppression).count() == 2


def test_a_snapshot_sees_one_moment(app: Flask):
    shop = build.a_shop()

    with across_shops("to compare", snapshot=True) as session:
        assert session.scalar(text("SHOW transaction_isolation")) == "repeatable read"
    with unit_of_work(shop.id) as session:
        assert session.scalar(text("SHOW transaction_isolation")) == "read committed"


def test_what_a_unit_of_work_returns_can_be_shown_after_it(app: Flask):
    shop = build.a_shop(name="Καφέ")

    assert (shop.name, shop.status) == ("Καφέ", "active")
