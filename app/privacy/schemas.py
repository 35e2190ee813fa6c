"""Requests about people's data over HTTP."""

from __future__ import annotations

from app.core.http import Schema, fields


class PrivacyRequestSchema(Schema):
    """`counts` are rows by table: the proof of what was done."""

    id = fields.Id()
    kind = fields.String()
    status = fields.String()
    reason = fields.String(allow_none=True)
    received_at = fields.Instant(data_key="receivedAt")
    fetched_at = fields.Instant(data_key="fetchedAt", allow_none=True)
    done_at = fields.Instant(data_key="doneAt", allow_none=True)
    counts = fields.Dict(keys=fields.String(), values=fields.Integer())


class ExportSchema(Schema):
    """All that is kept of one person: rows as they stand."""

    request_id = fields.String(data_key="requestId", attribute="requestId")
    received_at = fields.Instant(data_key="receivedAt", attribute="receivedAt")
    made_at = fields.Instant(data_key="madeAt", attribute="madeAt")
    contacts = fields.List(fields.Dict())
    consent_events = fields.List(fields.Dict(), data_key="consentEvents", attribute="consentEvents")
    suppressions = fields.List(fields.Dict())
    messages = fields.List(fields.Dict())
    clicks = fields.List(fields.Dict())
    replies = fields.List(fields.Dict())
    orders = fields.List(fields.Dict())
    checkouts = fields.List(fields.Dict())
    opt_in_confirmations = fields.List(
        fields.Dict(), data_key="optInConfirmations", attribute="optInConfirmations"
    )
