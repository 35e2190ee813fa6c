"""The audit log: who did what to which object, from where. Rows are only ever added.

A change and its record commit together or not at all, so the log has no gaps and no ghosts. It names people,
phones and texts nowhere: an entry points at rows by id.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database import Model
from app.core.uow import require_unit_of_work

Fact = int | bool | str | None | list[str]
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,63}", re.ASCII)
KEPT_BITS = {4: 24, 6: 48}  # what is left of an address names a network, not a person


class ActorKind(StrEnum):
    """A signed-in merchant, one of the shop's own systems, our background work, or our staff."""

    USER = "user"
    API_KEY = "api_key"
    SYSTEM = "system"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Actor:
    """Who acts, and from where. `id` is the API key's; a merchant's token names the shop, not a person."""

    kind: ActorKind
    id: int | None = None
    request_id: str | None = None
    network: str | None = None


SYSTEM = Actor(ActorKind.SYSTEM)
OPERATOR = Actor(ActorKind.OPERATOR)
_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


class Activity(Model):
    """One thing that was done in a shop."""

    __tablename__ = "activity"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    shop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("shops.id"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    actor_kind: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    action: Mapped[str] = mapped_column(Text)  # 'campaign.enqueued'
    object_kind: Mapped[str] = mapped_column(Text)
    object_id: Mapped[int | None] = mapped_column(BigInteger)  # None: many at once, or what has no id
    request_id: Mapped[str | None] = mapped_column(Text)
    network: Mapped[str | None] = mapped_column(Text)  # '203.0.113.0/24'
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    __table_args__ = (
        CheckConstraint("actor_kind IN ('user', 'api_key', 'system', 'operator')", name="actor_kind"),
        Index("ix_activity_shop_id_at", "shop_id", text("at DESC"), text("id DESC")),
        Index("ix_activity_object", "shop_id", "object_kind", "object_id", text("at DESC"), text("id DESC")),
    )


def act_as(actor: Actor) -> None:
    """Let `actor` be who acts from here on in this thread."""
    _actor.set(actor)


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Let `actor` be who acts for a while."""
    before = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(before)


def record(
    shop_id: int, action: str, object_kind: str, object_id: int | None = None, **details: Fact
) -> None:
    """Write into the log that the current actor did `action`. A step: commits with the change.

    `details` are counts, flags and our own words (states, column names), never what a person typed: anything
    that does not look like a word of ours raises ValueError.
    """
    for name, value in details.items():
        words = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        if not all(WORD.fullmatch(word) for word in words):
            raise ValueError(f"the activity log takes no free text: {name}")
    actor = _actor.get()
    require_unit_of_work().add(
        Activity(
            shop_id=shop_id,
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            object_kind=object_kind,
            object_id=object_id,
            request_id=actor.request_id,
            network=actor.network,
            details=details,
        )
    )


def network_of(address: str | None) -> str | None:
    """The network an address is in, /24 or /48; None for what is no address (a socket's name, a test)."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network((found.packed, KEPT_BITS[found.version]), strict=False))
