"""Making two contacts one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core.uow import unit_of_work
from app.shops.models import Shop
from tests import build
from tests.build_contacts import a_contact, consent_events, reload_contact, suppressed_phones


def merge(client: FlaskClient, shop: Shop, keep_id: object, merge_id: object) -> TestResponse:
    body = {"keepId": str(keep_id), "mergeId": str(merge_id)}
    return client.post("/contacts/merge", json=body, headers=build.auth(shop))


def a_list(client: FlaskClient, shop: Shop, *contact_ids: int) -> int:
    body = {"name": f"List {next(build.counter)}", "contactIds": [str(one) for one in contact_ids]}
    made = client.post("/audiences/segments", json=body, headers=build.auth(shop))
    assert made.status_code == 201, made.text
    return int(made.json["data"]["id"])


def members(shop: Shop) -> set[tuple[Any, ...]]:
    with unit_of_work(shop.id) as session:
        rows = session.execute(sa.text("SELECT segment_id, contact_id FROM segment_members"))
        return {tuple(row) for row in rows}


def test_the_kept_contact_has_the_facts_of_both(client, shop):
    early, late = datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    kept = a_contact(
        shop, first_name="Maria", tags=["VIP", "a"], orders_count=2, first_order_at=late, last_order_at=late
    )
    gone = a_contact(
        shop,
        first_name="Mary",
        last_name="Papa",
        email="maria@example.com",
        gender="female",
        birth_date=date(1990, 5, 15),
        tags=["a", "b"],
        orders_count=3,
        first_order_at=early,
        last_order_at=early,
        created_at=early,
    )

    answer = merge(client, shop, kept.id, gone.id)

    assert answer.status_code == 200, answer.text
    assert answer.json["data"]["email"] == "maria@example.com"
    now_kept = reload_contact(shop, kept.id)
    assert (now_kept.phone, now_kept.first_name, now_kept.last_name) == (kept.phone, "Maria", "Papa")
    assert (now_kept.gender, now_kept.birth_date, now_kept.tags) == (
        "female",
        date(1990, 5, 15),
        ["VIP", "a", "b"],
    )
    assert (now_kept.orders_count, now_kept.first_order_at, now_kept.last_order_at) == (5, early, late)
    assert now_kept.created_at == early
    assert reload_contact(shop, gone.id) is None


def test_memberships_move_and_none_is_doubled(client, shop):
    kept, gone = a_contact(shop), a_contact(shop)
    both, only_gone = a_list(client, shop, kept.id, gone.id), a_list(client, shop, gone.id)

    merge(client, shop, kept.id, gone.id)

    assert members(shop) == {(both, kept.id), (only_gone, kept.id)}


def test_an_opt_out_of_the_merged_number_survives_for_that_number(client, shop):
    kept, gone = a_contact(shop), a_contact(shop, consent="opted_out")

    merge(client, shop, kept.id, gone.id)

    assert suppressed_phones(shop) == {gone.phone}
    assert reload_contact(shop, kept.id).consent == "opted_in"
    assert {(event.phone, event.action) for event in consent_events(shop)} == {
        (kept.phone, "grant"),
        (gone.phone, "withdraw"),
    }


def test_a_consent_of_the_merged_number_does_not_revive_the_kept_one(client, shop):
    kept, gone = a_contact(shop, consent="opted_out"), a_contact(shop)

    merge(client, shop, kept.id, gone.id)

    assert reload_contact(shop, kept.id).consent == "opted_out"
    assert suppressed_phones(shop) == {kept.phone}
    assert len(consent_events(shop)) == 2


def test_merging_again_finds_no_second_contact(client, shop):
    kept, gone = a_contact(shop), a_contact(shop)
    merge(client, shop, kept.id, gone.id)

    assert merge(client, shop, kept.id, gone.id).status_code == 404
    assert reload_contact(shop, kept.id) is not None


def test_a_contact_is_not_merged_with_itself_or_with_another_shops(client, shop, stranger):
    mine, theirs = a_contact(shop), a_contact(stranger)

    alone = merge(client, shop, mine.id, mine.id)

    assert (alone.status_code, alone.json["details"][0]["field"]) == (400, "mergeId")
    assert merge(client, shop, mine.id, theirs.id).status_code == 404
    assert merge(client, shop, theirs.id, mine.id).status_code == 404
    assert reload_contact(shop, mine.id) is not None
    assert reload_contact(stranger, theirs.id) is not None


@pytest.mark.parametrize("body", [{}, {"keepId": "1"}, {"keepId": 1, "mergeId": "2"}])
def test_both_ids_must_be_given(client, shop, body):
    refused = client.post("/contacts/merge", json=body, headers=build.auth(shop))

    assert (refused.status_code, refused.json["code"]) == (400, "VALIDATION_ERROR")
