"""A quote: what it says, and that a start which names it never costs more."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.campaigns.service import quoting_binding, sending
from app.core.clock import moved
from app.core.uow import across_shops, unit_of_work
from tests import build_contacts, build_pools
from tests.build_campaigns import Merchant, a_merchant, later, rewrite, statements, unsubscribe
from tests.build_messages import assert_books_balance

CLICKS = 20
SENT = "UPDATE messages SET state = 'sent' WHERE phone = :one"
QUOTES = sa.text("SELECT count(*) FROM campaign_quotes")


def quote(merchant: Merchant, campaign: str) -> Any:
    answered = merchant.call("POST", f"/campaigns/{campaign}/quote")
    assert answered.status_code == 201, answered.json
    return answered.json["data"]


def start(merchant: Merchant, campaign: str, quoted: Any) -> Any:
    return merchant.do("enqueue", campaign, {"quoteId": quoted["id"]})


def refused(merchant: Merchant, campaign: str, quote_id: str) -> tuple[int, str]:
    return merchant.refused("POST", f"/campaigns/{campaign}/enqueue", {"quoteId": quote_id})


def untouched(merchant: Merchant) -> bool:
    return (merchant.messages(), merchant.runs(), merchant.balance().held) == ([], [], 0)


# --- what it says


def test_the_quote_is_what_the_start_holds(merchant: Merchant) -> None:
    build_contacts.a_contact(merchant.shop, first_name="Ελένη", last_name="Ζ")
    build_contacts.contacts(merchant.shop, 4)
    campaign = merchant.a_campaign(message="Hi {{firstName}}, " + "a long text " * 8)

    quoted = quote(merchant, campaign)
    started = start(merchant, campaign, quoted)

    assert started.json["data"]["queued"] == quoted["recipients"] == 5
    assert quoted["credits"] == merchant.balance().held == 4 * 2 + 3
    assert (quoted["parts"], quoted["unicodeRecipients"], quoted["encoding"]) == ({"2": 4, "3": 1}, 1, "gsm7")
    assert quoted["campaignId"] == campaign and quoted["createdAt"] < quoted["expiresAt"]
    assert (quoted["canSend"], quoted["reason"], quoted["missingCredits"]) == (True, None, 0)
    assert_books_balance()


def test_the_price_is_parted_by_the_country_of_the_phones(merchant: Merchant) -> None:
    for phone in ("+306912345678", "+306912345679", "+12015550123", "+12045550123", "+35799123456", "+99999"):
        build_contacts.a_contact(merchant.shop, phone=phone, first_name="Ana")
    build_contacts.a_contact(merchant.shop, phone="+306912345670", first_name="Ζ")

    quoted = quote(merchant, merchant.a_campaign(message="Hi {{firstName}}! " + "x" * 60))

    assert quoted["countries"] == [
        {"country": "GR", "recipients": 3, "credits": 4},
        {"country": "CA", "recipients": 1, "credits": 1},
        {"country": "CY", "recipients": 1, "credits": 1},
        {"country": "US", "recipients": 1, "credits": 1},
        {"country": "ZZ", "recipients": 1, "credits": 1},
    ]
    assert sum(one["credits"] for one in quoted["countries"]) == quoted["credits"]


def test_each_exclusion_has_its_reason(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    build_contacts.contacts(merchant.shop, 3, consent="opted_out")
    build_contacts.contacts(merchant.shop, 4, consent="unknown")
    build_contacts.a_contact(merchant.shop, phone="+12015550123")
    merchant.data("PUT", "/billing/price-caps", {"countries": {"US": 0}})

    quoted = quote(merchant, merchant.a_campaign())

    assert quoted["excluded"] == [
        {"reason": "unknown_consent", "count": 4},
        {"reason": "opted_out", "count": 3},
        {"reason": "over_price_cap", "count": 1},
    ]
    assert (quoted["recipients"], quoted["credits"]) == (2, 2)


def test_codes_links_and_the_opt_out_line_are_priced_at_their_real_length(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    pool = build_pools.a_pool(merchant.shop, 5, prefix="SUMMER")
    url = "https://shop.example.com/collections/summer-sale-2031?utm_source=sms&utm_medium=text"
    campaign = merchant.a_campaign(
        message="Hi {{firstName}}: {{discountCode}} " + url + " x" * 20, discountPoolId=str(pool)
    )

    quoted = quote(merchant, campaign)
    start(merchant, campaign, quoted)

    assert quoted["credits"] == merchant.balance().held == sum(one.parts for one in merchant.messages())
    assert len(build_pools.given(merchant.shop)) == 3


@pytest.mark.parametrize(("enabled", "own"), [(True, 2), (False, 4)])
def test_it_says_what_smart_encoding_saves_whether_it_is_on_or_off(
    merchant: Merchant, enabled: bool, own: int
) -> None:
    build_contacts.contacts(merchant.shop, 2)

    quoted = quote(merchant, merchant.a_campaign(message="“Sale” — today " + "x" * 60, smartEncoding=enabled))

    smart = quoted["smartEncoding"]
    assert quoted["credits"] == own
    assert {name: smart[name] for name in smart if name != "replaced"} == {
        "enabled": enabled,
        "creditsWith": 2,
        "creditsWithout": 4,
        "creditsSaved": 2,
    }
    assert [one["from"] for one in smart["replaced"]] == ["“", "”", "—"]


def test_the_character_that_costs_is_named_with_its_line(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)

    quoted = quote(merchant, merchant.a_campaign(message="Hello!\nIt’s " + "x" * 60, smartEncoding=False))

    [dear] = quoted["characters"]
    assert dear["message"] == "’ in line 2: 3 credits"
    assert (dear["character"], dear["line"], dear["column"], dear["credits"]) == ("’", 2, 3, 3)
    assert (dear["replacement"], dear["codePoints"], dear["forcesUnicode"]) == ("'", "U+2019", True)
    assert dear["places"] == [{"line": 2, "column": 3}]
    assert (quoted["encoding"], quoted["creditsSavedByPlainText"]) == ("ucs2", 3)


def test_a_character_of_two_septets_is_named_when_it_costs_a_part(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    room = 160 - len("\n\nUnsubscribe: https://sms.example.com/r/" + "x" * 16)

    fits = quote(merchant, merchant.a_campaign(message="€" + "x" * (room - 2)))
    costs = quote(merchant, merchant.a_campaign(message="€" + "x" * (room - 1)))

    assert (fits["credits"], fits["characters"]) == (1, [])
    assert costs["credits"] == 2
    assert [(one["character"], one["credits"], one["forcesUnicode"]) for one in costs["characters"]] == [
        ("€", 1, False)
    ]


def test_characters_that_only_save_together_say_so(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)

    quoted = quote(merchant, merchant.a_campaign(message="Γειά σου " + "x" * 60))

    assert {one["credits"] for one in quoted["characters"]} == {0}
    assert quoted["creditsSavedByPlainText"] == 2


def test_a_hostile_text_is_quoted_in_bounded_time(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    every = "".join(chr(0x1F400 + number) + chr(0x4E00 + number) for number in range(800))[:1600]

    quoted = quote(merchant, merchant.a_campaign(message=every))

    assert len(quoted["characters"]) <= 40


def test_what_stands_in_the_way_is_in_the_quote(app: Flask) -> None:
    poor = a_merchant(app.test_client(), wallet=2)
    nobody = quote(poor, poor.a_campaign())
    build_contacts.contacts(poor.shop, 5)
    campaign = poor.a_campaign()

    quoted = quote(poor, campaign)
    unsubscribe(poor)

    assert (nobody["recipients"], nobody["reason"]) == (0, "no_recipients")
    assert (quoted["canSend"], quoted["reason"], quoted["missingCredits"]) == (
        False,
        "insufficient_credits",
        3,
    )
    assert quote(poor, campaign)["reason"] == "subscription_required"


def test_a_quote_changes_nothing_but_is_kept(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    campaign = merchant.a_campaign()
    before = merchant.show(campaign)

    quote(merchant, campaign)

    assert merchant.show(campaign) == before and untouched(merchant)


def test_the_cost_in_statements_does_not_grow_with_the_audience(app: Flask, merchant: Merchant) -> None:
    campaign = merchant.a_campaign(message="Hi {{firstName}}’s " + "x" * 60, smartEncoding=False)
    merchant.data("PUT", "/billing/price-caps", {"maxCreditsPerMessage": 9, "countries": {"US": 1}})
    build_contacts.contacts(merchant.shop, 1)
    with statements(app) as few:
        quote(merchant, campaign)
    build_contacts.contacts(merchant.shop, 500)
    with statements(app) as many:
        quote(merchant, campaign)

    assert len(many) == len(few) <= 22


# --- what it promises


def test_a_campaign_that_was_changed_needs_a_new_quote(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    build_contacts.a_contact(merchant.shop, gender="male")
    changes: list[dict[str, Any]] = [
        {"message": "Another text"},
        {"audience": "men"},
        {"message": "{{discountCode}}", "discountCode": "SALE"},
        {"discountCode": "SALE10"},
        {"message": "Γειά σας {{firstName}}", "compressGreek": True},
    ]
    campaign = merchant.a_campaign()
    for change in changes:
        quoted = quote(merchant, campaign)
        merchant.data("PUT", f"/campaigns/{campaign}", change)

        assert refused(merchant, campaign, quoted["id"]) == (409, "QUOTE_OUTDATED"), change
        assert merchant.show(campaign)["status"] == "draft" and untouched(merchant)


def test_what_does_not_touch_the_price_leaves_the_quote(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()
    quoted = quote(merchant, campaign)

    merchant.data("PUT", f"/campaigns/{campaign}", {"name": "Another name", "priority": "high"})

    assert start(merchant, campaign, quoted).status_code == 200


def test_an_audience_that_has_grown_since_costs_nothing_at_all(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()
    quoted = quote(merchant, campaign)
    build_contacts.contacts(merchant.shop, 1)

    refusal = start(merchant, campaign, quoted)

    assert (refusal.status_code, refusal.json["code"]) == (409, "QUOTE_EXCEEDED")
    assert refusal.json["meta"] == {"quotedCredits": 3, "requiredCredits": 4}
    assert merchant.show(campaign)["status"] == "draft" and untouched(merchant)
    assert start(merchant, campaign, quote(merchant, campaign)).status_code == 200


def test_an_audience_that_has_shrunk_since_is_sent_to_for_less(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()
    leaving = build_contacts.a_contact(merchant.shop)
    quoted = quote(merchant, campaign)
    build_contacts.a_suppression(merchant.shop, leaving.phone)

    start(merchant, campaign, quoted)

    assert (quoted["credits"], merchant.balance().held) == (4, 3)


def test_a_quote_holds_for_fifteen_minutes(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign()
    quoted = quote(merchant, campaign)

    with moved(timedelta(minutes=15, seconds=1)):
        assert refused(merchant, campaign, quoted["id"]) == (409, "QUOTE_EXPIRED")
    with moved(timedelta(minutes=14)):
        assert start(merchant, campaign, quoted).status_code == 200


def test_a_quote_is_of_one_campaign_and_one_shop(merchant: Merchant, stranger: Merchant) -> None:
    for one in (merchant, stranger):
        build_contacts.contacts(one.shop, 1)
    first, second, theirs = merchant.a_campaign(), merchant.a_campaign(), stranger.a_campaign()
    own, foreign = quote(merchant, first), quote(stranger, theirs)

    for quote_id in (own["id"], foreign["id"], "999999"):
        assert refused(merchant, second, quote_id) == (404, "QUOTE_NOT_FOUND")
    assert refused(merchant, first, foreign["id"]) == (404, "QUOTE_NOT_FOUND")
    assert untouched(merchant) and untouched(stranger)


@pytest.mark.parametrize("quote_id", ["x", 7, [], {}, True, "9" * 30])
def test_a_malformed_quote_id_is_refused_and_nothing_is_sent(merchant: Merchant, quote_id: Any) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign()

    for action in ("enqueue", "send"):
        assert merchant.fault("POST", f"/campaigns/{campaign}/{action}", {"quoteId": quote_id}) == "quoteId"
    assert untouched(merchant)


def test_a_quote_counts_even_where_the_body_does_not_say_that_it_is_json(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign()

    refusal = merchant.client.post(
        f"/campaigns/{campaign}/enqueue", data='{"quoteId": "4711"}', headers=merchant.headers
    )

    assert (refusal.status_code, refusal.json["code"]) == (404, "QUOTE_NOT_FOUND")
    assert untouched(merchant)


def test_no_quote_is_needed(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)

    for body in ({}, None, {"quoteId": None}, {"other": 1}):
        assert merchant.do("enqueue", merchant.a_campaign(), body).status_code == 200


def test_what_is_sent_or_goes_on_is_not_quoted(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    campaign = merchant.a_campaign()
    quoted = quote(merchant, campaign)
    start(merchant, campaign, quoted)
    path = f"/campaigns/{campaign}/quote"

    assert merchant.refused("POST", path) == (409, "INVALID_STATUS")
    merchant.do("pause", campaign)
    assert merchant.refused("POST", path) == (409, "INVALID_STATUS")
    assert refused(merchant, campaign, quoted["id"]) == (409, "QUOTE_OUTDATED")
    assert merchant.show(campaign)["status"] == "paused"
    assert merchant.do("enqueue", campaign).status_code == 200


def test_a_cancelled_campaign_that_is_sent_anew_is_quoted_without_those_it_has_reached(
    merchant: Merchant,
) -> None:
    build_contacts.contacts(merchant.shop, 2)
    first = build_contacts.a_contact(merchant.shop)
    campaign = merchant.a_campaign()
    merchant.do("enqueue", campaign)
    with unit_of_work(merchant.shop.id) as session:
        session.execute(sa.text(SENT), {"one": first.phone})
    rewrite(merchant, campaign, status="cancelled", frozen_at=None)

    quoted = quote(merchant, campaign)

    assert quoted["recipients"] == 2
    assert {"reason": "already_texted", "count": 1} in quoted["excluded"]


def test_a_scheduled_campaign_can_be_quoted_and_started(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    campaign = merchant.a_campaign(scheduleType="scheduled", scheduleAt=later())

    assert start(merchant, campaign, quote(merchant, campaign)).json["data"]["queued"] == 2


def test_one_key_gives_one_answer_also_when_the_quote_has_gone(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    campaign = merchant.a_campaign()
    body, path = {"quoteId": quote(merchant, campaign)["id"]}, f"/campaigns/{campaign}/enqueue"
    first = merchant.data("POST", path, body, Idempotency_Key="k")

    with moved(timedelta(hours=1)):
        assert merchant.data("POST", path, body, Idempotency_Key="k") == first
    assert merchant.refused("POST", path, Idempotency_Key="k") == (409, "IDEMPOTENCY_KEY_REUSED")


def test_twenty_starts_with_one_quote_are_one_run(app: Flask, merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 5)
    campaign = merchant.a_campaign()
    body = {"quoteId": quote(merchant, campaign)["id"]}
    together = Barrier(CLICKS)

    def click(_: int) -> tuple[int, str]:
        together.wait()
        answered = app.test_client().post(
            f"/campaigns/{campaign}/enqueue", json=body, headers=merchant.headers
        )
        return answered.status_code, answered.json.get("code", "")  # type: ignore[union-attr]

    with ThreadPoolExecutor(CLICKS) as pool:
        answers = Counter(pool.map(click, range(CLICKS)))

    assert answers == {(200, ""): 1, (409, "ALREADY_SENDING"): CLICKS - 1}
    assert (len(merchant.runs()), len(merchant.messages()), merchant.balance().held) == (1, 5, 5)


# --- large audiences


@pytest.fixture
def large(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than two recipients are frozen behind the answer."""
    inline = app.config["SETTINGS"].__class__(**{**vars(app.config["SETTINGS"]), "enqueue_inline_limit": 2})
    monkeypatch.setitem(app.config, "SETTINGS", inline)


