"""What happens behind the API while a page is open: the carrier answers, a text arrives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from app.campaigns.service import states as campaigns
from app.core.settings import settings
from app.messaging.link_tokens import make_token
from app.shops.models import Shop
from tests import build_campaigns, build_contacts
from tests.build_campaigns import Merchant


def customers(shop: Shop, count: int = 2) -> list[str]:
    """Contacts who consented; their ids."""
    return [str(contact_id) for contact_id in build_contacts.contacts(shop, count)]


def carrier_answers(shop: Shop, outcomes: str) -> None:
    """The newest run is sent: a letter for each message (a: accepted, r: rejected)."""
    build_campaigns.answer(_merchant(shop), outcomes)


def campaign_ends(shop: Shop, campaign_id: str) -> None:
    """The bell that the last message of a run rings is heard."""
    campaigns.finish(shop.id, int(campaign_id))


def opt_out_token(shop: Shop) -> str:
    """The token in the opt-out link of the newest message."""
    return make_token(_merchant(shop).messages()[-1].id, 0, settings().unsubscribe_secret)


def tomorrow() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


def as_browsers_write(moment: datetime) -> str:
    """`toISOString()`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def as_the_date_field_writes(moment: datetime) -> str:
    """The value of a `datetime-local` field: no zone, no seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M")


def _merchant(shop: Shop) -> Merchant:
    return Merchant(None, shop)  # type: ignore[arg-type]  # it is not asked anything over HTTP here
