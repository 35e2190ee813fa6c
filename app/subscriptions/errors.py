"""Refusals about subscriptions."""

from __future__ import annotations

from app.core.errors import Conflict, DomainError, Forbidden, NotFound


class SubscriptionRequired(Forbidden):
    code = "SUBSCRIPTION_REQUIRED"
    message = "Sending needs an active subscription."

    def __init__(self) -> None:
        super().__init__(meta={"action": "subscribe"})


class AlreadySubscribed(Conflict):
    code = "ALREADY_SUBSCRIBED"
    message = "This shop has a subscription. Change its plan instead."


class NoActiveSubscription(DomainError):
    code = "NO_ACTIVE_SUBSCRIPTION"
    message = "This shop has no active subscription."


class NotKeptByStripe(NoActiveSubscription):
    message = "This subscription was set up by our staff and is changed by them."


class InvalidPlanType(DomainError):
    code = "INVALID_PLAN_TYPE"
    message = "The plan must be starter or pro."


class IntervalNotOfPlan(DomainError):
    """`meta.suggested` is the SKU that the plan is sold as."""

    code = "INVALID_INTERVAL_FOR_PLAN"
    message = "This plan is not sold for that interval."


class PlanNotSold(DomainError):
    code = "UNSUPPORTED_PLAN_INTERVAL"
    message = "This plan is not for sale here."


class PriceNotSet(DomainError):
    code = "MISSING_PRICE_ID"
    message = "This plan has no price in that currency."


class PriceNotFound(DomainError):
    """STRIPE_PRICE_ID_… names a price that Stripe does not know."""

    code = "PRICE_NOT_FOUND"
    message = "The price of this plan was not found at Stripe."


class PriceNotRecurring(DomainError):
    """STRIPE_PRICE_ID_… names a price that is paid once, or for another interval."""

    code = "INVALID_PRICE_TYPE"
    message = "The price of this plan is not one for a subscription."


class AlreadyOnPlan(DomainError):
    code = "ALREADY_ON_PLAN"
    message = "This is the plan that the shop has."


class NoScheduledChange(DomainError):
    code = "NO_SCHEDULED_CHANGE"
    message = "No change of plan is scheduled."


class InvalidScheduledChange(DomainError):
    code = "INVALID_SCHEDULED_CHANGE"
    message = "Only a change that waits for the end of the period can be scheduled."


class NotCancelled(DomainError):
    code = "NOT_CANCELLED"
    message = "The subscription is not cancelled."


class ReconcileFailed(DomainError):
    status = 502
    code = "RECONCILE_FAILED"
    message = "Stripe could not be asked. Please try again."


class PortalFailed(DomainError):
    status = 502
    code = "STRIPE_PORTAL_ERROR"
    message = "The payment portal could not be opened. Please try again."


class CustomerMissing(DomainError):
    code = "MISSING_CUSTOMER_ID"
    message = "This shop has not paid for anything yet."


class InvalidSessionId(DomainError):
    code = "INVALID_SESSION_ID"
    message = "This is not the id of a payment session."


class InvalidSessionType(DomainError):
    code = "INVALID_SESSION_TYPE"
    message = "This payment session is not for a subscription."


class PaymentNotComplete(DomainError):
    code = "PAYMENT_NOT_COMPLETE"
    message = "The payment has not been completed yet."


class IncompleteSession(DomainError):
    code = "INCOMPLETE_SESSION"
    message = "The payment session has no subscription yet."


class SessionMismatch(Forbidden):
    code = "SESSION_MISMATCH"
    message = "This payment session belongs to another shop."


class SessionNotFound(NotFound):
    code = "SESSION_NOT_FOUND"
    message = "Stripe does not know this payment session."


class PaymentFailed(DomainError):
    """The bank refused the difference: the plan is as it was."""

    status = 402
    code = "PAYMENT_FAILED"
    message = "The payment did not succeed. Please check your payment method."
