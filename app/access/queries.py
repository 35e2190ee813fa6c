"""Reading the activity log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select, tuple_

from app.core.activity import Activity
from app.core.uow import require_unit_of_work


@dataclass(frozen=True)
class ActivityFilter:
    """Which entries are wanted; None does not narrow. `first_at` is included, `last_at` is not."""

    action: str | None = None
    object_kind: str | None = None
    object_id: int | None = None
    actor_kind: str | None = None
    actor_id: int | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None


EQUAL = ("action", "object_kind", "object_id", "actor_kind", "actor_id")


def matching(shop_id: int, wanted: ActivityFilter) -> Select[Activity]:
    """The wanted entries of the shop, in no order."""
    found = select(Activity).where(Activity.shop_id == shop_id)
    for name in EQUAL:
        value = getattr(wanted, name)
        if value is not None:
            found = found.where(getattr(Activity, name) == value)
    if wanted.first_at is not None:
        found = found.where(Activity.at >= wanted.first_at)
    if wanted.last_at is not None:
        found = found.where(Activity.at < wanted.last_at)
    return found


def newest(
    found: Select[Activity], most: int, *, skip: int = 0, before: Activity | None = None
) -> Sequence[Activity]:
    """At most `most` of them, the newest first; those `before` an entry when one is given. A step."""
    if before is not None:
        found = found.where(tuple_(Activity.at, Activity.id) < (before.at, before.id))
    ordered = found.order_by(Activity.at.desc(), Activity.id.desc())
    return require_unit_of_work().scalars(ordered.limit(most).offset(skip)).all()


def count(found: Select[Activity]) -> int:
    """How many there are. A step."""
    return require_unit_of_work().scalar(select(func.count()).select_from(found.subquery())) or 0
