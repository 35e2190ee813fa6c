"""The contact form of the public site."""

from __future__ import annotations

from app.core.uow import across_shops
from app.storefront.models import Enquiry


def leave_enquiry(name: str, email: str, message: str) -> None:
    """Keep what somebody wants to tell us."""
    with across_shops("an enquiry comes from no shop") as session:
        session.add(Enquiry(name=name, email=email, message=message))
