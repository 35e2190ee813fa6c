"""The base schema and the fields of our own."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import marshmallow as ma

MAX_ID = 2**63 - 1
ID = re.compile(r"[0-9]{1,19}")


class Schema(ma.Schema):
    """Unknown keys are ignored: both clients send some. Keys come out in declaration order."""

    class Meta:
        unknown = ma.EXCLUDE


class Id(ma.fields.Field[int]):
    """An object's id: a bigint inside, an opaque string outside."""

    default_error_messages = {"invalid": "Not a valid id."}  # noqa: RUF012 (marshmallow declares it so)

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if not isinstance(value, str) or not ID.fullmatch(value) or int(value) > MAX_ID:
            raise self.make_error("invalid")
        return int(value)


class Instant(ma.fields.AwareDateTime):
    """An instant: aware UTC inside, ISO-8601 with milliseconds and Z outside."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", default_timezone=UTC, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        """In UTC, because Postgres refuses offsets that ISO-8601 allows."""
        try:
            return super()._deserialize(value, attr, data, **kwargs).astimezone(UTC)
        except OverflowError as before_year_one_or_after_9999:
            raise self.make_error(
                "invalid", input=value, obj_type=self.OBJ_TYPE
            ) from before_year_one_or_after_9999

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else instant(value)


def instant(moment: datetime) -> str:
    """`moment` as both clients read it: 2026-01-20T10:00:00.000Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
