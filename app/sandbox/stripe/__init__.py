"""A pretend Stripe: customers, Checkout, cards, subscriptions that renew, refunds, disputes, and events.

It knows of the product only what the real one would: a secret key, and the address that is told of events.
Its facts are those of API version 2026-10-28.endive.
"""