@pytest.mark.usefixtures("large")
def test_a_large_audience_that_grows_before_it_is_frozen_goes_back_to_draft(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()
    quoted = quote(merchant, campaign)
    assert start(merchant, campaign, quoted).json["data"]["queued"] == 3
    build_contacts.contacts(merchant.shop, 1)

    sending.freeze_large(merchant.shop.id, int(campaign))

    shown = merchant.show(campaign)
    assert (shown["status"], shown["lastEnqueueError"].split(":")[0]) == ("draft", "QUOTE_EXCEEDED")
    assert (merchant.messages(), merchant.balance().held) == ([], 0)
    assert start(merchant, campaign, quote(merchant, campaign)).status_code == 200
    sending.freeze_large(merchant.shop.id, int(campaign))
    assert merchant.balance().held == 4


@pytest.mark.usefixtures("large")
def test_a_large_audience_is_held_at_its_quote(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()
    quoted = quote(merchant, campaign)
    start(merchant, campaign, quoted)

    with moved(timedelta(hours=1)):  # the job may be late: what was accepted in time holds
        sending.freeze_large(merchant.shop.id, int(campaign))

    assert merchant.balance().held == quoted["credits"] == 3


# --- keeping them


def test_quotes_that_nothing_came_of_are_forgotten(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    used, unused = merchant.a_campaign(), merchant.a_campaign()
    start(merchant, used, quote(merchant, used))
    quote(merchant, unused)

    quoting_binding.forget_unused()
    kept = count()
    with moved(timedelta(days=2)):
        quoting_binding.forget_unused()

    assert (kept, count()) == (2, 1)


def test_a_quoted_campaign_can_be_deleted(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    campaign = merchant.a_campaign()
    quote(merchant, campaign)

    merchant.data("DELETE", f"/campaigns/{campaign}")

    assert count() == 0


def count() -> int:
    with across_shops("a test looks") as session:
        return int(session.scalar(QUOTES) or 0)
