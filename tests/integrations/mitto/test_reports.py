"""Reports and inbound texts in every spelling that has been seen."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.integrations.mitto.reports import (
    EVENT_ID,
    FROM,
    MESSAGE_ID,
    REASON,
    STATUS,
    TEXT,
    TIME,
    TO,
    DeliveryReport,
    InboundText,
    parse_inbound,
    parse_reports,
)
from app.integrations.mitto.types import DeliveryStatus

ULID = "01KC69MT19BRK5MSXG1V95YPHX"


def only_report(payload: object) -> DeliveryReport:
    reports, unreadable = parse_reports(payload)
    assert unreadable == 0
    (report,) = reports
    return report


def test_a_report_as_mitto_sends_it_is_read() -> None:
    report = only_report(
        {
            "messageId": ULID,
            "deliveryStatus": "Failure",
            "updatedAt": "2025-10-29T16:08:17.7854674Z",
            "description": "Unknown subscriber",
        }
    )

    assert report == DeliveryReport(
        message_id=ULID,
        status=DeliveryStatus.FAILED,
        status_raw="Failure",
        occurred_at=datetime(2025, 10, 29, 16, 8, 17, 785467, UTC),
        reason="Unknown subscriber",
        event_key=f"{ULID}:failure",
    )


@pytest.mark.parametrize("id_name", ["messageId", "message_id", "id", "MessageId"])
@pytest.mark.parametrize(
    "status_name", ["deliveryStatus", "status", "Status", "dlr_status", "delivery_status"]
)
@pytest.mark.parametrize("time_name", ["updatedAt", "doneAt", "timestamp", "Timestamp", "createdAt"])
@pytest.mark.parametrize("reason_name", ["error", "Error", "description", "errorMessage", "errorcode"])
def test_every_known_spelling_of_a_report_is_read(
    id_name: str, status_name: str, time_name: str, reason_name: str
) -> None:
    report = only_report(
        {
            id_name: ULID,
            status_name: "Delivered",
            time_name: "2025-10-29T16:08:17+02:00",
            reason_name: "why",
        }
    )

    assert (report.message_id, report.status, report.reason) == (ULID, "delivered", "why")
    assert report.occurred_at == datetime(2025, 10, 29, 14, 8, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        *[(word, "delivered") for word in ("Delivered", "DELIVRD", "completed", "ok", " delivered ")],
        *[(word, "failed") for word in ("Failure", "failed", "undelivered", "EXPIRED", "rejected", "error")],
        *[(word, "sent") for word in ("Sent", "queued", "accepted", "submitted", "enroute")],
        *[(word, "unknown") for word in ("Pending", "Read", "Παραδόθηκε", "7")],
    ],
)
def test_a_status_word_has_one_meaning_in_any_case(word: str, status: str) -> None:
    report = only_report({"id": ULID, "status": word})

    assert report.status == DeliveryStatus(status)
    assert report.status_raw == word.strip()
    assert report.event_key == f"{ULID}:{word.strip().lower()}"


def test_an_array_is_read_in_its_order_and_what_is_no_report_is_counted() -> None:
    reports, unreadable = parse_reports(
        [
            {"messageId": "a", "status": "Sent"},
            {"messageId": "b"},
            {"status": "Sent"},
            None,
            "Delivered",
            [{"messageId": "c", "status": "Sent"}],
            {"messageId": "d" * 65, "status": "Sent"},
            {"messageId": True, "status": "Sent"},
            {"messageId": 17, "status": "Delivered"},
        ]
    )

    assert [(report.message_id, report.status) for report in reports] == [("a", "sent"), ("17", "delivered")]
    assert unreadable == 7


@pytest.mark.parametrize("payload", [None, {}, 3, "text", True, 1.5])
def test_a_payload_that_is_no_report_at_all_counts_as_one(payload: object) -> None:
    assert parse_reports(payload) == ([], 1)


def test_an_empty_array_has_no_reports() -> None:
    assert parse_reports([]) == ([], 0)


@pytest.mark.parametrize(
    "written", [None, "", "yesterday", 1730000000, "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]
)
def test_a_time_that_is_missing_or_unreadable_is_none(written: object) -> None:
    assert only_report({"id": ULID, "status": "Sent", "updatedAt": written}).occurred_at is None


def test_a_time_without_a_zone_is_utc_and_the_first_readable_one_counts() -> None:
    report = only_report(
        {"id": ULID, "status": "Sent", "updatedAt": "soon", "timestamp": "2025-10-29 16:08:17"}
    )

    assert report.occurred_at == datetime(2025, 10, 29, 16, 8, 17, tzinfo=UTC)


def test_texts_are_cut_and_hold_nothing_that_the_database_refuses() -> None:
    report = only_report(
        {"id": f"\0{ULID} ", "status": "s\0ent" + "!" * 100, "description": "x\0\ud800" * 500}
    )

    assert report.message_id == ULID
    assert report.status_raw == "sent" + "!" * 35
    assert report.reason is not None
    assert len(report.reason) <= 200
    assert set(report.reason) == {"x", "?"}


@pytest.mark.parametrize(
    ("members", "reason"),
    [({"error": {"message": "No route", "code": 5}}, "No route"), ({"errorcode": "0"}, None), ({}, None)],
)
def test_a_reason_may_be_an_object_or_missing(members: dict[str, object], reason: str | None) -> None:
    assert only_report({"id": ULID, "status": "Failure", **members}).reason == reason


# --- texts from phones


@pytest.mark.parametrize("phone_name", ["from", "msisdn", "sender"])
@pytest.mark.parametrize("text_name", ["text", "message"])
def test_a_text_from_a_phone_is_read(phone_name: str, text_name: str) -> None:
    text = parse_inbound(
        {phone_name: "00306984303406", text_name: " STOP ", "to": "MyShop", "messageId": ULID}
    )

    assert text == InboundText("00306984303406", "STOP", "MyShop", f"inbound:{ULID}")


@pytest.mark.parametrize(
    "payload",
    [
        None,
        [],
        {},
        {"from": "+30698"},
        {"text": "STOP"},
        {"from": "", "text": "STOP"},
        {"from": {}, "text": "x"},
    ],
)
def test_a_payload_without_number_or_text_is_no_text(payload: object) -> None:
    assert parse_inbound(payload) is None


def test_a_number_may_be_written_as_a_number_and_the_text_may_stand_in_an_array() -> None:
    text = parse_inbound([{"msisdn": 306984303406, "message": "στοπ"}])

    assert text is not None
    assert (text.phone_raw, text.text, text.sent_to) == ("306984303406", "στοπ", None)


def test_without_an_event_id_the_time_tells_a_copy_from_a_second_text() -> None:
    first = {"from": "+306984303406", "text": "STOP", "timestamp": "2025-10-29T16:08:17Z"}
    later = first | {"timestamp": "2025-10-29T16:09:17Z"}

    key, copy, second = (parse_inbound(payload) for payload in (first, dict(first), later))

    assert key == copy
    assert key is not None
    assert second is not None
    assert key.event_key != second.event_key


def test_without_an_event_id_and_a_time_every_text_counts_as_new() -> None:
    payload = {"from": "+306984303406", "text": "STOP"}

    one, two = parse_inbound(payload), parse_inbound(payload)

    assert one is not None
    assert two is not None
    assert one.event_key != two.event_key


# --- anything at all

any_text = st.text(st.characters(codec=None), max_size=60)
names = st.sampled_from(
    [*MESSAGE_ID, *STATUS, *TIME, *REASON, *FROM, *TO, *TEXT, *EVENT_ID]  # so that some are nearly right
)
times = st.datetimes().map(datetime.isoformat)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text | times,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | any_text, inner, max_size=6),
    max_leaves=25,
)


@settings(max_examples=1000, deadline=None)
@given(any_json)
def test_whatever_is_posted_is_read_or_counted(payload: object) -> None:
    reports, unreadable = parse_reports(payload)

    assert len(reports) + unreadable == (len(payload) if isinstance(payload, list) else 1)
    for report in reports:
        assert storable(report.message_id, 64)
        assert storable(report.status_raw, 40)
        assert report.reason is None or storable(report.reason, 200)
        assert report.occurred_at is None or report.occurred_at.tzinfo is UTC


@settings(max_examples=1000, deadline=None)
@given(any_json)
def test_whatever_is_posted_is_a_text_or_not(payload: object) -> None:
    text = parse_inbound(payload)

    if text is not None:
        assert storable(text.phone_raw, 64)
        assert storable(text.text, 4000)
        assert storable(text.event_key, 128)


def storable(text: str, longest: int) -> bool:
    """Would PostgreSQL take it?"""
    return 0 < len(text) <= longest and "\0" not in text and bool(text.encode())
