"""An event of Stripe, after its signature was verified."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class StripeEvent:
    """`object` is a snapshot of the moment of the event; what can change since must be read again."""

    id: str
    type: str
    created: datetime
    object: dict[str, Any]
    api_version: str | None = None
    livemode: bool = False
    previous: dict[str, Any] = field(default_factory=dict)

    @property
    def object_id(self) -> str:
        """Stripe's id of the object, empty where it has none."""
        return str(self.object.get("id") or "")

    @classmethod
    def from_payload(cls, payload: dict[str, Any]) -> StripeEvent:
        """Read one from its JSON. Raises KeyError, TypeError or ValueError for what is no event."""
        told = payload["data"]
        return cls(
            id=str(payload["id"]),
            type=str(payload["type"]),
            created=datetime.fromtimestamp(int(payload["created"]), UTC),
            object=dict(told["object"]),
            api_version=payload.get("api_version"),
            livemode=bool(payload.get("livemode")),
            previous=dict(told.get("previous_attributes") or {}),
        )
