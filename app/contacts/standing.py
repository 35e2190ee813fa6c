"""Who a contact is and whether he may be texted, asked for a handful at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from app.contacts.models import Consent
from app.core.uow import require_unit_of_work

STANDING = text("""
    SELECT c.id, c.phone, c.first_name, c.last_name, c.consent,
      (SELECT max(w.at) FROM consent_events w
       WHERE w.shop_id = c.shop_id AND w.phone = c.phone AND w.action = 'withdraw') AS last_withdrawal_at
    FROM contacts c WHERE c.shop_id = :shop_id AND c.id = ANY(CAST(:ids AS bigint[]))""")


@dataclass(frozen=True)
class Standing:
    """A contact as a text needs him. `last_withdrawal_at` is of the number, whatever came after."""

    id: int
    phone: str
    first_name: str | None
    last_name: str | None
    consent: str
    last_withdrawal_at: datetime | None

    @property
    def is_opted_in(self) -> bool:
        return self.consent == Consent.OPTED_IN

    @property
    def display_name(self) -> str:
        return " ".join(name for name in (self.first_name, self.last_name) if name)

    def has_withdrawn_since(self, moment: datetime) -> bool:
        return self.last_withdrawal_at is not None and self.last_withdrawal_at >= moment


def standing_of(shop_id: int, contact_ids: Sequence[int]) -> dict[int, Standing]:
    """Some of the shop's contacts by id. A step; one statement."""
    rows = require_unit_of_work().execute(STANDING, {"shop_id": shop_id, "ids": sorted(set(contact_ids))})
    return {row.id: Standing(**row._asdict()) for row in rows}
