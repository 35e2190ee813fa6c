"""Whatever is changed in a file, its reader finds and names it, with nothing but the file and a key."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.billing.proof import checking, exporting, signing
from app.credits.proof import sealing
from tests.billing.proof.world import a_shop_that_sends, checked, exported, lines_of, send
from tests.credits.proof.ledger import tamper

TRIES = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
OTHER = {int: lambda value: value + 1, str: lambda value: value + "x", type(None): lambda _: 0}


@pytest.fixture
def file(app: Flask) -> bytes:
    shop = a_shop_that_sends("A")
    sealing.seal(shop.id)
    send(shop, "B")
    whole = exported(shop)
    assert checked(whole).differences == []
    return whole


def named(differences: list[str], number: int) -> bool:
    return any(f"line {number} " in one or f"line {number}:" in one for one in differences)


def places(file: bytes) -> list[tuple[int, str]]:
    """Every key of every line but the last."""
    return [(number, key) for number, line in enumerate(lines_of(file)[:-1]) for key in line]


def test_a_change_of_any_value_of_any_line_is_found_and_the_line_is_named(file: bytes):
    lines = file.splitlines()

    @TRIES
    @given(st.sampled_from(places(file)))
    def change(place: tuple[int, str]) -> None:
        number, key = place
        content = json.loads(lines[number])
        content[key] = OTHER.get(type(content[key]), lambda _: "x")(content[key])
        changed = [*lines]
        changed[number] = exporting.line_of(content)

        differences = checked(b"\n".join(changed) + b"\n").differences

        assert named(differences, number + 1), (place, differences)
        assert any("the end says otherwise: " in one and "sha256" in one for one in differences)

    change()


def test_a_change_of_any_value_of_the_end_is_found(file: bytes):
    lines = file.splitlines()
    for key in json.loads(lines[-1]):
        content = json.loads(lines[-1])
        content[key] = OTHER.get(type(content[key]), lambda _: "x")(content[key])
        assert checked(b"\n".join([*lines[:-1], exporting.line_of(content)]) + b"\n").differences, key


def test_a_line_that_is_taken_away_or_moved_is_missed(file: bytes):
    lines = file.splitlines(keepends=True)
    for number in range(len(lines) - 1):
        without = checked(b"".join(lines[:number] + lines[number + 1 :])).differences
        moved = checked(b"".join([*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]))
        assert without, number
        assert moved.differences, number


def test_a_file_that_is_cut_short_says_so(file: bytes):
    lines = file.splitlines(keepends=True)

    assert "the file is cut short: it has no end" in checked(b"".join(lines[:-1])).differences
    assert checked(b"").differences
    assert named(checked(file + lines[1]).differences, len(lines) + 1)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(noise=st.binary(max_size=200))
def test_no_line_breaks_the_reader(noise: bytes):
    assert checked(noise + b"\n", "A" * 43 + "=").differences


def remade(lines: list[dict[str, Any]], key: Ed25519PrivateKey) -> bytes:
    """The lines as somebody who knows the form, and has some key, would write them anew."""
    tally, content = exporting.Tally(), hashlib.sha256()
    previous, text = None, ""
    for line in lines[:-1]:
        body = {name: value for name, value in line.items() if name not in {"mark", "hash"}}
        if line["type"] == "seal":
            body["content"], body["previous"] = content.hexdigest(), previous or body["previous"]
            content = hashlib.sha256()
            previous = hashlib.sha256(exporting.line_of(body)).hexdigest()
            body["hash"] = previous
            tally.head = {"seal": body["number"], "hash": previous}
        written = exporting.line_of(body)
        if line["type"] == "transfer":
            content.update(written + b"\n")
            tally.amounts[line["kind"]] += line["amount"]
        tally.parts += line["parts"] if line["type"] == "message" else 0
        text += tally.take(line["type"], [written])
    tally.balances = lines[-1]["balances"]
    unsigned, _ = checking.cut(tally.end().rstrip("\n").encode(), "signature")
    signature = urlsafe_b64encode(key.sign(unsigned)).decode()
    return text.encode() + exporting.with_last(unsigned, "signature", signature) + b"\n"


def first_of(lines: list[dict[str, Any]], line_type: str, values: dict[str, Any]) -> dict[str, Any]:
    return next(
        x for x in lines if x["type"] == line_type and all(x[name] == value for name, value in values.items())
    )


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def public(key: Ed25519PrivateKey) -> str:
    return urlsafe_b64encode(key.public_key().public_bytes_raw()).decode()


def test_a_file_that_was_made_anew_under_another_key_is_none_of_ours(file: bytes, key: Ed25519PrivateKey):
    forged = remade(lines_of(file), key)

    assert checked(forged, public(key)).differences == []
    assert checked(forged).differences == ["the signature is not that of the given key for this file"]


@pytest.mark.parametrize(
    ("line_type", "values", "change", "expected"),
    [
        ("transfer", {"kind": "capture"}, {"amount": 1}, "balance"),
        ("transfer", {"kind": "purchase"}, {"amount": 2_000}, "balance"),
        ("message", {"state": "delivered"}, {"parts": 9}, "credits, its messages have"),
        ("message", {"state": "delivered"}, {"charged_by": None}, "was charged by no transfer"),
        ("message", {"state": "undelivered"}, {"state": "delivered"}, "which is delivered"),
        ("message", {"state": "undelivered"}, {"provider_message_id": ""}, "without the carrier's id"),
        ("transfer", {"kind": "refund"}, {"message_id": 999_999}, "which is not in this file"),
        ("seal", {"number": 2}, {"balances": {"wallet": 0}}, "not as its transfers make it: balances"),
        ("seal", {"number": 2}, {"number": 3}, "not as its transfers make it: number"),
        ("transfer", {"kind": "purchase"}, {"key": "allowance:first"}, "stand there twice"),
    ],
)
def test_books_that_are_wrong_are_found_even_under_a_right_signature(
    file: bytes,
    key: Ed25519PrivateKey,
    line_type: str,
    values: dict[str, Any],
    change: dict[str, Any],
    expected: str,
):
    lines = lines_of(file)
    first_of(lines, line_type, values).update(change)

    differences = checked(remade(lines, key), public(key)).differences

    assert any(expected in one for one in differences), differences
    assert not any("signature" in one or "sha256" in one for one in differences)


def test_a_wrong_row_in_the_tables_is_found_in_the_file(app: Flask, owner: sa.Engine):
    shop = a_shop_that_sends()
    tamper(owner, "UPDATE messages SET parts = parts + 1 WHERE provider_message_id = 'M-2'")

    (difference,) = checked(exported(shop)).differences

    assert "credits, its messages have" in difference


def test_the_reader_is_one_file_that_needs_nothing_of_ours(file: bytes, tmp_path: Path):
    alone = tmp_path / "checking.py"
    alone.write_bytes(Path(checking.__file__).read_bytes())
    (tmp_path / "ledger.jsonl").write_bytes(file)
    run = [sys.executable, "-I", str(alone), str(tmp_path / "ledger.jsonl"), signing.public_key().public_key]

    good = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, check=False)
    (tmp_path / "ledger.jsonl").write_bytes(file.replace(b'"spent"', b'"lapsed"', 1))
    bad = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert (good.returncode, bad.returncode) == (0, 1), good.stderr
    assert good.stdout.endswith("0 differences\n")
    assert "DIFFERENT" in bad.stdout
