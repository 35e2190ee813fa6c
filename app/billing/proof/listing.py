"""The ledger page by page, each credit with where it went and where it stands in the proof."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.billing.proof import queries
from app.core.errors import ValidationFailed
from app.core.uow import unit_of_work
from app.credits.proof import reading
from app.credits.proof.reading import MAX_ID, TransferFilter


@dataclass(frozen=True)
class LedgerFilter:
    """Which transfers are wanted. `ends_at` is exclusive."""

    kind: str | None = None
    run_id: int | None = None
    campaign_id: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """A transfer as it is shown. `message` is what is known of the one message that it is about."""

    row: Row[Any]
    message: Row[Any] | None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)

    @property
    def key_kind(self) -> str:
        """What posted it: the first word of its key."""
        return str(self.row.key).partition(":")[0]

    @property
    def seal(self) -> dict[str, Any]:
        return {"seal": self.row.seal_number, "hash": self.row.seal_hash}

    @property
    def provider_message_id(self) -> str | None:
        return self.message.provider_message_id if self.message else None

    @property
    def message_state(self) -> str | None:
        return self.message.state if self.message else None


@dataclass(frozen=True)
class LedgerPage:
    """Entries, the newest first, and the cursor to those after them (None: there are none)."""

    items: Sequence[Entry]
    next_cursor: str | None
    page_size: int


def list_transfers(shop_id: int, wanted: LedgerFilter, *, cursor: str | None, page_size: int) -> LedgerPage:
    """A page of the shop's transfers. Raises ValidationFailed for a cursor of another list."""
    before = _read(cursor, wanted) if cursor else None
    with unit_of_work(shop_id):
        filters = TransferFilter(wanted.kind, _runs(shop_id, wanted), wanted.starts_at, wanted.ends_at)
        rows = reading.newest_transfers(shop_id, filters, before=before, most=page_size + 1)
        shown = rows[:page_size]
        ids = sorted({row.message_id for row in shown if row.message_id is not None})
        messages = queries.carriers_ids(shop_id, ids) if ids else {}
    more = _write(shown[-1].id, wanted) if len(rows) > page_size else None
    return LedgerPage([Entry(row, messages.get(row.message_id)) for row in shown], more, page_size)


def _runs(shop_id: int, wanted: LedgerFilter) -> Sequence[int] | None:
    """The runs that are asked for; None when it is not asked for any."""
    if wanted.campaign_id is None:
        return None if wanted.run_id is None else [wanted.run_id]
    runs = queries.runs_of_campaign(shop_id, wanted.campaign_id)
    return [run for run in runs if wanted.run_id in (None, run)]


def _write(last_id: int, wanted: LedgerFilter) -> str:
    content = json.dumps([_list_of(wanted), last_id]).encode()
    return urlsafe_b64encode(content).decode().rstrip("=")


def _read(given: str, wanted: LedgerFilter) -> int:
    try:
        padded = given.encode("ascii") + b"=" * (-len(given) % 4)
        belongs_to, last_id = json.loads(urlsafe_b64decode(padded))
        if type(last_id) is not int or not 0 < last_id <= MAX_ID:
            raise ValueError(given)
    except (ValueError, TypeError, RecursionError):
        raise ValidationFailed("cursor", "is not a cursor that this list has given") from None
    if belongs_to != _list_of(wanted):
        raise ValidationFailed("cursor", "belongs to a list with other filters")
    return last_id


def _list_of(wanted: LedgerFilter) -> str:
    return hashlib.sha256(repr(wanted).encode()).hexdigest()[:12]
