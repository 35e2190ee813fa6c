"""Every transfer is in exactly one seal, whoever posts, seals or dies meanwhile."""

from __future__ import annotations

import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core import clock
from app.core.uow import unit_of_work
from app.credits import service as credits
from app.credits.proof import sealing
from app.credits.proof.lines import NO_HASH
from app.credits.proof.verifying import verify
from tests import build
from tests.core.threads import Background, all_at_once, until_blocked
from tests.credits.proof.ledger import a_lived_in_ledger, give, give_many, ids_of, in_several_seals, seals_of

SEALERS = POSTERS = 4


def assert_every_transfer_is_sealed_once(shop) -> None:
    verdict = verify(shop.id)
    assert (verdict.difference, verdict.unsealed) == (None, 0)
    assert verdict.transfers == len(ids_of(shop))


def test_a_seal_covers_all_that_was_posted_and_says_the_balances(app: Flask):
    shop = a_lived_in_ledger()

    assert sealing.seal(shop.id) == 1

    (seal,) = seals_of(shop)
    ids = ids_of(shop)
    assert (seal.number, seal.after_transfer_id, seal.last_transfer_id) == (1, None, ids[-1])
    assert (seal.transfers, seal.previous) == (len(ids), NO_HASH)
    with unit_of_work(shop.id):
        balance = credits.balance_of(shop.id)
    assert seal.balances["wallet"] == balance.wallet
    assert seal.balances["spent"] == balance.spent
    assert sum(seal.balances.values()) == 0
    assert_every_transfer_is_sealed_once(shop)


def test_seals_are_a_chain(app: Flask):
    shop = a_lived_in_ledger()

    in_several_seals(shop)

    first, second, third = seals_of(shop)
    assert [second.previous, third.previous] == [first.hash, second.hash]
    assert [second.after_transfer_id, third.after_transfer_id] == [
        first.last_transfer_id,
        second.last_transfer_id,
    ]
    assert_every_transfer_is_sealed_once(shop)


def test_nothing_new_makes_no_seal(app: Flask):
    shop, idle = a_lived_in_ledger(), build.a_shop(plan=None)

    assert [sealing.seal(shop.id), sealing.seal(shop.id), sealing.seal(idle.id)] == [1, 0, 0]


def test_a_seal_has_a_largest_size(app: Flask, monkeypatch: pytest.MonkeyPatch):
    shop = a_lived_in_ledger()
    monkeypatch.setattr(sealing, "MOST_OF_ONE_SEAL", 4)

    made = sealing.seal(shop.id)

    assert [seal.transfers for seal in seals_of(shop)[:-1]] == [4] * (made - 1)
    assert_every_transfer_is_sealed_once(shop)


def test_a_posting_whose_accounts_are_just_being_made_leaves_no_hole(app: Flask, owner: sa.Engine):
    shop = build.a_shop(plan=None)
    give(shop, "first")
    posted, may_commit = threading.Event(), threading.Event()

    def post_slowly() -> None:
        with unit_of_work(shop.id):
            credits.start_allowance_period(shop.id, 50, period="first")  # two accounts that nobody sees yet
            posted.set()
            may_commit.wait(10)

    slow = Background(app, post_slowly)
    assert posted.wait(10)
    give(shop, "second")  # a younger transfer that is committed before the older one
    sealer = Background(app, lambda: sealing.seal(shop.id))
    until_blocked(owner, 1)
    may_commit.set()
    slow.result()

    sealer.result()
    assert_every_transfer_is_sealed_once(shop)


def test_racing_postings_and_sealers_leave_no_hole(app: Flask):
    shop = build.a_shop(plan=None)
    give(shop, "first", 100_000)

    def work(number: int) -> None:
        for turn in range(12):
            if number < SEALERS:
                sealing.seal(shop.id)
                continue
            with unit_of_work(shop.id):
                run, key = number * 100 + turn, f"{number}:{turn}"
                credits.hold(shop.id, run, 5, key=f"hold:{key}")
                credits.capture(shop.id, run, 3, key=f"capture:{key}")
                credits.start_allowance_period(shop.id, 2, period=key)

    assert all_at_once(app, SEALERS + POSTERS, work) == [None] * (SEALERS + POSTERS)
    sealing.seal(shop.id)

    assert_every_transfer_is_sealed_once(shop)


def test_sealers_that_race_for_the_first_place_make_one_chain(app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sealing, "MOST_OF_ONE_SEAL", 3)
    shop = a_lived_in_ledger()

    made = all_at_once(app, SEALERS, lambda _: sealing.seal(shop.id))

    assert sum(made) == len(seals_of(shop))
    assert_every_transfer_is_sealed_once(shop)


def test_a_process_that_dies_between_the_steps_leaves_nothing_behind(app: Flask):
    shop = a_lived_in_ledger()

    settled = sealing.settled_until(shop.id)  # and here it dies
    give(shop, "meanwhile")

    assert seals_of(shop) == []
    assert sealing.seal_until(shop.id, settled) == 1
    assert verify(shop.id).unsealed == 1
    sealing.seal(shop.id)
    assert_every_transfer_is_sealed_once(shop)


def test_shops_are_due_half_a_day_after_their_last_seal(app: Flask):
    shop, idle = a_lived_in_ledger(), build.a_shop(plan=None)
    assert sealing.seal_due() is False
    give(shop, "after the seal")

    sealing.seal_due()
    assert len(seals_of(shop)) == 1
    with clock.moved(timedelta(hours=13)):
        sealing.seal_due()

    assert len(seals_of(shop)) == 2
    assert seals_of(idle) == []


def test_a_shop_sees_and_seals_its_own_transfers_only(app: Flask):
    mine, other = a_lived_in_ledger(), a_lived_in_ledger()
    give(mine, "after the other one")

    sealing.seal(mine.id)

    assert seals_of(other) == []
    assert verify(mine.id).transfers == len(ids_of(mine))
    assert verify(other.id).seals == 0


@pytest.mark.timeout(300)  # on a busy machine
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process had at most")
def test_memory_does_not_grow_with_the_ledger(app: Flask):
    few, many = build.a_shop(plan=None), build.a_shop(plan=None)
    give_many(few, 60_000)  # more than one seal
    give_many(many, 200_000)

    small, large = (peak_of(shop.id) for shop in (few, many))

    assert [seal.transfers for seal in seals_of(many)] == [50_000] * 4 + [1]
    assert large < small + 8_000_000


def peak_of(shop_id: int) -> int:
    """The most memory, in bytes, that this process has while it seals and verifies a shop's ledger."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the most so far
    sealing.seal(shop_id)
    verdict = verify(shop_id)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    assert (verdict.difference, verdict.unsealed) == (None, 0)
    return int(status["VmHWM"].split()[0]) * 1024
