"""All that this Stripe answers to."""

from app.sandbox.stripe.account import account
from app.sandbox.stripe.api import (
    billing,
    catalogue,
    checkout_sessions,
    customers,
    payments,
    reversals,
    subscriptions,
)
from app.sandbox.stripe.api.door import api
from app.sandbox.stripe.control import control
from app.sandbox.stripe.portal import page

# Importing a module of the API is what puts its calls behind the door.
CALLS = (billing, catalogue, checkout_sessions, customers, payments, reversals, subscriptions)
DOORS = (api, control, page, account)
