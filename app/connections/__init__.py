"""The tie between a shop and Shopify: installing, tokens, scopes, webhook subscriptions, uninstalling."""
