"""A finished campaign is `completed`, and `sent` to the client that knows no other word (contract §3.1)."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.settings import settings
from tests import build_contacts
from tests.build_campaigns import Merchant, answer

ELSEWHERE = "https://app.example.com"


@pytest.fixture
def done(merchant: Merchant) -> str:
    """A campaign that has reached somebody."""
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign()
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")
    answer(merchant, "a")
    merchant.data("POST", f"/campaigns/{campaign}/reconcile")
    return campaign


@pytest.mark.parametrize("origin", [None, ELSEWHERE, "https://embedded.example.com.evil.example", "null"])
def test_others_are_told_completed(merchant: Merchant, done: str, origin: str | None) -> None:
    for status in every_status(merchant, done, origin):
        assert status == "completed"


def test_the_embedded_client_is_told_sent(merchant: Merchant, done: str) -> None:
    for status in every_status(merchant, done, settings().embedded_origin):
        assert status == "sent"


def test_what_is_stored_is_told_to_both(merchant: Merchant, done: str) -> None:
    for origin in (ELSEWHERE, settings().embedded_origin):
        assert told(merchant, origin, f"/campaigns/{done}")["statusRaw"] == "completed"
        by_status = told(merchant, origin, "/campaigns/stats/summary")["byStatus"]
        assert by_status["completed"] == by_status["sent"] == 1


def test_other_states_have_one_name(merchant: Merchant) -> None:
    campaign = merchant.a_campaign()

    assert told(merchant, settings().embedded_origin, f"/campaigns/{campaign}")["status"] == "draft"


def test_the_embedded_client_may_read_the_answers(merchant: Merchant) -> None:
    answer = merchant.call("GET", "/campaigns", Origin=settings().embedded_origin or "")

    assert answer.headers["Access-Control-Allow-Origin"] == settings().embedded_origin


def every_status(merchant: Merchant, campaign: str, origin: str | None) -> list[str]:
    """The campaign's status wherever an answer has it; asked twice, because some answers are kept."""
    found = []
    for _ in range(2):
        found += [
            told(merchant, origin, f"/campaigns/{campaign}")["status"],
            told(merchant, origin, f"/campaigns/{campaign}/status")["status"],
            told(merchant, origin, f"/campaigns/{campaign}/status")["canonical"]["status"],
            told(merchant, origin, f"/campaigns/{campaign}/progress")["status"],
            told(merchant, origin, "/campaigns")["items"][0]["status"],
            told(merchant, origin, "/campaigns/stats/summary")["recentCampaigns"][0]["status"],
            told(merchant, origin, "/reports/campaigns")["campaigns"][0]["status"],
            told(merchant, origin, "/reports/campaigns")["reports"][0]["status"],
            told(merchant, origin, f"/reports/campaigns/{campaign}")["campaign"]["status"],
            told(merchant, origin, f"/tracking/campaign/{campaign}")["campaign"]["status"],
        ]
    return found


def told(merchant: Merchant, origin: str | None, path: str) -> Any:
    other = ELSEWHERE if origin == settings().embedded_origin else settings().embedded_origin
    merchant.data("GET", path, Origin=other or "")  # an answer that is kept for the other client is not ours
    return merchant.data("GET", path, **({"Origin": origin} if origin else {}))
