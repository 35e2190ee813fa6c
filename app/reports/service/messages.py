"""A single message as reports and trackers show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from app.messaging.states import MessageState as S
from app.messaging.states import Source

STATUS = {
    S.PENDING: "queued",
    S.CLAIMED: "queued",
    S.UNKNOWN: "queued",
    S.SENT: "sent",
    S.DELIVERED: "delivered",
    S.UNDELIVERED: "failed",
    S.FAILED: "failed",
    S.NOT_SENT: "failed",
    S.SKIPPED: "cancelled",
}
# In the carrier's words; None before it has accepted the message.
DELIVERY_STATUS = {S.SENT: "Sent", S.DELIVERED: "Delivered", S.UNDELIVERED: "Failure"}


@dataclass(frozen=True)
class ShownMessage:
    """A message that was read, and the campaign (name, status) it belongs to, if it does."""

    row: Row[Any]
    campaign: dict[str, str] | None = None
    warning: str | None = None

    @property
    def status(self) -> str:
        return STATUS[S(self.row.state)]

    @property
    def delivery_status(self) -> str | None:
        return DELIVERY_STATUS.get(S(self.row.state))

    @property
    def message_id(self) -> str:
        """The carrier's id; ours while there is none."""
        return str(self.row.provider_message_id or self.row.id)

    @property
    def campaign_id(self) -> int | None:
        return self.row.source_id if self.row.source == Source.CAMPAIGN else None

    @property
    def payload(self) -> dict[str, Any]:
        return {
            "source": self.row.source,
            "campaignId": str(self.campaign_id) if self.campaign_id else None,
            "parts": self.row.parts,
            "error": self.row.failure,
        }
