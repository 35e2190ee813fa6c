"""Refusals about campaigns."""

from __future__ import annotations

from app.core.errors import Conflict, DomainError, NotFound


class CampaignNotFound(NotFound):
    message = "There is no such campaign."


class InvalidStatus(Conflict):
    """The campaign is in a state that does not allow this; `reason` says which."""

    code = "INVALID_STATUS"

    def __init__(self, status: str) -> None:
        super().__init__(
            f"A campaign that is {status} does not allow this.", meta={"reason": f"invalid_status:{status}"}
        )


class AlreadySending(Conflict):
    code = "ALREADY_SENDING"
    message = "This campaign is being sent already."


class DuplicateName(Conflict):
    code = "DUPLICATE_NAME"
    message = "Another campaign has this name."

    def __init__(self) -> None:
        super().__init__(field="name")


class NoRecipients(DomainError):
    code = "NO_RECIPIENTS"
    message = "Nobody in this audience can be texted now."


class InvalidFilter(DomainError):
    code = "INVALID_FILTER"
    message = "There is no such campaign status."


class DiscountUnresolved(DomainError):
    code = "ENQUEUE_FAILED"
    message = "The text has a discount code, but the campaign's discount cannot be looked up."


class NumberSuppressed(Conflict):
    message = "This number has opted out of the shop's texts, so it gets no test either."


class QuoteNotFound(NotFound):
    code = "QUOTE_NOT_FOUND"
    message = "There is no such quote of this campaign."


class QuoteExpired(Conflict):
    code = "QUOTE_EXPIRED"
    message = "The quote has expired. Ask for a new one."


class QuoteOutdated(Conflict):
    code = "QUOTE_OUTDATED"
    message = "The campaign, or what its price depends on, has changed since the quote. Ask for a new one."


class QuoteExceeded(Conflict):
    """Sending would cost more than was quoted, so nothing is sent."""

    code = "QUOTE_EXCEEDED"
    message = "Sending would cost more credits than were quoted. Ask for a new quote."

    def __init__(self, *, quoted: int, required: int) -> None:
        super().__init__(meta={"quotedCredits": quoted, "requiredCredits": required})
