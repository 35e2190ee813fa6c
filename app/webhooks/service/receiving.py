"""Taking in what the carrier posts: stored once, in one statement, then answered. The work comes later."""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from app.core.queue import wake
from app.core.uow import across_shops, after_commit
from app.integrations.mitto.reports import DeliveryReport, InboundText, parse_inbound, parse_reports
from app.webhooks import queries
from app.webhooks.models import Topic

log = structlog.get_logger(__name__)
BELLS = {Topic.REPORT: "webhooks.apply_reports", Topic.REPLY: "webhooks.receive_replies"}


def receive_reports(payload: object) -> int:
    """Keep the delivery reports of a post, each once; how many it held. Never raises for what it says."""
    parsed = parse_reports(payload)
    if parsed.unreadable:
        log.warning("delivery_reports_unreadable", provider=queries.MITTO, count=parsed.unreadable)
    _store(Topic.REPORT, {report.event_key: _report(report) for report in parsed.reports})
    return len(parsed.reports)


def receive_text(payload: object) -> int:
    """Keep a text that a person sent, once; 0 when the post held none."""
    text = parse_inbound(payload)
    if text is None:
        log.warning("inbound_text_unreadable", provider=queries.MITTO)
        return 0
    _store(Topic.REPLY, {text.event_key: _text(text)})
    return 1


def _store(topic: Topic, events: Mapping[str, Mapping[str, object]]) -> None:
    if not events:
        return
    with across_shops("the carrier's posts name no shop"):
        queries.store(topic, events)
        after_commit(lambda: wake(BELLS[topic]))


def _report(report: DeliveryReport) -> dict[str, object]:
    return {
        "messageId": report.message_id,
        "status": report.status,
        "statusRaw": report.status_raw,
        "occurredAt": report.occurred_at and report.occurred_at.isoformat(),
        "reason": report.reason,
    }


def _text(text: InboundText) -> dict[str, object]:
    return {"from": text.phone_raw, "to": text.sent_to, "text": text.text}
