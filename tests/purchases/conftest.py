"""A Stripe to buy at."""

from tests.stripe_world import running_stripe, stripe_world

__all__ = ["running_stripe", "stripe_world"]
