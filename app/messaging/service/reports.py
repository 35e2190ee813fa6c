"""What the carrier reports afterwards: final states, refunds, and messages found again."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from app.core.cache import changed
from app.core.settings import settings
from app.core.uow import require_unit_of_work
from app.credits import service as credits
from app.credits.service import SpentMessage
from app.messaging import queries
from app.messaging.link_tokens import TOKEN_LENGTH, read_token
from app.messaging.models import Run
from app.messaging.service.sending import tell_when_drained
from app.messaging.states import MessageState

TOKEN_IN_TEXT = re.compile(rf"/r/([A-Za-z0-9_-]{{{TOKEN_LENGTH}}})")


@dataclass(frozen=True)
class ReportRow:
    """One report. `status` is sent, delivered, failed or unknown; `reason` a short word of the carrier's."""

    provider_message_id: str
    status: str
    reason: str | None = None


def record_reports(reports: Sequence[ReportRow]) -> set[str]:
    """Apply reports to the messages they name, money included; the ids that no message has. A step across
    shops.

    A final state is reached once and never left, so doubled, late and reordered reports change nothing.
    """
    if not reports:
        return set()
    rows = (
        require_unit_of_work()
        .execute(
            queries.APPLY_REPORTS,
            {
                "provider_ids": [report.provider_message_id for report in reports],
                "statuses": [report.status for report in reports],
                "reasons": [report.reason for report in reports],
            },
        )
        .all()
    )
    failed: dict[tuple[int, int], list[SpentMessage]] = defaultdict(list)
    for row in rows:
        if row.state == MessageState.UNDELIVERED:
            failed[row.shop_id, row.run_id].append(SpentMessage(row.id, row.parts))
    if settings().refund_undelivered:
        for (shop_id, run_id), messages in sorted(failed.items()):
            credits.refund_messages(shop_id, run_id, messages)
    for shop_id in {row.shop_id for row in rows}:
        changed(shop_id, "figures")
    return {report.provider_message_id for report in reports} - {row.provider_message_id for row in rows}


def resolve_orphan(provider_message_id: str, text: str) -> bool:
    """Find the message whose link token stands in `text` and record that it was accepted. A step across
    shops.

    True when the message now carries this provider id. Spends its held credits, once per message.
    """
    session = require_unit_of_work()
    for token in TOKEN_IN_TEXT.findall(text):
        link = read_token(token, *settings().link_secrets)
        if link is None:
            continue
        found = {"id": link.message_id, "provider_id": provider_message_id}
        moved = session.execute(queries.RESOLVE_AS_SENT, found).one_or_none()
        if moved is None:
            return session.scalar(queries.HAS_PROVIDER_ID, found) is not None
        credits.capture_messages(moved.shop_id, moved.run_id, [SpentMessage(moved.id, moved.parts)])
        tell_when_drained(session.get_one(Run, moved.run_id))
        return True
    return False
