"""What the ledger's routes take and give."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.billing.proof.exporting import Period
from app.billing.proof.listing import LedgerFilter
from app.core.http import Schema, fields
from app.credits.proof.reading import KINDS

KIND = {"enum": list(KINDS)}
PAGE_SIZE = 50


class LedgerQuery(Schema):
    kind = fields.String(validate=ma.validate.OneOf(KINDS))
    run_id = fields.Id(data_key="runId")
    campaign_id = fields.Id(data_key="campaignId")
    starts_at = fields.Instant(data_key="from")
    ends_at = fields.Instant(data_key="to", metadata={"description": "exclusive"})
    cursor = fields.String(
        load_default=None,
        validate=ma.validate.Length(max=1000),
        metadata={"description": "`nextCursor` of the page before"},
    )
    page_size = fields.Integer(
        data_key="pageSize", load_default=PAGE_SIZE, validate=ma.validate.Range(1, 100)
    )

    @ma.post_load
    def gather(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        wanted = {name: query.pop(name) for name in list(query) if name in LedgerFilter.__annotations__}
        return {**query, "wanted": LedgerFilter(**wanted)}


class PeriodQuery(Schema):
    starts_at = fields.Instant(data_key="from", load_default=None)
    ends_at = fields.Instant(
        data_key="to", load_default=None, metadata={"description": "exclusive; whole seals are told"}
    )

    @ma.post_load
    def gather(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"period": Period(**query)}


class PositionSchema(Schema):
    """Where a transfer stands in the proof; both are null until it is sealed, at least once a day."""

    seal = fields.Integer(allow_none=True, metadata={"example": 12})
    hash = fields.String(allow_none=True, metadata={"description": "of that seal"})


class LedgerEntrySchema(Schema):
    id = fields.Id()
    kind = fields.String(metadata=KIND)
    amount = fields.Integer(metadata={"description": "credits"})
    source = fields.String(data_key="from", metadata={"example": "held"})
    target = fields.String(data_key="to", metadata={"example": "spent"})
    from_balance_after = fields.Integer(data_key="fromBalanceAfter")
    to_balance_after = fields.Integer(data_key="toBalanceAfter")
    key = fields.String(metadata={"example": "attempt:7:capture"})
    key_kind = fields.String(data_key="keyKind", metadata={"example": "attempt"})
    reason = fields.String(allow_none=True)
    run_id = fields.Id(data_key="runId", allow_none=True)
    message_id = fields.Id(data_key="messageId", allow_none=True)
    message_state = fields.String(data_key="messageState", allow_none=True)
    provider_message_id = fields.String(data_key="providerMessageId", allow_none=True)
    event_at = fields.Instant(data_key="eventAt")
    created_at = fields.Instant(data_key="createdAt")
    position = fields.Nested(PositionSchema, attribute="seal", data_key="chain")


class LedgerPageSchema(Schema):
    items = fields.List(fields.Nested(LedgerEntrySchema))
    transfers = fields.List(fields.Nested(LedgerEntrySchema), attribute="items", dump_only=True)
    page_size = fields.Integer(data_key="pageSize")
    next_cursor = fields.String(
        data_key="nextCursor", allow_none=True, metadata={"description": "null on the last page"}
    )


class PublicKeySchema(Schema):
    algorithm = fields.String(metadata={"example": "Ed25519"})
    key_id = fields.String(data_key="keyId")
    public_key = fields.String(data_key="publicKey", metadata={"description": "32 bytes in url-safe base64"})
