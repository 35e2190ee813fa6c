"""Starting to send: once, for the right price, or not at all."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.campaigns.service import sending, states
from app.core.uow import unit_of_work
from tests import build_contacts
from tests.build_campaigns import Merchant, a_merchant, answer, rewrite, unsubscribe

CLICKS = 20
HOLDS = sa.text("SELECT count(*) FROM credit_holds")


def test_enqueue_freezes_the_audience_and_holds_the_credits(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    build_contacts.contacts(merchant.shop, 2, consent="opted_out")
    build_contacts.contacts(merchant.shop, 2, consent="unknown")
    campaign = merchant.a_campaign()

    answered = merchant.call("POST", f"/campaigns/{campaign}/enqueue")

    expected = {"ok": True, "queued": 3, "enqueuedJobs": 3, "campaignId": campaign, "status": "sending"}
    assert (answered.status_code, answered.json["data"]) == (200, expected)
    assert answered.json["ok"] is True and answered.json["success"] is True
    assert [message.state for message in merchant.messages()] == ["pending"] * 3
    assert (merchant.balance().wallet, merchant.balance().held) == (997, 3)
    assert merchant.show(campaign)["startedAt"]


def test_send_is_the_same_by_another_name(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    campaign = merchant.a_campaign()

    answered = merchant.data("POST", f"/campaigns/{campaign}/send", {}, Idempotency_Key="k")

    assert (answered["campaignId"], answered["recipientCount"], answered["status"]) == (
        campaign,
        2,
        "sending",
    )
    assert answered["queuedAt"].endswith("Z")
    assert merchant.data("POST", f"/campaigns/{campaign}/send", {}, Idempotency_Key="k") == answered


@pytest.mark.parametrize("body", ["", "{}", "not json", '{"audience": "men"}'])
def test_the_body_of_enqueue_does_not_matter(merchant: Merchant, body: str) -> None:
    build_contacts.contacts(merchant.shop, 2)
    campaign = merchant.a_campaign()

    answered = merchant.client.post(f"/campaigns/{campaign}/enqueue", data=body, headers=merchant.headers)

    assert answered.json["data"]["queued"] == 2


def test_twenty_clicks_at_once_send_once(app: Flask, merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 5)
    campaign = merchant.a_campaign()
    together = Barrier(CLICKS)

    def click(_: int) -> tuple[int, str]:
        together.wait()
        answered = app.test_client().post(f"/campaigns/{campaign}/enqueue", headers=merchant.headers)
        return answered.status_code, answered.json.get("code", "")  # type: ignore[union-attr]

    with ThreadPoolExecutor(CLICKS) as pool:
        answers = Counter(pool.map(click, range(CLICKS)))

    assert answers == {(200, ""): 1, (409, "ALREADY_SENDING"): CLICKS - 1}
    assert (len(merchant.messages()), len(merchant.runs()), holds(merchant)) == (5, 1, 1)
    assert (merchant.balance().wallet, merchant.balance().held) == (995, 5)


def test_twenty_clicks_with_one_key_get_one_answer(app: Flask, merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 5)
    campaign = merchant.a_campaign()
    together = Barrier(CLICKS)

    def click(_: int) -> Any:
        together.wait()
        headers = {**merchant.headers, "Idempotency-Key": "the-same"}
        return app.test_client().post(f"/campaigns/{campaign}/enqueue", headers=headers).json

    with ThreadPoolExecutor(CLICKS) as pool:
        answers = [answered["data"] for answered in pool.map(click, range(CLICKS))]

    assert answers == [answers[0]] * CLICKS and answers[0]["queued"] == 5
    assert (len(merchant.messages()), merchant.balance().held) == (5, 5)


@pytest.mark.parametrize("header", ["Idempotency_Key", "X_Idempotency_Key"])
def test_the_same_key_gets_the_same_answer_later_on(merchant: Merchant, header: str) -> None:
    build_contacts.contacts(merchant.shop, 2)
    campaign = merchant.a_campaign()
    path = f"/campaigns/{campaign}/enqueue"
    first = merchant.data("POST", path, **{header: "k1"})
    answer(merchant, "aa")
    states.finish(merchant.shop.id, int(campaign))

    assert merchant.data("POST", path, **{header: "k1"}) == first
    assert merchant.refused("POST", path, **{header: "k2"}) == (409, "INVALID_STATUS")
    assert merchant.refused("POST", path) == (409, "INVALID_STATUS")


def test_a_key_belongs_to_one_campaign_and_one_shop(merchant: Merchant, stranger: Merchant) -> None:
    for one in (merchant, stranger):
        build_contacts.contacts(one.shop, 1)
    first, second = merchant.a_campaign(), merchant.a_campaign()
    merchant.data("POST", f"/campaigns/{first}/enqueue", Idempotency_Key="k")

    reused = merchant.refused("POST", f"/campaigns/{second}/enqueue", Idempotency_Key="k")
    theirs = stranger.data("POST", f"/campaigns/{stranger.a_campaign()}/enqueue", Idempotency_Key="k")

    assert reused == (409, "IDEMPOTENCY_KEY_REUSED")
    assert theirs["queued"] == 1


def test_a_key_that_is_too_long_is_refused(merchant: Merchant) -> None:
    path = f"/campaigns/{merchant.a_campaign()}/enqueue"

    assert merchant.refused("POST", path, Idempotency_Key="k" * 129) == (400, "VALIDATION_ERROR")


def test_a_refused_start_frees_its_key(merchant: Merchant) -> None:
    path = f"/campaigns/{merchant.a_campaign()}/enqueue"
    assert merchant.refused("POST", path, Idempotency_Key="k") == (400, "NO_RECIPIENTS")
    build_contacts.contacts(merchant.shop, 1)

    assert merchant.data("POST", path, Idempotency_Key="k")["queued"] == 1


# --- refusals leave everything as it was


def refused_and_untouched(merchant: Merchant, campaign: str) -> Any:
    """Enqueue, see that nothing has happened, and give the refusal."""
    before = merchant.balance()
    answered = merchant.do("enqueue", campaign)
    assert answered.json["success"] is False
    assert merchant.show(campaign)["status"] == "draft"
    assert (merchant.messages(), merchant.runs(), holds(merchant)) == ([], [], 0)
    assert merchant.balance() == before
    return answered


def holds(merchant: Merchant) -> int:
    with unit_of_work(merchant.shop.id) as session:
        return int(session.scalar(HOLDS) or 0)


def test_an_empty_audience_leaves_the_draft(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2, consent="unknown")

    refusal = refused_and_untouched(merchant, merchant.a_campaign())

    assert (refusal.status_code, refusal.json["code"]) == (400, "NO_RECIPIENTS")


def test_too_few_credits_leave_the_draft_and_say_how_many_are_missing(app: Flask) -> None:
    poor = a_merchant(app.test_client(), wallet=2)
    build_contacts.contacts(poor.shop, 5)

    refusal = refused_and_untouched(poor, poor.a_campaign())

    assert (refusal.status_code, refusal.json["code"]) == (402, "INSUFFICIENT_CREDITS")
    assert refusal.json["meta"] == {
        "remainingAllowance": 0,
        "availableCredits": 2,
        "totalAvailable": 2,
        "requiredCredits": 5,
        "missingCredits": 3,
    }


def test_sending_needs_a_subscription(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign()
    unsubscribe(merchant)

    refusal = refused_and_untouched(merchant, campaign)

    assert (refusal.status_code, refusal.json["code"]) == (403, "SUBSCRIPTION_REQUIRED")
    assert refusal.json["meta"] == {"action": "subscribe"}


def test_a_segment_that_has_vanished_is_not_everybody(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()
    rewrite(merchant, campaign, audience="segment:987654")

    refusal = refused_and_untouched(merchant, campaign)

    assert (refusal.status_code, refusal.json["code"]) == (400, "AUDIENCE_RESOLUTION_FAILED")


def test_a_discount_code_that_nobody_knows_is_not_sent_as_nothing(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign(message="Code: {{discountCode}}", discountId="gid://shopify/Discount/1")

    refusal = refused_and_untouched(merchant, campaign)

    assert (refusal.status_code, refusal.json["code"]) == (400, "ENQUEUE_FAILED")
    merchant.data("PUT", f"/campaigns/{campaign}", {"discountCode": "SALE10"})
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")
    assert merchant.runs()[0].text.startswith("Code: SALE10")


def test_two_campaigns_cannot_spend_the_same_credits(app: Flask) -> None:
    merchant = a_merchant(app.test_client(), wallet=7)
    build_contacts.contacts(merchant.shop, 5)
    campaigns = [merchant.a_campaign() for _ in range(4)]
    together = Barrier(len(campaigns))

    def click(campaign: str) -> int:
        together.wait()
        return app.test_client().post(f"/campaigns/{campaign}/enqueue", headers=merchant.headers).status_code

    with ThreadPoolExecutor(len(campaigns)) as pool:
        answers = Counter(pool.map(click, campaigns))

    assert answers == {200: 1, 402: 3}
    assert (merchant.balance().wallet, merchant.balance().held, len(merchant.messages())) == (2, 5, 5)


def test_two_shops_send_to_their_own_contacts_from_their_own_wallets(
    merchant: Merchant, stranger: Merchant
) -> None:
    build_contacts.contacts(merchant.shop, 3)
    build_contacts.contacts(stranger.shop, 2)

    merchant.data("POST", f"/campaigns/{merchant.a_campaign()}/enqueue")

    assert (len(merchant.messages()), len(stranger.messages())) == (3, 0)
    assert (merchant.balance().held, stranger.balance().held) == (3, 0)


def test_the_sender_is_the_campaigns_own_when_it_has_one(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)

    merchant.data("POST", f"/campaigns/{merchant.a_campaign(senderId='MyShop')}/enqueue")
    merchant.data("POST", f"/campaigns/{merchant.a_campaign()}/enqueue")

    assert [run.sender for run in merchant.runs()] == ["MyShop", "Astronote"]


def test_a_large_audience_is_frozen_behind_the_answer(
    app: Flask, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    inline = app.config["SETTINGS"].__class__(**{**vars(app.config["SETTINGS"]), "enqueue_inline_limit": 2})
    monkeypatch.setitem(app.config, "SETTINGS", inline)
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()

    assert merchant.data("POST", f"/campaigns/{campaign}/enqueue")["queued"] == 3
    waiting = merchant.data("GET", f"/campaigns/{campaign}/progress")
    assert (waiting["pending"], waiting["total"], waiting["percentage"], len(merchant.messages())) == (
        3,
        3,
        0,
        0,
    )

    sending.freeze_large(merchant.shop.id, int(campaign))
    sending.freeze_large(merchant.shop.id, int(campaign))

    assert (len(merchant.messages()), merchant.balance().held) == (3, 3)
