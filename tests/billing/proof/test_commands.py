"""What operators type."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from app.billing.proof import signing
from tests import build
from tests.billing.proof.world import a_shop_that_sends, checked
from tests.credits.proof.ledger import ids_of, seals_of, tamper


def test_a_ledger_is_exported_and_the_file_verified(app: Flask, tmp_path: Path):
    shop = a_shop_that_sends()
    runner = app.test_cli_runner()

    exported = runner.invoke(args=["ledger", "export", shop.domain])
    file = tmp_path / "ledger.jsonl"
    file.write_text(exported.output)
    key = runner.invoke(args=["ledger", "public-key"]).output.strip()
    verified = runner.invoke(args=["ledger", "verify", "--file", str(file), "--public-key", key])

    assert exported.exit_code == 0, exported.output
    assert checked(exported.output.encode()).differences == []
    assert key == signing.public_key().public_key
    assert verified.exit_code == 0, verified.output
    assert "5 messages" in verified.output
    assert verified.output.endswith("ledger: 0 differences\n")


def test_a_file_that_was_changed_fails(app: Flask, tmp_path: Path):
    shop = a_shop_that_sends()
    runner = app.test_cli_runner()
    file = tmp_path / "ledger.jsonl"
    exported = runner.invoke(args=["ledger", "export", shop.domain]).output
    file.write_text(exported.replace('"amount":1000', '"amount":2000'))

    verified = runner.invoke(args=["ledger", "verify", "--file", str(file)])

    assert verified.exit_code == 1
    assert "FAIL line 2 (transfer " in verified.output


def test_all_shops_are_verified_and_the_changed_transfer_is_named(app: Flask, owner: sa.Engine):
    good, bad, _without = a_shop_that_sends("A"), a_shop_that_sends("B"), build.a_shop(plan=None)
    runner = app.test_cli_runner()
    for shop in (good, bad):
        assert "1 seals made" in runner.invoke(args=["ledger", "seal", shop.domain]).output
    assert runner.invoke(args=["ledger", "verify"]).exit_code == 0
    wrong = ids_of(bad)[2]
    tamper(owner, "UPDATE ledger_transfers SET reason = 'another' WHERE id = :id", id=wrong)

    verified = runner.invoke(args=["ledger", "verify"])

    assert verified.exit_code == 1
    assert f"ok   shop {good.id}" in verified.output
    assert f"seal 1: transfer {wrong}: it is not what was sealed" in verified.output
    assert runner.invoke(args=["ledger", "verify", good.domain]).exit_code == 0


def test_a_hash_from_outside_is_compared(app: Flask):
    shop = a_shop_that_sends()
    runner = app.test_cli_runner()
    runner.invoke(args=["ledger", "seal", shop.domain])
    (seal,) = seals_of(shop)

    same = runner.invoke(args=["ledger", "verify", shop.domain, "--head", f"1:{seal.hash}"])
    other = runner.invoke(args=["ledger", "verify", shop.domain, "--head", f"1:{'0' * 64}"])
    later = runner.invoke(args=["ledger", "verify", shop.domain, "--head", f"2:{seal.hash}"])

    assert [same.exit_code, other.exit_code, later.exit_code] == [0, 1, 1]
    assert "seal 2: the seal is missing" in later.output


def test_what_is_no_key_and_no_shop_is_refused(app: Flask, tmp_path: Path):
    runner = app.test_cli_runner()
    (tmp_path / "x").write_text("{}")

    assert runner.invoke(args=["ledger", "export", "nobody.myshopify.com"]).exit_code != 0
    no_key = runner.invoke(args=["ledger", "verify", "--file", str(tmp_path / "x"), "--public-key", "x"])
    assert "no Ed25519 key" in no_key.output
    assert runner.invoke(args=["ledger", "verify", "a.myshopify.com", "--head", "x"]).exit_code != 0
