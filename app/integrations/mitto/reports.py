"""What the carrier posts to us: delivery reports and texts from phones.

The exact schema is not published, so the reader knows every spelling that has been seen and never raises.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from app.integrations.mitto.types import DeliveryStatus
from app.integrations.mitto.wire import (
    ID_MAX,
    REASON_MAX,
    STATUS_MAX,
    TEXT_MAX,
    JsonObject,
    as_object,
    first_id,
    first_text,
    instant,
)

MESSAGE_ID = ("messageId", "message_id", "id", "MessageId")
STATUS = ("deliveryStatus", "status", "Status", "dlr_status", "delivery_status")
TIME = ("updatedAt", "doneAt", "timestamp", "Timestamp", "createdAt")
REASON = ("error", "Error", "description", "errorMessage", "errorcode")
FROM = ("from", "msisdn", "sender")
TO = ("to", "destination", "recipient", "receiver")
TEXT = ("text", "message")
EVENT_ID = ("eventId", "event_id", "EventId", "eventID", *MESSAGE_ID)


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One change of one message's fate. `event_key` is the same for every copy of the same report.

    `reason` is the carrier's prose: it may quote a phone number, so it is neither logged nor shown.
    """

    message_id: str
    status: DeliveryStatus
    status_raw: str
    occurred_at: datetime | None
    reason: str | None
    event_key: str


class ParsedReports(NamedTuple):
    """The reports of one post, in its order, and how many of its items were none."""

    reports: list[DeliveryReport]
    unreadable: int


@dataclass(frozen=True, slots=True)
class InboundText:
    """A text that somebody wrote on a phone. `phone_raw` and `sent_to` are as the carrier spells them."""

    phone_raw: str
    text: str
    sent_to: str | None
    event_key: str


def parse_reports(payload: object) -> ParsedReports:
    """Read one report or an array of them. Never raises: what cannot be read is counted."""
    items = payload if isinstance(payload, list) else [payload]
    reports = [report for item in items if (report := _report(as_object(item)))]
    return ParsedReports(reports, len(items) - len(reports))


def parse_inbound(payload: object) -> InboundText | None:
    """Read one text from a phone; None if there is no number or no text. Never raises."""
    if isinstance(payload, list) and len(payload) == 1:
        payload = payload[0]
    item = as_object(payload)
    phone, text = first_text(item, FROM, ID_MAX), first_text(item, TEXT, TEXT_MAX)
    if phone is None or text is None:
        return None
    return InboundText(phone, text, first_text(item, TO, ID_MAX), _inbound_key(item, phone, text))


def _report(item: JsonObject) -> DeliveryReport | None:
    message_id = first_id(item, MESSAGE_ID)
    status = first_text(item, STATUS, STATUS_MAX)
    if message_id is None or status is None:
        return None
    return DeliveryReport(
        message_id=message_id,
        status=DeliveryStatus.read(status),
        status_raw=status,
        occurred_at=_time(item),
        reason=_reason(item),
        event_key=f"{message_id}:{status.lower()}",
    )


def _time(item: JsonObject) -> datetime | None:
    return next((moment for name in TIME if (moment := instant(item.get(name)))), None)


def _reason(item: JsonObject) -> str | None:
    reason = first_text(item, REASON, REASON_MAX) or first_text(
        as_object(item.get("error")), ("message", "description", "code"), REASON_MAX
    )
    return None if reason == "0" else reason  # error code 0: no error


def _inbound_key(item: JsonObject, phone: str, text: str) -> str:
    event_id = first_id(item, EVENT_ID)
    if event_id:
        return f"inbound:{event_id}"
    moment = _time(item)
    if moment is None:
        # A copy cannot be told from a second text. Reading STOP twice is harmless; missing one is not.
        return f"inbound:{uuid.uuid4().hex}"
    facts = "\n".join((phone, moment.isoformat(), text))
    return f"inbound:{hashlib.sha256(facts.encode()).hexdigest()}"
