"""What a merchant is told before sending: the words, the people, the price."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core.uow import unit_of_work
from tests import build_contacts
from tests.build_campaigns import Merchant, a_merchant, rewrite, unsubscribe

UNSUBSCRIBE_SAMPLE = "\n\nUnsubscribe: https://sms.example.com/r/sample00xxxxxxxx"
BACKSTAGE = ("message_runs", "messages", "click_events", "credit_holds", "ledger_transfers")


def preview(merchant: Merchant, **body: Any) -> Any:
    return merchant.data("GET", f"/campaigns/{merchant.a_campaign(**body)}/preview")


def test_the_preview_says_what_when_sending_would_hold(merchant: Merchant) -> None:
    build_contacts.a_contact(merchant.shop, first_name="Ελένη", last_name="Ζ")
    build_contacts.contacts(merchant.shop, 4)
    campaign = merchant.a_campaign(message="Hi {{firstName}}, " + "a long text " * 8)

    shown = merchant.data("GET", f"/campaigns/{campaign}/preview")
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")

    assert shown["creditsRequired"] == shown["estimatedCost"] == merchant.balance().held == 4 * 2 + 3
    assert shown["parts"] == {"2": 4, "3": 1}
    assert (shown["recipientCount"], shown["unicodeRecipients"]) == (5, 1)


def test_the_preview_is_written_for_the_first_recipient(merchant: Merchant) -> None:
    build_contacts.a_contact(merchant.shop, first_name="Nikos")
    build_contacts.contacts(merchant.shop, 2)

    shown = preview(merchant, message="Hi {{firstName}}!\n\nBye")

    assert shown["renderedMessage"] == "Hi Nikos!\n\nBye" + UNSUBSCRIBE_SAMPLE
    assert (shown["segments"], shown["encoding"]) == (1, "gsm7")
    assert (shown["ok"], shown["canSend"], shown["reason"], shown["message"]) == (True, True, None, None)
    assert shown["errors"] == []


def test_the_sample_is_as_long_as_the_sent_text(merchant: Merchant) -> None:
    build_contacts.a_contact(merchant.shop, first_name="Nikos")
    long_url = "https://shop.example.com/collections/summer-sale-2031?utm_source=sms&utm_medium=text"

    shown = preview(merchant, message=f"See {long_url} now")

    assert shown["renderedMessage"].startswith("See https://sms.example.com/r/sample01xxxxxxxx now")


def test_a_preview_writes_nothing(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    before = rows(merchant)

    preview(merchant, message="See https://shop.example.com/collections/summer-sale-2031?utm_source=sms now")

    assert rows(merchant) == before


def rows(merchant: Merchant) -> list[int]:
    with unit_of_work(merchant.shop.id) as session:
        return [session.scalar(sa.text(f"SELECT count(*) FROM {table}")) or 0 for table in BACKSTAGE]


def test_without_a_subscription_the_preview_still_answers_with_real_numbers(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()
    unsubscribe(merchant)

    shown = merchant.data("GET", f"/campaigns/{campaign}/preview")

    assert (shown["ok"], shown["canSend"], shown["reason"]) == (False, False, "subscription_required")
    assert (shown["recipientCount"], shown["estimatedCost"]) == (3, 3)
    assert shown["message"] and shown["errors"] == [shown["message"]]


def test_missing_credits_are_counted_over_allowance_and_wallet(app: Flask) -> None:
    poor = a_merchant(app.test_client(), wallet=2)
    build_contacts.contacts(poor.shop, 5)

    shown = preview(poor)

    assert (shown["reason"], shown["canSend"], shown["insufficientCredits"]) == (
        "insufficient_credits",
        False,
        True,
    )
    assert (shown["availableCredits"], shown["remainingAllowance"], shown["totalAvailable"]) == (2, 0, 2)
    assert shown["missingCredits"] == 3


def test_nobody_to_text_is_a_reason_not_an_error(merchant: Merchant) -> None:
    shown = preview(merchant, message="Hi {{firstName}}")

    assert (shown["reason"], shown["recipientCount"], shown["creditsRequired"]) == ("no_recipients", 0, 0)
    assert shown["renderedMessage"].startswith("Hi Maria")


def test_who_is_left_out_is_counted_by_reason(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)
    build_contacts.contacts(merchant.shop, 3, consent="opted_out")
    build_contacts.contacts(merchant.shop, 4, consent="unknown")
    build_contacts.contacts(merchant.shop, 1, consent="unknown")
    build_contacts.a_contact(merchant.shop, gender="male", consent="unknown")

    assert preview(merchant)["excluded"] == {"optedOut": 3, "unknownConsent": 6, "suppressed": 0}
    assert preview(merchant, audience="men")["excluded"] == {
        "optedOut": 0,
        "unknownConsent": 1,
        "suppressed": 0,
    }


def test_what_makes_a_text_dear_is_named(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 2)

    shown = preview(merchant, message="Only today 👋 " + "x" * 60)

    assert (shown["forcesUnicode"], shown["encoding"], shown["unicodeRecipients"]) == ("👋", "ucs2", 2)
    assert preview(merchant)["forcesUnicode"] is None


def test_smart_encoding_says_what_it_replaced_and_what_it_saved(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    text = "“Sale” — today " + "x" * 60

    on, off = preview(merchant, message=text), preview(merchant, message=text, smartEncoding=False)

    assert on["smartEncoding"] == {
        "applied": True,
        "replaced": [
            {"from": "“", "to": '"', "count": 1},
            {"from": "”", "to": '"', "count": 1},
            {"from": "—", "to": "-", "count": 1},
        ],
        "partsBefore": 2,
        "partsAfter": 1,
    }
    assert (on["creditsRequired"], off["creditsRequired"]) == (1, 2)
    assert off["smartEncoding"]["applied"] is False and off["forcesUnicode"] == "“"


def test_greek_in_capitals_is_cheaper_when_the_merchant_wants_it(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)
    text = "Καλημέρα σας! " * 5

    assert preview(merchant, message=text)["creditsRequired"] == 2
    assert preview(merchant, message=text, compressGreek=True)["creditsRequired"] == 1


def test_unknown_tags_are_named_and_never_reach_a_phone(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)

    shown = preview(merchant, message="Hi {{firstName}}, {{ coupon }} {{x}} bye {{")

    assert shown["unknownTags"] == ["{{ coupon }}", "{{x}}"]
    assert "{{" not in shown["renderedMessage"] and "}}" not in shown["renderedMessage"]


def test_a_text_that_is_too_long_with_its_opt_out_line_is_cut_and_says_so(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 1)

    shown = preview(merchant, message="m" * 1600)

    assert shown["shortenedToFit"] is True and len(shown["renderedMessage"]) <= 1600
    assert shown["renderedMessage"].endswith("..." + UNSUBSCRIBE_SAMPLE)


def test_emoji_everywhere_cost_the_same_in_the_preview_and_when_sent(merchant: Merchant) -> None:
    build_contacts.a_contact(merchant.shop, first_name="👩‍👩‍👧‍👦" * 5)
    build_contacts.a_contact(merchant.shop, first_name="🇬🇷")
    campaign = merchant.a_campaign(name="🎉" * 200, message="👋🏽 {{firstName}} 🎁" * 60)

    shown = merchant.data("GET", f"/campaigns/{campaign}/preview")
    merchant.data("POST", f"/campaigns/{campaign}/enqueue")

    assert shown["creditsRequired"] == merchant.balance().held
    assert sum(message.parts for message in merchant.messages()) == merchant.balance().held


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"message": "Code {{discountCode}}", "discountId": "gid://1"}, "enqueue_failed"),
        ({}, "audience_resolution_failed"),
    ],
)
def test_what_cannot_be_worded_or_addressed_is_previewed_all_the_same(
    merchant: Merchant, body: dict[str, Any], reason: str
) -> None:
    campaign = merchant.a_campaign(**body)
    if not body:
        rewrite(merchant, campaign, audience="segment:987654")

    shown = merchant.data("GET", f"/campaigns/{campaign}/preview")

    assert (shown["ok"], shown["reason"], shown["recipientCount"]) == (False, reason, 0)
    assert shown["errors"] == [shown["message"]] != [None]
    assert merchant.show(campaign)["recipientCount"] == 0


# --- prepare


def test_preparing_prices_a_draft_with_an_empty_body(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign()

    prepared = merchant.data("POST", f"/campaigns/{campaign}/prepare")

    assert prepared == {"recipientCount": 3, "creditsRequired": 3, "creditsAvailable": 1000, "canSend": True}
    assert merchant.show(campaign)["status"] == "draft"


def test_preparing_for_nobody_is_refused(merchant: Merchant) -> None:
    campaign = merchant.a_campaign()

    assert merchant.refused("POST", f"/campaigns/{campaign}/prepare") == (400, "NO_RECIPIENTS")


# --- trying it out


def test_a_test_goes_to_one_phone_and_counts_nowhere(merchant: Merchant) -> None:
    build_contacts.contacts(merchant.shop, 3)
    campaign = merchant.a_campaign(message="Hi {{firstName}}")

    sent = merchant.data("POST", f"/campaigns/{campaign}/test", {"phoneE164": "691 234 5678"})
    merchant.data("POST", f"/campaigns/{campaign}/test", {"phoneE164": "+306912345678"})

    assert (sent["campaignId"], sent["phoneE164"]) == (campaign, "+306912345678")
    assert [(run.source, run.run_no, run.pending) for run in merchant.runs()] == [
        ("test", 1, 1),
        ("test", 2, 1),
    ]
    assert (merchant.balance().wallet, merchant.balance().held) == (998, 2)
    shown = merchant.show(campaign)
    assert (shown["status"], shown["recipientCount"], shown["totalSent"]) == ("draft", 3, 0)


def test_a_test_is_personal_for_a_contact_and_made_up_for_anybody_else(merchant: Merchant) -> None:
    build_contacts.a_contact(merchant.shop, phone="+306911111111", first_name="Ana", consent="unknown")
    path = f"/campaigns/{merchant.a_campaign()}/test"

    merchant.data("POST", path, {"phoneE164": "+306911111111"})
    merchant.data("POST", path, {"phoneE164": "+306922222222"})

    assert [message.merge["firstName"] for message in merchant.messages()] == ["Ana", "Maria"]


def test_a_test_needs_a_phone_a_subscription_and_credits(merchant: Merchant, app: Flask) -> None:
    path, phone = f"/campaigns/{merchant.a_campaign()}/test", {"phoneE164": "+306912345678"}
    poor = a_merchant(app.test_client(), wallet=0)

    assert merchant.fault("POST", path) == "phoneE164"
    assert merchant.fault("POST", path, {"phoneE164": "not a phone"}) == "phoneE164"
    assert poor.refused("POST", f"/campaigns/{poor.a_campaign()}/test", phone) == (
        402,
        "INSUFFICIENT_CREDITS",
    )
    unsubscribe(merchant)
    assert merchant.refused("POST", path, phone) == (403, "SUBSCRIPTION_REQUIRED")
    assert merchant.runs() == poor.runs() == []


def test_a_number_that_has_opted_out_gets_no_test_either(merchant: Merchant) -> None:
    phone = build_contacts.a_suppression(merchant.shop)
    path = f"/campaigns/{merchant.a_campaign()}/test"

    assert merchant.refused("POST", path, {"phoneE164": phone}) == (409, "CONFLICT")
