"""What the import of a shop's customers shows."""

from __future__ import annotations

from app.core.http import Schema, fields


class CustomerImportSchema(Schema):
    """`progress` is the percentage of the file; the counts are those of the customers that are in."""

    id = fields.Id()
    status = fields.String(metadata={"description": "waiting, exporting, running, completed or failed"})
    progress = fields.Integer()
    expected = fields.Integer(attribute="expected_rows", metadata={"description": "customers in the file"})
    total = fields.Integer(attribute="done_rows")
    created = fields.Integer()
    updated = fields.Integer()
    skipped = fields.Integer(metadata={"description": "customers without a number that can receive texts"})
    unreadable = fields.Integer()
    emails_taken = fields.Integer(data_key="emailsTaken")
    opt_outs_kept = fields.Integer(data_key="optOutsKept")
    failure = fields.String(allow_none=True)
    created_at = fields.Instant(data_key="createdAt")
    started_at = fields.Instant(data_key="startedAt", allow_none=True)
    finished_at = fields.Instant(data_key="finishedAt", allow_none=True)
