"""Writing campaigns: what is taken, what is refused, and when it goes out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.campaigns.service.moments import read_moment
from app.core.errors import ValidationFailed
from tests.build_campaigns import Merchant, later, rewrite

ATHENS = ZoneInfo("Europe/Athens")
PLAIN = {"name": "Sale", "message": "Hi {{firstName}}"}
OBJECT_KEYS = {
    *("id", "name", "message", "status", "statusRaw", "audience", "discountId", "scheduleType", "scheduleAt"),
    *("scheduledAt", "recurringDays", "priority", "createdAt", "updatedAt", "startedAt", "finishedAt"),
    *("recipientCount", "totalRecipients", "sentCount", "deliveredCount", "failedCount", "totalSent"),
    *(
        "totalDelivered",
        "totalFailed",
        "totalProcessed",
        "totalClicked",
        "meta",
        "lastEnqueueError",
        "totals",
    ),
    *("delivery", "sourceOfTruth"),
}


def test_a_new_campaign_is_a_draft_for_everybody(merchant: Merchant) -> None:
    answer = merchant.call("POST", "/campaigns", PLAIN)

    assert answer.status_code == 201
    made = answer.json["data"]
    assert set(made) == OBJECT_KEYS
    assert (made["status"], made["audience"], made["priority"]) == ("draft", "all", "normal")
    assert (made["scheduleType"], made["scheduleAt"], made["meta"]) == ("immediate", None, None)
    assert isinstance(made["id"], str) and made["createdAt"].endswith("Z")


def test_text_is_trimmed_and_kept_as_written(merchant: Merchant) -> None:
    made = merchant.data(
        "POST", "/campaigns", {"name": "  Σεπτέμβρης ", "message": " Γεια\n\n{{ first_name }} 👋 "}
    )

    assert (made["name"], made["message"]) == ("Σεπτέμβρης", "Γεια\n\n{{ first_name }} 👋")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "n" * 201),
        ("name", None),
        ("message", ""),
        ("message", "m" * 1601),
        ("message", 7),
        ("message", "a\x00b"),
        ("scheduleType", "soon"),
        ("priority", "asap"),
        ("recurringDays", 0),
        ("recurringDays", 366),
        ("recurringDays", "x"),
        ("senderId", "no spaces"),
        ("senderId", "12345"),
        ("senderId", "TwelveLetter"),
        ("senderId", "+0123"),
        ("audience", "everybody"),
        ("audience", {"type": "segment"}),
        ("audience", ["all"]),
        ("audience", None),
        ("audience", "segment:999"),
        ("discountId", "x" * 201),
        ("smartEncoding", "maybe"),
        ("scheduleAt", 1893456000),
    ],
)
def test_a_bad_field_is_named(merchant: Merchant, field: str, value: Any) -> None:
    assert merchant.fault("POST", "/campaigns", {**PLAIN, field: value}) == field


def test_both_limits_of_the_message_are_taken(merchant: Merchant) -> None:
    assert len(merchant.show(merchant.a_campaign(message="m" * 1600))["message"]) == 1600
    assert merchant.show(merchant.a_campaign(message="👋" * 1600))["message"] == "👋" * 1600


def test_a_name_is_taken_once_in_a_shop(merchant: Merchant, stranger: Merchant) -> None:
    merchant.data("POST", "/campaigns", PLAIN)

    assert merchant.refused("POST", "/campaigns", PLAIN) == (409, "DUPLICATE_NAME")
    assert stranger.data("POST", "/campaigns", PLAIN)["name"] == "Sale"
    assert merchant.data("GET", "/campaigns")["total"] == 1


def test_renaming_to_a_taken_name_is_refused_and_changes_nothing(merchant: Merchant) -> None:
    merchant.a_campaign(name="Taken")
    mine = merchant.a_campaign(name="Mine")

    assert merchant.refused("PUT", f"/campaigns/{mine}", {"name": "Taken"}) == (409, "DUPLICATE_NAME")
    assert merchant.show(mine)["name"] == "Mine"


@pytest.mark.parametrize(
    ("given", "kept"),
    [("male", "men"), ("female", "women"), ("women", "women"), ({"type": "all"}, "all")],
)
def test_an_audience_is_kept_in_its_one_spelling(merchant: Merchant, given: Any, kept: str) -> None:
    assert merchant.show(merchant.a_campaign(audience=given))["audience"] == kept


def test_a_segment_may_be_named_either_way_but_must_be_the_shops_own(
    merchant: Merchant, stranger: Merchant
) -> None:
    segment = merchant.data("POST", "/audiences/segments", {"name": "VIP", "contactIds": []})["id"]

    for audience in (f"segment:{segment}", {"type": "segment", "segmentId": segment}):
        assert merchant.show(merchant.a_campaign(audience=audience))["audience"] == f"segment:{segment}"
    theirs = stranger.call("POST", "/campaigns", {**PLAIN, "audience": f"segment:{segment}"})
    assert (theirs.status_code, theirs.json["details"][0]["field"]) == (400, "audience")


def test_what_the_old_system_kept_apart_is_kept_in_meta(merchant: Merchant) -> None:
    kept = {"includeDiscount": True, "discountValue": "10%", "senderId": "MyShop1", "compressGreek": True}

    campaign = merchant.a_campaign(**kept, discountId="", smartEncoding=None)

    assert merchant.show(campaign)["meta"] == kept
    assert merchant.show(campaign)["discountId"] is None


def test_changing_one_meta_entry_keeps_the_others_and_null_takes_it_away(merchant: Merchant) -> None:
    campaign = merchant.a_campaign(senderId="MyShop1", discountValue="10%")

    changed = merchant.data("PUT", f"/campaigns/{campaign}", {"senderId": "", "compressGreek": False})

    assert changed["meta"] == {"discountValue": "10%", "compressGreek": False}


def test_both_clients_may_leave_out_or_send_unknown_fields(merchant: Merchant) -> None:
    campaign = merchant.a_campaign(audience="men", priority="high", somethingNew={"a": 1})

    changed = merchant.data("PUT", f"/campaigns/{campaign}", {"message": "New", "id": "999"})

    assert (changed["id"], changed["message"]) == (campaign, "New")
    assert (changed["audience"], changed["priority"]) == ("men", "high")


# --- when


def test_a_scheduled_campaign_shows_its_time_under_both_names(merchant: Merchant) -> None:
    campaign = merchant.a_campaign(scheduleType="scheduled", scheduleAt="2031-01-15T10:00:00+02:00")

    shown = merchant.show(campaign)
    assert shown["status"] == "scheduled"
    assert shown["scheduleAt"] == shown["scheduledAt"] == "2031-01-15T08:00:00.000Z"


def test_the_alias_of_the_time_is_read_too(merchant: Merchant) -> None:
    campaign = merchant.a_campaign(
        scheduleType="scheduled", scheduledAt="2031-01-15T08:00:00Z", scheduleAt=None
    )

    assert merchant.show(campaign)["scheduleAt"] == "2031-01-15T08:00:00.000Z"


@pytest.mark.parametrize("missing", [{}, {"scheduleAt": None}, {"scheduleAt": ""}])
def test_a_scheduled_campaign_needs_a_time(merchant: Merchant, missing: dict[str, Any]) -> None:
    assert (
        merchant.fault("POST", "/campaigns", {**PLAIN, "scheduleType": "scheduled", **missing})
        == "scheduleAt"
    )


def test_a_time_in_the_past_is_refused_but_a_moment_ago_is_not(merchant: Merchant) -> None:
    late = {**PLAIN, "scheduleType": "scheduled", "scheduleAt": later(seconds=-90)}

    assert merchant.fault("POST", "/campaigns", late) == "scheduleAt"
    assert merchant.a_campaign(scheduleType="scheduled", scheduleAt=later(seconds=-30))


def test_an_immediate_campaign_has_no_time_whatever_was_sent(merchant: Merchant) -> None:
    campaign = merchant.a_campaign(scheduleAt=later(), recurringDays=3)

    assert (merchant.show(campaign)["scheduleAt"], merchant.show(campaign)["recurringDays"]) == (None, None)


def test_a_recurring_campaign_needs_days_and_starts_now_without_a_time(merchant: Merchant) -> None:
    assert merchant.fault("POST", "/campaigns", {**PLAIN, "scheduleType": "recurring"}) == "recurringDays"

    shown = merchant.show(merchant.a_campaign(scheduleType="recurring", recurringDays=7))

    assert (shown["status"], shown["recurringDays"]) == ("scheduled", 7)
    assert datetime.fromisoformat(shown["scheduleAt"]) <= datetime.now(UTC)


def test_going_back_to_immediate_makes_a_draft_and_forgets_the_time(merchant: Merchant) -> None:
    campaign = merchant.a_campaign(scheduleType="scheduled", scheduleAt=later())

    changed = merchant.data("PUT", f"/campaigns/{campaign}", {"scheduleType": "immediate"})

    assert (changed["status"], changed["scheduleAt"]) == ("draft", None)


def test_editing_the_text_leaves_the_time_alone(merchant: Merchant) -> None:
    campaign = merchant.a_campaign(scheduleType="scheduled", scheduleAt="2031-01-15T08:00:00Z")

    changed = merchant.data("PUT", f"/campaigns/{campaign}", {"message": "New"})
    kept = merchant.data("PUT", f"/campaigns/{campaign}", {"scheduleType": "scheduled"})

    assert (changed["status"], changed["scheduleAt"]) == ("scheduled", "2031-01-15T08:00:00.000Z")
    assert kept["scheduleAt"] == "2031-01-15T08:00:00.000Z"


def test_one_client_schedules_twice_with_the_same_time(merchant: Merchant) -> None:
    when = later(days=2)
    campaign = merchant.a_campaign(scheduleType="scheduled", scheduleAt=when)

    again = merchant.data(
        "PUT", f"/campaigns/{campaign}/schedule", {"scheduleType": "scheduled", "scheduleAt": when}
    )

    assert again["status"] == "scheduled"


def test_a_time_without_a_zone_is_the_shops_own(merchant: Merchant) -> None:
    campaign = merchant.a_campaign()

    shown = merchant.data("PUT", f"/campaigns/{campaign}/schedule", {"scheduleAt": "2031-07-01T18:30"})

    assert shown["scheduleAt"] == "2031-07-01T15:30:00.000Z"


def test_scheduling_needs_a_time_and_cannot_mean_immediately(merchant: Merchant) -> None:
    path = f"/campaigns/{merchant.a_campaign()}/schedule"

    assert merchant.fault("PUT", path) == "scheduleAt"
    assert merchant.fault("PUT", path, {"scheduleType": "immediate", "scheduleAt": later()}) == "scheduleType"
    assert (
        merchant.fault("PUT", path, {"scheduleType": "recurring", "scheduleAt": later()}) == "recurringDays"
    )
    assert merchant.fault("PUT", path, {"scheduleAt": later(minutes=-5)}) == "scheduleAt"


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2031-01-15T10:00", "2031-01-15T08:00"),
        ("2031-07-15T10:00:30", "2031-07-15T07:00:30"),
        ("2031-07-15 10:00:30.250", "2031-07-15T07:00:30.250"),
        ("2031-07-15T10:00Z", "2031-07-15T10:00"),
        ("2031-07-15t10:00:00.000z", "2031-07-15T10:00"),
        ("2031-07-15T10:00:00-0500", "2031-07-15T15:00"),
        ("2031-03-30T03:30", "2031-03-30T01:30"),  # skipped: the later reading, 04:30
        ("2031-10-26T03:30", "2031-10-26T00:30"),  # twice: the first
    ],
)
def test_times_are_read_as_the_shops_clock_shows_them(written: str, instant: str) -> None:
    assert read_moment(written, ATHENS) == datetime.fromisoformat(instant).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "tomorrow",
        "2031-01-15",
        "15/01/2031 10:00",
        "2031-13-01T10:00",
        "2031-02-30T10:00",
        "2031-01-15T25:00",
        "2031-01-15T10",
        "2031-01-15T10:00 Europe/Athens",
        "2031-01-15T10:00+25:00",
        "2031-W03-1T10:00",
        "0001-01-01T00:00+14:00",
        "9999-12-31T23:59-12:00",
        "٢٠٣١-01-15T10:00",
    ],
)
def test_what_is_no_time_is_refused(merchant: Merchant, written: str) -> None:
    with pytest.raises(ValidationFailed):
        read_moment(written, ATHENS)

    given = {**PLAIN, "scheduleType": "scheduled", "scheduleAt": written}
    assert merchant.fault("POST", "/campaigns", given) == "scheduleAt"


# --- whose


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"name": "Mine now"}),
        ("DELETE", "", None),
        ("PUT", "/schedule", {"scheduleAt": "2031-01-15T10:00"}),
        ("POST", "/prepare", None),
        ("POST", "/enqueue", None),
        ("POST", "/send", None),
        ("POST", "/cancel", None),
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("POST", "/retry-failed", None),
        ("POST", "/test", {"phoneE164": "+306912345678"}),
        ("POST", "/update-status", None),
        ("POST", "/reconcile", None),
        ("GET", "/metrics", None),
        ("GET", "/status", None),
        ("GET", "/progress", None),
        ("GET", "/preview", None),
        ("GET", "/failed-recipients", None),
    ],
)
def test_another_shops_campaign_does_not_exist(
    merchant: Merchant, stranger: Merchant, method: str, path: str, body: Any
) -> None:
    campaign = merchant.a_campaign()

    assert stranger.refused(method, f"/campaigns/{campaign}{path}", body) == (404, "NOT_FOUND")
    assert stranger.refused(method, f"/campaigns/{2**63 - 1}{path}", body) == (404, "NOT_FOUND")
    assert merchant.show(campaign)["status"] == "draft"


def test_ids_that_are_no_ids_do_not_exist(merchant: Merchant) -> None:
    for odd in ("abc", "-1", "1.5", "99999999999999999999", "%00"):
        assert merchant.call("GET", f"/campaigns/{odd}").status_code == 404


def test_editing_clears_the_reason_of_the_last_refusal(merchant: Merchant) -> None:
    campaign = merchant.a_campaign()
    rewrite(merchant, campaign, last_enqueue_error="INSUFFICIENT_CREDITS: …")

    assert merchant.show(campaign)["lastEnqueueError"] == "INSUFFICIENT_CREDITS: …"
    assert merchant.data("PUT", f"/campaigns/{campaign}", {"message": "New"})["lastEnqueueError"] is None
