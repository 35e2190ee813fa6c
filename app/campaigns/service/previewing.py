"""What a campaign would say, reach and cost if it were sent now. Nothing is written, no link is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select
from sqlalchemy.engine import RowMapping

from app.audiences import service as audiences
from app.campaigns import queries
from app.campaigns.errors import InvalidStatus, NoRecipients
from app.campaigns.models import Campaign, CampaignStatus
from app.campaigns.service.costing import Cost, cost_of
from app.campaigns.service.states import find
from app.core.errors import DomainError
from app.core.uow import require_unit_of_work, unit_of_work
from app.credits import service as credits
from app.credits.service import Balance
from app.discounts.errors import DiscountCodesMissing
from app.discounts.service import pools
from app.messaging.link_tokens import TOKEN_LENGTH
from app.messaging.service import capping
from app.messaging.service.freezing import Price
from app.messaging.text.alphabet import first_non_gsm
from app.messaging.text.parts import PartCount, count_parts
from app.messaging.text.smart_encoding import SmartEncoding
from app.messaging.text.template import compile_template
from app.messaging.wording import Wording, mark
from app.shops import service as shops
from app.subscriptions.service import standing as subscriptions

Values = Mapping[str, str | None]
SAMPLE_VALUES: Values = {
    "firstName": "Maria",
    "lastName": "Papadopoulou",
    "phone": "+306900000000",
    "email": "maria@example.com",
}
NOBODY = Price(recipients=0, credits=0, unicode_recipients=0)
SUBSCRIPTION_REQUIRED, NO_RECIPIENTS, INSUFFICIENT_CREDITS = (
    "subscription_required",
    "no_recipients",
    "insufficient_credits",
)
SENTENCES = {
    SUBSCRIPTION_REQUIRED: "Sending needs an active subscription.",
    NO_RECIPIENTS: NoRecipients.message,
    INSUFFICIENT_CREDITS: "There are not enough credits for this campaign.",
}


@dataclass(frozen=True)
class Quote:
    """Price and funds at one moment. `refusal` is what keeps the campaign from being worded or addressed."""

    balance: Balance
    is_subscribed: bool
    price: Price = NOBODY
    refusal: DomainError | None = None

    @property
    def missing_credits(self) -> int:
        return max(self.price.credits - self.balance.available, 0)

    @property
    def reason(self) -> str | None:
        """The first thing that stands in the way of sending."""
        if not self.is_subscribed:
            return SUBSCRIPTION_REQUIRED
        if self.refusal is not None:
            return self.refusal.code.lower()
        if not self.price.recipients:
            return NO_RECIPIENTS
        return INSUFFICIENT_CREDITS if self.missing_credits else None

    @property
    def message(self) -> str | None:
        if self.reason is None:
            return None
        return SENTENCES.get(self.reason) or (self.refusal.message if self.refusal else None)

    @property
    def can_send(self) -> bool:
        return self.reason is None


@dataclass(frozen=True)
class Preview:
    """A quote with the words. `rendered` and `size` are the first recipient's."""

    quote: Quote
    rendered: str
    size: PartCount
    wording: Wording | None = None
    excluded: Mapping[str, int] = field(default_factory=dict)

    @property
    def forces_unicode(self) -> str | None:
        """The first character of the text itself that does not fit the cheap alphabet."""
        return first_non_gsm(compile_template(self.wording.text).literal_text) if self.wording else None

    @property
    def smart(self) -> SmartEncoding | None:
        return self.wording.smart if self.wording else None

    @property
    def unknown_tags(self) -> tuple[str, ...]:
        return self.wording.unknown_tags if self.wording else ()

    @property
    def shortened_to_fit(self) -> bool:
        return self.wording is not None and self.wording.shortened_to_fit

    @property
    def parts_histogram(self) -> dict[str, int]:
        return {str(parts): people for parts, people in self.quote.price.parts_histogram.items()}


def preview(shop_id: int, campaign_id: int) -> Preview:
    """What sending the campaign now would do. Raises CampaignNotFound and nothing else."""
    with unit_of_work(shop_id):
        campaign = find(shop_id, campaign_id)
        try:
            cost = cost_of(campaign, shops.find_shop(shop_id))
            quote = quote_of(campaign, cost)
            first, excluded = _first_of(cost.recipients), excluded_of(campaign, cost)
        except DomainError as refusal:
            quote = Quote(credits.balance_of(shop_id), subscriptions.is_subscribed(shop_id), refusal=refusal)
            return Preview(quote, campaign.message, count_parts(campaign.message))
    code = {pools.SLOT: pools.sample_code(cost.pool)} if cost.pool else {}
    rendered = sample(cost.wording, {**(values_of(first) if first else SAMPLE_VALUES), **code})
    return Preview(quote, rendered, count_parts(rendered), cost.wording, excluded)


def prepare(shop_id: int, campaign_id: int) -> Quote:
    """The price of a draft. Raises CampaignNotFound, InvalidStatus, NoRecipients, AudienceNotFound."""
    with unit_of_work(shop_id):
        campaign = find(shop_id, campaign_id)
        if campaign.status != CampaignStatus.DRAFT:
            raise InvalidStatus(campaign.status)
        quote = quote_of(campaign, cost_of(campaign, shops.find_shop(shop_id)))
    if not quote.price.recipients:
        raise NoRecipients
    return quote


def sample(wording: Wording, values: Values) -> str:
    """The text for one recipient, with links that look real and lead nowhere: no message has them."""
    body = compile_template(wording.text).render(values)
    for link_no in range(len(wording.links) + 1):
        body = body.replace(mark(link_no), f"sample{link_no:02d}".ljust(TOKEN_LENGTH, "x"))
    return body


def values_of(contact: RowMapping) -> Values:
    """The merge values of a contact."""
    return {
        "firstName": contact["first_name"],
        "lastName": contact["last_name"],
        "phone": contact["phone"],
        "email": contact["email"],
    }


def quote_of(campaign: Campaign, cost: Cost) -> Quote:
    """A price beside what the shop has. A step."""
    missing, pool, needed = None, cost.pool, cost.price.recipients
    if pool and pool.free < needed:
        missing = DiscountCodesMissing(needed=needed, free=pool.free)
    shop_id = campaign.shop_id
    return Quote(credits.balance_of(shop_id), subscriptions.is_subscribed(shop_id), cost.price, missing)


def excluded_of(campaign: Campaign, cost: Cost) -> dict[str, int]:
    """How many of the audience get no text, by reason; what the merchant's caps leave out if there are caps.

    A step.
    """
    audience = audiences.parse_audience(campaign.audience)
    excluded = dict(queries.excluded_contacts(campaign.shop_id, audience))
    return excluded | ({capping.OVER_CAP: cost.price.over_cap} if cost.caps else {})


def _first_of(recipients: Select[Any]) -> RowMapping | None:
    first = recipients.order_by(recipients.selected_columns.id).limit(1)
    return require_unit_of_work().execute(first).mappings().first()
