"""A shop that has bought, sent, waited and been paid back, and its export."""

from __future__ import annotations

import io
import json
from typing import Any

from app.billing.proof import checking, exporting, signing
from app.billing.proof.checking import Report
from app.billing.proof.exporting import Period
from app.core.settings import settings
from app.core.uow import across_shops, unit_of_work
from app.credits import service as credits
from app.integrations.mitto.types import Accepted, Rejected, Unclear
from app.messaging.link_tokens import make_token
from app.messaging.provider import CallResult
from app.messaging.service import sending
from app.messaging.service.reports import ReportRow, record_reports, resolve_orphan
from app.messaging.states import Source
from app.shops.models import Shop
from tests import build, build_contacts, build_messages

ALL = Period()


def a_shop_that_sends(name: str = "M", *, allowance: int = 2) -> Shop:
    """Accepted, delivered, undelivered (paid back from both purses), refused and found again messages."""
    shop = build.a_shop(plan=None)
    with unit_of_work(shop.id):
        credits.purchase(
            shop.id, 1_000, key="stripe:purchase:7", reason="package pi_3MtwBwLkdIwHu7ix28a3tqPa"
        )
        credits.start_allowance_period(shop.id, allowance, period="first")
    build_contacts.contacts(shop, 6)
    send(shop, name)
    return shop


def send(shop: Shop, name: str) -> int:
    """One text to everybody: three are accepted, of which one arrives and one does not; the run's id."""
    run = build_messages.a_run(shop, source=Source.CAMPAIGN)
    batch = sending.claim(shop.id, run.run_id)
    assert batch is not None
    accepted = [Accepted(f"{name}-{number}") for number in range(1, len(batch.messages) - 1)]
    outcomes = [*accepted, Rejected("bad"), Unclear()]
    sending.settle(shop.id, run.run_id, batch, CallResult(outcomes, "answered"))
    token = make_token(batch.messages[-1].id, 1, settings().link_secrets[0])
    with across_shops("the carrier reports"):
        record_reports([ReportRow(f"{name}-2", "delivered"), ReportRow(f"{name}-3", "failed", "expired")])
        assert resolve_orphan(f"{name}-found", f"Hello /r/{token}")
    return run.run_id


def exported(shop: Shop, period: Period = ALL) -> bytes:
    return "".join(exporting.export(shop.id, period)).encode("ascii")


def lines_of(file: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.splitlines()]


def checked(file: bytes, key: str | None = None) -> Report:
    return checking.check(io.BytesIO(file), key or signing.public_key().public_key)
