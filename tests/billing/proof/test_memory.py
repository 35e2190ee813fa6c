"""A file of two hundred thousand transfers is made and read in the memory of one of a few."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from flask import Flask

from app.billing.proof import checking, exporting, signing
from app.billing.proof.exporting import Period
from app.shops.models import Shop
from tests import build
from tests.credits.proof.ledger import give_many


@pytest.mark.timeout(300)  # on a busy machine
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process had at most")
def test_memory_does_not_grow_with_the_file(app: Flask, tmp_path: Path):
    few, many = build.a_shop(plan=None), build.a_shop(plan=None)
    give_many(few, 60_000)
    give_many(many, 200_000)

    small, large = (peak_of(shop, tmp_path / f"{shop.id}.jsonl") for shop in (few, many))

    assert large < small + 8_000_000


def peak_of(shop: Shop, path: Path) -> int:
    """The most memory, in bytes, that this process has while it exports and checks a shop's ledger."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the most so far
    with path.open("w") as file:
        file.writelines(exporting.export(shop.id, Period()))
    with path.open("rb") as written:
        report = checking.check(written, signing.public_key().public_key)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    assert report.differences == []
    return int(status["VmHWM"].split()[0]) * 1024
