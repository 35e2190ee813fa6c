"""A shop that pays at a pretend Stripe."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.stripe_world import StripeWorld
from tests.stripe_world import running_stripe as running_stripe
from tests.stripe_world import stripe_world as stripe_world
from tests.subscriptions.subscriber import Subscriber, a_subscriber


@pytest.fixture
def subscriber(stripe_world: StripeWorld, client: FlaskClient) -> Subscriber:
    """A shop that has not subscribed yet."""
    return a_subscriber(stripe_world, client)
