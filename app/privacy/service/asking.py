"""What a merchant sees of the requests about their customers, and what they hand to a customer who asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from app.core.activity import record
from app.core.clock import now
from app.core.http.schema import instant
from app.core.uow import require_unit_of_work, unit_of_work
from app.messaging.text.template import compile_template
from app.privacy import queries
from app.privacy.errors import NothingToExport, RequestNotFound
from app.privacy.models import Kind, PrivacyRequest
from app.privacy.service.subjects import subject_of

SHOWN = 200


def requests_of(shop_id: int) -> Sequence[PrivacyRequest]:
    """The shop's newest requests."""
    wanted = select(PrivacyRequest).where(PrivacyRequest.shop_id == shop_id)
    with unit_of_work(shop_id) as session:
        return session.scalars(wanted.order_by(PrivacyRequest.id.desc()).limit(SHOWN)).all()


def export(shop_id: int, request_id: int) -> dict[str, Any]:
    """Everything that is kept of the person who asked, as it is now; the request counts as done with that.

    Raises RequestNotFound, and NothingToExport when nobody is named (any more).
    """
    with unit_of_work(shop_id) as session:
        request = session.scalar(
            select(PrivacyRequest).where(PrivacyRequest.shop_id == shop_id, PrivacyRequest.id == request_id)
        )
        if request is None:
            raise RequestNotFound
        subject = subject_of(shop_id, request.inbox_id)
        if request.kind != Kind.DATA_REQUEST or subject is None:
            raise NothingToExport
        values = subject.values(shop_id, request.inbox_id)
        kept = {name: _rows(name, values) for name in queries.EXPORT}
        session.execute(queries.FETCHED, {"shop_id": shop_id, "id": request_id, "at": now()})
        record(shop_id, "privacy.exported", "privacy_request", request_id)
    return {"requestId": str(request_id), "receivedAt": request.received_at, "madeAt": now(), **kept}


def _rows(name: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [dict(row) for row in require_unit_of_work().execute(queries.EXPORT[name], values).mappings()]
    told = [_with_text(row) for row in rows] if name == "messages" else rows
    return [{key: _written(key, value) for key, value in row.items()} for row in told]


def _written(key: str, value: object) -> object:
    """As JSON has it: instants and days as text, ids as opaque strings."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if key in {"id", "message_id"} else value


def _with_text(row: dict[str, Any]) -> dict[str, Any]:
    """A message as it was sent, but for the links' own tokens."""
    wording, first_name, last_name = row.pop("wording"), row.pop("first_name"), row.pop("last_name")
    merge = row.pop("merge") or {}
    filled = compile_template(wording).render({"firstName": first_name, "lastName": last_name, **merge})
    return {**row, "text": filled}
