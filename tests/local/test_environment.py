"""The product and the sandbox on one machine know each other's addresses, keys and prices."""

from __future__ import annotations

from app.config import Settings
from app.local.environment import local_environment
from app.sandbox import SandboxConfig, create_sandbox
from app.sandbox.config import parse

STORES = {"DATABASE_URL": "postgresql://x@/x", "REDIS_URL": "redis://127.0.0.1/0"}


def test_the_product_takes_payments_at_the_sandbox_that_posts_its_events_back():
    env = local_environment(8080, 4010, STORES)

    product = Settings.from_env(env)
    config, _ = parse([], env)

    assert product.stripe_api_base == "http://127.0.0.1:4010/stripe"
    assert product.stripe_secret_key == config.stripe_secret_key
    assert list(product.stripe_webhook_secrets) == config.stripe_secrets()
    assert config.stripe_webhook_url == "http://127.0.0.1:8080/webhooks/stripe"
    assert product.vies_api_base == "http://127.0.0.1:4010/vies"


def test_every_price_that_the_product_knows_is_on_sale():
    product = Settings.from_env(local_environment(8080, 4010, STORES))
    sandbox = create_sandbox(SandboxConfig())
    store = sandbox.extensions["sandbox"].stripe.store

    on_sale = {name: store.get("price", number) for name, number in product.stripe_prices.items()}
    sandbox.extensions["sandbox"].close()

    assert on_sale["SUB_STARTER_EUR"]["unit_amount"] == 4000
    assert on_sale["SUB_PRO_USD"]["recurring"]["interval"] == "year"
    assert on_sale["25000_EUR"]["unit_amount"] == 49999
    assert None not in on_sale.values()


def test_who_has_paid_may_come_back_to_the_api_and_to_a_front_end_that_was_named():
    env = local_environment(8080, 4010, STORES | {"CORS_ALLOWLIST": "http://localhost:3000"})

    assert Settings.from_env(env).cors_allowlist == ("http://localhost:3000", "http://127.0.0.1:8080")
