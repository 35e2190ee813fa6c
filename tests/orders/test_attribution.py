"""For which text an order counts: the last click before it, else a code; once at most."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.core.clock import now
from app.core.settings import settings
from app.core.uow import unit_of_work
from app.discounts.service.giving import note_code
from app.messaging.link_tokens import make_token
from app.messaging.states import Source
from app.orders import jobs
from app.shops.models import Shop
from tests import build, build_messages, build_orders
from tests.build_contacts import a_contact
from tests.build_messages import execute

DAY = timedelta(days=1)


@pytest.fixture
def shop(app: Flask) -> Shop:
    shop = build.a_shop()
    build_messages.credit(shop)
    return shop


def a_text(shop: Shop, *, source: Source = Source.CAMPAIGN, code: str = "", ago: timedelta = DAY) -> int:
    """A run to all contacts, sent so long ago; its id."""
    run_id = build_messages.a_run(shop, source=source).run_id
    execute(shop, "UPDATE messages SET sent_at = :at WHERE run_id = :run_id", at=now() - ago, run_id=run_id)
    with unit_of_work(shop.id):
        note_code(shop.id, run_id, code)
    execute(shop, "UPDATE run_codes SET given_at = :at WHERE run_id = :run_id", at=now() - ago, run_id=run_id)
    return run_id


def click(shop: Shop, run_id: int, contact_id: int, ago: timedelta) -> None:
    execute(
        shop,
        """INSERT INTO click_events (shop_id, run_id, message_id, contact_id, link_no, clicked_at)
           SELECT shop_id, run_id, id, contact_id, 1, :at FROM messages
           WHERE run_id = :run_id AND contact_id = :contact_id""",
        run_id=run_id,
        contact_id=contact_id,
        at=now() - ago,
    )


def buy(shop: Shop, contact_id: int | None, **columns: Any) -> None:
    moment = now().isoformat()
    build_orders.take_order(shop, contact_id, **{"processed_at": moment, "updated_at": moment, **columns})


def credited(shop: Shop) -> list[tuple[int, str]]:
    rows = execute(shop, "SELECT run_id, evidence FROM order_attributions ORDER BY order_id")
    return [tuple(row) for row in rows]


def test_an_order_counts_for_the_last_click_before_it(shop: Shop):
    buyer = a_contact(shop)
    first, last, late = (a_text(shop) for _ in range(3))
    click(shop, first, buyer.id, timedelta(hours=3))
    click(shop, last, buyer.id, timedelta(hours=2))
    click(shop, late, buyer.id, -timedelta(hours=1))

    buy(shop, buyer.id)

    assert credited(shop) == [(last, "click")]


def test_a_click_outside_the_window_or_of_somebody_else_counts_for_nothing(shop: Shop):
    buyer, other = a_contact(shop), a_contact(shop)
    run_id = a_text(shop, ago=10 * DAY)
    click(shop, run_id, buyer.id, 8 * DAY)
    click(shop, run_id, other.id, DAY)

    buy(shop, buyer.id)

    assert credited(shop) == []


@pytest.mark.parametrize("source", [Source.TEST, Source.SERVICE])
def test_a_test_or_a_confirmation_sells_nothing(shop: Shop, source: Source):
    buyer = a_contact(shop)
    click(shop, a_text(shop, source=source), buyer.id, DAY)

    buy(shop, buyer.id)

    assert credited(shop) == []


def test_a_test_order_counts_for_nothing(shop: Shop):
    buyer = a_contact(shop)
    click(shop, a_text(shop), buyer.id, DAY)

    buy(shop, buyer.id, test=True)

    assert credited(shop) == []


def test_an_order_with_the_code_of_a_text_counts_for_it_in_any_case_of_letters(shop: Shop):
    buyer = a_contact(shop)
    run_id = a_text(shop, code="Save10")

    buy(shop, buyer.id, discount_codes=[{"code": "SAVE10"}])

    assert credited(shop) == [(run_id, "code")]
    assert execute(shop, "SELECT message_id IS NOT NULL FROM order_attributions") == [(True,)]


def test_a_code_that_a_friend_passed_on_counts_as_well_but_names_no_message(shop: Shop):
    a_contact(shop)
    run_id = a_text(shop, code="SAVE10")

    buy(shop, None, discount_codes=[{"code": "save10"}])

    assert credited(shop) == [(run_id, "code")]
    assert execute(shop, "SELECT message_id FROM order_attributions") == [(None,)]


def test_of_two_texts_with_the_same_code_the_one_that_the_buyer_got_counts(shop: Shop):
    buyer = a_contact(shop)
    got = a_text(shop, code="SAVE10", ago=2 * DAY)
    execute(shop, "UPDATE contacts SET consent = 'unknown' WHERE id = :id", id=buyer.id)
    a_contact(shop)
    a_text(shop, code="SAVE10")

    buy(shop, buyer.id, discount_codes=[{"code": "SAVE10"}])

    assert credited(shop) == [(got, "code")]


def test_a_code_given_too_long_ago_counts_for_nothing(shop: Shop):
    buyer = a_contact(shop)
    a_text(shop, code="SAVE10", ago=8 * DAY)

    buy(shop, buyer.id, discount_codes=[{"code": "SAVE10"}])

    assert credited(shop) == []


def test_a_click_weighs_more_than_a_code(shop: Shop):
    buyer = a_contact(shop)
    a_text(shop, code="SAVE10")
    clicked = a_text(shop, ago=2 * DAY)
    click(shop, clicked, buyer.id, 2 * DAY)

    buy(shop, buyer.id, discount_codes=[{"code": "SAVE10"}])

    assert credited(shop) == [(clicked, "click")]


def test_the_link_that_led_to_the_shop_counts_whoever_the_order_is_from(shop: Shop):
    a_contact(shop)
    run_id = a_text(shop)
    ((message_id,),) = execute(shop, "SELECT id FROM messages WHERE run_id = :id", id=run_id)
    token = make_token(message_id, 1, settings().link_secrets[0])

    buy(shop, None, landing_site=f"/products/soap?ast={token}")

    assert credited(shop) == [(run_id, "click")]


@pytest.mark.parametrize("token", ["x" * 16, "", "a" * 500])
def test_a_token_that_we_did_not_make_says_nothing(shop: Shop, token: str):
    a_contact(shop)
    a_text(shop)

    buy(shop, None, note_attributes=[{"name": "ast", "value": token}], landing_site=f"/?ast={token}")

    assert credited(shop) == []


def test_the_token_of_another_shop_says_nothing(shop: Shop):
    a_contact(shop)
    run_id = a_text(shop)
    ((message_id,),) = execute(shop, "SELECT id FROM messages WHERE run_id = :id", id=run_id)
    stranger = build.a_shop()

    buy(stranger, None, landing_site=f"/?ast={make_token(message_id, 1, settings().link_secrets[0])}")

    assert credited(stranger) == []


def test_a_click_that_commits_after_its_order_is_found_by_the_sweep(shop: Shop):
    buyer = a_contact(shop)
    run_id = a_text(shop)
    buy(shop, buyer.id)
    assert credited(shop) == []

    click(shop, run_id, buyer.id, timedelta(minutes=1))
    jobs.attribute()

    assert credited(shop) == [(run_id, "click")]


def test_telling_of_an_order_again_changes_nothing(shop: Shop):
    buyer = a_contact(shop)
    click(shop, a_text(shop), buyer.id, DAY)
    moment = now().isoformat()
    buy(shop, buyer.id, processed_at=moment, updated_at=moment)
    before = credited(shop)

    for _ in range(3):
        buy(shop, buyer.id, processed_at=moment, updated_at=moment)

    assert credited(shop) == before
    assert len(before) == 1


def test_an_order_that_turns_out_to_be_somebody_elses_counts_for_their_click(shop: Shop):
    one, other = a_contact(shop), a_contact(shop)
    ones, others = a_text(shop), a_text(shop)
    click(shop, ones, one.id, DAY)
    click(shop, others, other.id, DAY)
    buy(shop, one.id)

    buy(shop, other.id, updated_at=(now() + DAY).isoformat())

    assert credited(shop) == [(others, "click")]


def test_an_order_stays_counted_when_its_contact_is_deleted(shop: Shop):
    buyer = a_contact(shop)
    run_id = a_text(shop)
    click(shop, run_id, buyer.id, DAY)
    buy(shop, buyer.id)

    execute(shop, "DELETE FROM contacts WHERE id = :id", id=buyer.id)
    buy(shop, None, updated_at=(now() + DAY).isoformat(), financial_status="refunded")

    assert credited(shop) == [(run_id, "click")]
