"""Connections with Shopify: the use cases and steps, by verb."""
