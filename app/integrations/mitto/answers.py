"""Reading the carrier's answers. What cannot be trusted as a whole is Ambiguous, never guessed at."""

from __future__ import annotations

import json
import re

from app.integrations.mitto.errors import Ambiguous
from app.integrations.mitto.types import (
    Accepted,
    BulkAnswer,
    DeliveryStatus,
    MittoMessage,
    Rejected,
    Unclear,
)
from app.integrations.mitto.wire import (
    REASON_MAX,
    STATUS_MAX,
    TEXT_MAX,
    JsonObject,
    as_object,
    first_id,
    first_text,
    instant,
    short_text,
    storable,
)

MESSAGE_ID = ("messageId", "id")
ERRORS = ("error", "errors")
PARTICIPANT = ("phone", "phoneNumber", "identifier", "destination", "name", "id")
MOST_PARTS = 255  # the SMS header counts the parts of a text in one byte

# The carrier's prose may quote a number or a text, so only words of ours leave this file.
REASONS = (
    (re.compile(r"block|black|opt.?out|unsubscri", re.I), "destination_blocked"),
    (re.compile(r"destination|recipient|receiver|msisdn|phone", re.I), "invalid_destination"),
    (re.compile(r"sender|originator", re.I), "invalid_sender"),
    (re.compile(r"text|content|body", re.I), "invalid_text"),
    (re.compile(r"account|balance|credit|fund", re.I), "account"),
)
ERROR_CODE = re.compile(r"[A-Za-z][A-Za-z_.-]{0,31}\d{0,4}|\d{1,5}")


def read_json(body: bytes) -> object:
    """The JSON in `body`. Raises Ambiguous: the call succeeded, but its answer says nothing."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as unreadable:
        raise Ambiguous("answer_not_json") from unreadable


def read_bulk_answer(body: bytes, expected: int) -> BulkAnswer:
    """What became of each of `expected` messages.

    The answer names no destinations: its items are matched by their place. So an answer with another number
    of items, or with one id twice, tells nothing about any message. Raises Ambiguous.
    """
    answer = as_object(read_json(body))
    items = answer.get("messages")
    if not isinstance(items, list):
        raise Ambiguous("answer_without_messages")
    if len(items) != expected:
        raise Ambiguous("answer_count")
    results = tuple(_result(as_object(item)) for item in items)
    ids = [result.message_id for result in results if isinstance(result, Accepted)]
    if len(set(ids)) != len(ids):
        raise Ambiguous("answer_duplicate_ids")
    return BulkAnswer(first_id(answer, ("bulkId",)), results)


def read_message(body: bytes, message_id: str) -> MittoMessage:
    """The message that was asked for. Raises Ambiguous when the answer is about something else."""
    answer = as_object(read_json(body))
    found_id = first_id(answer, MESSAGE_ID)
    if found_id is None or found_id.upper() != message_id.upper():
        raise Ambiguous("answer_for_another_message")
    status = first_text(answer, ("deliveryStatus",), STATUS_MAX) or ""
    return MittoMessage(
        message_id=message_id,
        text=_text(answer),
        participants=_participants(as_object(answer.get("conversation"))),
        delivery_status=status,
        status=DeliveryStatus.read(status),
        parts=_parts(answer.get("messageParts")),
        description=first_text(answer, ("description",), REASON_MAX),
        updated_at=instant(answer.get("updatedAt")),
    )


def _result(item: JsonObject) -> Accepted | Rejected | Unclear:
    # An id wins over an error: with an id the carrier has the message, and its report will tell the rest.
    message_id = first_id(item, MESSAGE_ID)
    if message_id:
        return Accepted(message_id)
    error = next((item[name] for name in ERRORS if item.get(name)), None)
    return Unclear() if error is None else Rejected(_reason(error))


def _reason(error: object) -> str:
    if isinstance(error, list):
        error = error[0]
    said = as_object(error)
    prose = short_text(error, REASON_MAX) or first_text(said, ("message", "title", "description"), REASON_MAX)
    code = first_text(said, ("code", "errorCode"), REASON_MAX)
    word = next((word for seen, word in REASONS if seen.search(f"{prose} {code}")), "rejected")
    return f"{word}:{code}" if code and ERROR_CODE.fullmatch(code) else word


def _text(answer: JsonObject) -> str:
    asked = as_object(as_object(answer.get("requestInfo")).get("sms"))
    for text in (answer.get("text"), asked.get("text")):
        if isinstance(text, str):
            return storable(text, TEXT_MAX)
    return ""


def _participants(conversation: JsonObject) -> tuple[str, ...]:
    # The shape of one is not documented: a plain string, or an object with the number in some member.
    listed = conversation.get("participants")
    named = (
        short_text(one, REASON_MAX) or first_text(as_object(one), PARTICIPANT, REASON_MAX)
        for one in (listed if isinstance(listed, list) else ())
    )
    return tuple(name for name in named if name)


def _parts(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return min(max(value, 1), MOST_PARTS)
    return 1  # null means one
