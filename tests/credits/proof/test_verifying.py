"""Whatever is changed behind the ledger's back is found, and named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import clock
from app.credits.proof import sealing
from app.credits.proof.verifying import verify, verify_newest
from app.shops.models import Shop
from tests.core.conftest import Line, lines  # noqa: F401  # a fixture
from tests.credits.proof.ledger import a_lived_in_ledger, give, ids_of, in_several_seals, seals_of, tamper

# Every column of a transfer, and a value that it did not have.
OTHER_ACCOUNT = """(SELECT min(a.id) FROM ledger_accounts a WHERE a.shop_id = ledger_transfers.shop_id
  AND a.id NOT IN (from_account_id, to_account_id))"""
OF_A_TRANSFER = {
    "id": "(SELECT max(id) + 1 FROM ledger_transfers)",
    "shop_id": "0",
    "from_account_id": OTHER_ACCOUNT,
    "to_account_id": OTHER_ACCOUNT,
    "amount": "amount + 1",
    "kind": "CASE kind WHEN 'adjustment' THEN 'grant' ELSE 'adjustment' END",
    "key": "key || ' '",
    "run_id": "coalesce(run_id, 0) + 1",
    "message_id": "coalesce(message_id, 0) + 1",
    "reason": "coalesce(reason, '') || '.'",
    "from_balance_after": "from_balance_after - 1",
    "to_balance_after": "to_balance_after + 1",
    "event_at": "event_at + interval '1 microsecond'",
    "created_at": "created_at - interval '1 microsecond'",
}
OF_A_SEAL = {
    "number": "number + 7",
    "after_transfer_id": "after_transfer_id - 1",
    "last_transfer_id": "last_transfer_id - 1",
    "transfers": "transfers + 1",
    "earliest_at": "earliest_at - interval '1 microsecond'",
    "latest_at": "latest_at + interval '1 microsecond'",
    "balances": "balances || '{\"wallet\": 1}'",
    "previous": "translate(previous, '0123456789abcdef', '123456789abcdef0')",
    "content": "translate(content, '0123456789abcdef', '123456789abcdef0')",
    "sealed_at": "sealed_at + interval '1 microsecond'",
    "hash": "translate(hash, '0123456789abcdef', '123456789abcdef0')",
    "marks": "set_byte(marks, 0, (get_byte(marks, 0) + 1) % 256)",
}
TRIES = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def sealed(app: Flask) -> Shop:
    shop = a_lived_in_ledger()
    in_several_seals(shop)
    assert verify(shop.id).difference is None
    return shop


def columns(owner: sa.Engine, table: str) -> set[str]:
    return {column["name"] for column in sa.inspect(owner).get_columns(table)}


def test_every_column_is_tried(app: Flask, owner: sa.Engine):
    assert set(OF_A_TRANSFER) == columns(owner, "ledger_transfers")
    assert set(OF_A_SEAL) | {"shop_id"} == columns(owner, "ledger_seals")


def test_a_change_of_any_column_of_any_transfer_names_the_transfer(sealed: Shop, owner: sa.Engine):
    ids = ids_of(sealed)

    @TRIES
    @given(st.sampled_from(ids), st.sampled_from(sorted(set(OF_A_TRANSFER) - {"id", "shop_id"})))
    def change(transfer_id: int, column: str) -> None:
        before = f"UPDATE ledger_transfers SET {column} = {OF_A_TRANSFER[column]} WHERE id = :id"
        (was,) = _read(owner, f"SELECT {column} FROM ledger_transfers WHERE id = {transfer_id}")
        assert tamper(owner, before, id=transfer_id) == 1

        found = verify(sealed.id).difference

        assert found is not None
        assert found.transfer_id == transfer_id
        assert tamper(
            owner, f"UPDATE ledger_transfers SET {column} = :was WHERE id = :id", id=transfer_id, was=was
        )

    change()
    assert verify(sealed.id).difference is None


def _read(owner: sa.Engine, statement: str) -> sa.Row:
    with owner.connect() as connection:
        connection.exec_driver_sql("SELECT set_config('app.all_shops', 'on', false)")
        return connection.exec_driver_sql(statement).one()


@pytest.mark.parametrize("place", [0, 5, -1])
def test_a_transfer_that_is_taken_away_is_missed(sealed: Shop, owner: sa.Engine, place: int):
    first = seals_of(sealed)[0]
    sealed_ids = [one for one in ids_of(sealed) if one <= first.last_transfer_id]
    gone = sealed_ids[place]

    tamper(owner, "DELETE FROM ledger_transfers WHERE id = :id", id=gone)

    found = verify(sealed.id).difference
    assert found is not None
    assert found.seal == 1
    neighbours = [one for one in sealed_ids if one != gone]
    assert found.transfer_id == (neighbours[place] if place >= 0 else neighbours[-1])
    assert "missing" in found.what


def test_a_transfer_that_moves_in_or_out_is_missed(sealed: Shop, owner: sa.Engine):
    other = a_lived_in_ledger()
    moved = ids_of(sealed)[3]
    insertion = """INSERT INTO ledger_transfers OVERRIDING SYSTEM VALUE
        SELECT (t).* FROM (SELECT jsonb_populate_record(l, '{"id": 0, "key": "none"}') AS t
        FROM ledger_transfers l WHERE id = :id) s"""
    tamper(owner, insertion, id=moved)

    found = verify(sealed.id).difference

    assert found is not None
    assert found.transfer_id == ids_of(sealed)[0]
    assert verify(other.id).difference is None


@pytest.mark.parametrize("column", sorted(OF_A_SEAL))
@pytest.mark.parametrize("number", [2, 3])
def test_a_change_of_any_column_of_a_seal_names_the_seal(
    sealed: Shop, owner: sa.Engine, column: str, number: int
):
    for key in ("fk_ledger_seals_after",):
        tamper(owner, f"ALTER TABLE ledger_seals DROP CONSTRAINT {key}")
    try:
        change = f"UPDATE ledger_seals SET {column} = {OF_A_SEAL[column]} WHERE number = :number"
        assert tamper(owner, change, number=number) == 1

        found = verify(sealed.id).difference
        newest = verify_newest(sealed.id)
    finally:
        tamper(owner, "TRUNCATE ledger_seals")
        tamper(
            owner,
            "ALTER TABLE ledger_seals ADD CONSTRAINT fk_ledger_seals_after FOREIGN KEY"
            " (shop_id, after_transfer_id) REFERENCES ledger_seals (shop_id, last_transfer_id)",
        )
    assert found is not None
    assert found.seal == number
    if column not in {"number", "hash", "sealed_at"}:
        assert column in found.what
    assert number == 2 or newest is not None


def test_a_chain_that_was_made_anew_is_found_by_a_hash_from_outside(sealed: Shop, owner: sa.Engine):
    known = {seal.number: seal.hash for seal in seals_of(sealed)}
    tamper(owner, "UPDATE ledger_transfers SET reason = 'another' WHERE id = :id", id=ids_of(sealed)[-2])
    tamper(owner, "TRUNCATE ledger_seals")
    sealing.seal(sealed.id)

    assert verify(sealed.id).difference is None
    found = verify(sealed.id, known=known).difference
    assert found is not None
    assert found.seal == 1


def test_a_chain_that_was_cut_short_is_found_by_a_hash_from_outside(sealed: Shop, owner: sa.Engine):
    newest = seals_of(sealed)[-1]
    tamper(owner, "DELETE FROM ledger_seals WHERE number = :number", number=newest.number)

    assert verify(sealed.id).difference is None
    found = verify(sealed.id, known={newest.number: newest.hash}).difference
    assert found is not None
    assert (found.seal, found.what) == (newest.number, "the seal is missing")


def test_what_was_wrong_when_it_was_sealed_is_named(app: Flask, owner: sa.Engine):
    shop = a_lived_in_ledger()
    wrong = ids_of(shop)[4]
    change = "UPDATE ledger_transfers SET to_balance_after = to_balance_after + 1 WHERE id = :id"
    tamper(owner, change, id=wrong)

    sealing.seal(shop.id)

    found = verify(shop.id).difference
    assert found is not None
    assert found.transfer_id == wrong


def test_the_seal_below_is_verified_when_another_is_laid_on_it(
    app: Flask,
    owner: sa.Engine,
    lines: Callable[[], list[Line]],  # noqa: F811
):
    shop = a_lived_in_ledger()
    sealing.seal_due()
    give(shop, "later")
    wrong = ids_of(shop)[2]
    tamper(owner, "UPDATE ledger_transfers SET reason = 'another' WHERE id = :id", id=wrong)

    with clock.moved(timedelta(hours=13)):
        sealing.seal_due()

    (told,) = [line for line in lines() if line["event"] == "ledger_proof_broken"]
    assert (told["shop_id"], told["seal"], told["transfer_id"]) == (shop.id, 1, wrong)
    assert len(seals_of(shop)) == 2  # the chain goes on: what comes later is proven as ever
