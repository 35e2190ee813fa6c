"""A pretend Shopify: shops with customers and orders, sign-in, Admin GraphQL, and signed webhooks.

It knows of the product only what a real Shopify would: an app's key, secret and address.
"""
