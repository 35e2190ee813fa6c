"""What is done about each type of Stripe's events.

Handlers belong to other features and ask Stripe, so they run outside any unit of work and open their own.
Each gives a short word for what it did, or "unmatched" where it knows no shop, and is harmless when repeated,
in any order. One that fails does not keep the others of its event from their work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.integrations.stripe.events import StripeEvent
from app.webhooks.models import Left

Handler = Callable[[StripeEvent], str]

HANDLERS: dict[str, tuple[Handler, ...]] = {}


def handlers_of(type: str) -> Sequence[Handler]:
    """Who is told of events of this type."""
    return HANDLERS.get(type, ())


def outcome_of(words: Sequence[str]) -> str:
    """One word, or several, for what all handlers of an event did."""
    if not words:
        return Left.NO_HANDLER
    done = dict.fromkeys(word for word in words if word != Left.UNMATCHED)
    return ", ".join(done) or Left.UNMATCHED
