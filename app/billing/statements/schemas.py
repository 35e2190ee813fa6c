"""The list of statements."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from app.billing.statements.months import NAME, Month
from app.core.http import Schema, fields


class MonthQuery(Schema):
    """`month`: only this one."""

    month = fields.String(
        load_default=None, validate=ma.validate.Regexp(f"^{NAME.pattern}$", error="must look like 2026-11")
    )


class MonthSchema(Schema):
    """`isComplete`: nothing more is counted in it."""

    month = fields.String()
    starts_at = fields.Instant(data_key="startsAt")
    ends_at = fields.Instant(data_key="endsAt")
    is_complete = fields.Boolean(data_key="isComplete")
    csv_url = fields.String(data_key="csvUrl")
    pdf_url = fields.String(data_key="pdfUrl")

    @ma.pre_dump
    def with_addresses(self, month: Month, **_: Any) -> dict[str, Any]:
        return {
            "month": month.name,
            "starts_at": month.starts_at,
            "ends_at": month.ends_at,
            "is_complete": month.is_complete,
            "csv_url": f"/billing/statements/{month.name}.csv",
            "pdf_url": f"/billing/statements/{month.name}.pdf",
        }


class StatementsSchema(Schema):
    statements = fields.List(fields.Nested(MonthSchema))
