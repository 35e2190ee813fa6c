"""Taking somebody in who has said yes."""

from __future__ import annotations

from typing import Any

from app.contacts import consent
from app.contacts.consent import Evidence
from app.contacts.models import ConsentSource, Contact
from app.contacts.values import TAGS_MAX
from app.core.uow import require_unit_of_work
from app.storefront import queries


def admit(
    shop_id: int,
    person: dict[str, Any],
    *,
    wording: str | None,
    evidence: Evidence,
    lift_suppression: bool = False,
) -> bool:
    """Make the person a contact who consents. A step; True when that gave a new consent.

    `person` has phone, region, first_name, last_name, gender, birth_date and tag. What is known about the
    number already stays as it is; only gaps are filled.
    """
    consent.take_turn(shop_id)  # before the contact's row is locked
    contact_id = queries.admit(shop_id, person, tags_max=TAGS_MAX)
    return consent.grant(
        shop_id,
        require_unit_of_work().get_one(Contact, contact_id),
        source=ConsentSource.OPT_IN_FORM,
        wording=wording,
        evidence=evidence,
        lift_suppression=lift_suppression,
    )
