"""Stripe's API as far as the product uses it, under `/stripe/v1`."""
