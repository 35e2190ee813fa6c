"""What is done about each type of Stripe's events.

Handlers belong to other features and ask Stripe, so they run outside any unit of work and open their own.
Each gives a short word for what it did, or "unmatched" where it knows no shop, and is harmless when repeated,
in any order. One that fails does not keep the others of its event from their work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from app.billing.service import events as billing
from app.integrations.stripe.events import StripeEvent
from app.payers.service import events as payers
from app.purchases.service import events as purchases
from app.subscriptions.service import events as subscriptions
from app.webhooks.models import Left

Handler = Callable[[StripeEvent], str]

OF_PAYERS: dict[str, Handler] = {
    "customer.updated": payers.customer_changed,
    "customer.tax_id.created": payers.tax_id_changed,
    "customer.tax_id.updated": payers.tax_id_changed,
    "customer.tax_id.deleted": payers.tax_id_changed,
}
# Each feature names the types that it wants to hear of. They are told of an event in this order.
FEATURES: tuple[Mapping[str, Handler], ...] = (
    OF_PAYERS,
    purchases.HANDLERS,
    subscriptions.HANDLERS,
    billing.HANDLERS,
)

NOT_MINE = "not_a_"
HANDLERS: dict[str, tuple[Handler, ...]] = {
    type: tuple(feature[type] for feature in FEATURES if type in feature)
    for type in sorted({type for feature in FEATURES for type in feature})
}


def handlers_of(type: str) -> Sequence[Handler]:
    """Who is told of events of this type."""
    return HANDLERS.get(type, ())


def outcome_of(words: Sequence[str]) -> str:
    """One word, or several, for what all handlers of an event did.

    Who says that it is not its kind of object ("not_a_purchase") decides nothing beside others.
    """
    said = dict.fromkeys(words)
    done = [word for word in said if word != Left.UNMATCHED and not word.startswith(NOT_MINE)]
    if done or Left.UNMATCHED not in said:
        return ", ".join(done or said) or Left.NO_HANDLER
    return Left.UNMATCHED
