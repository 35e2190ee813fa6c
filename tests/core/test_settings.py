"""The environment is read once, and refused as a whole."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet

from app.config import ConfigError, Settings
from tests.conftest import VALUES

GOOD = {**VALUES, "DATABASE_URL": "postgresql://a@b/c", "REDIS_URL": "redis://r:6379/0"}
LONG = "x" * 32
SECRETS = ("JWT_SECRET", "UNSUBSCRIBE_SECRET", "ADMIN_TOKEN", "MITTO_WEBHOOK_SECRET", "SHOPIFY_API_SECRET")
PRODUCTION = {
    **GOOD,
    "APP_ENV": "production",
    "MITTO_API_BASE": "https://messaging.example",
    "SHOPIFY_ADMIN_BASE": "https://{shop}",
    "SUPPRESSION_KEY": LONG,
    "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "LEDGER_SIGNING_KEY": Fernet.generate_key().decode(),
    **dict.fromkeys(
        ("JWT_SECRET", "UNSUBSCRIBE_SECRET", "ADMIN_TOKEN", "MITTO_WEBHOOK_SECRET", "SHOPIFY_API_SECRET"),
        LONG,
    ),
}


def read(**changes: str) -> Settings:
    """Settings of a good environment with some variables changed; an empty one counts as absent."""
    return Settings.from_env({**GOOD, **changes})


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        Settings.from_env(environ)
    return [line.strip() for line in str(refused.value).splitlines()[1:]]


def test_an_empty_environment_is_refused_with_every_missing_name_at_once():
    required = [
        field.name.upper()
        for field in dataclasses.fields(Settings)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]

    assert problems({}) == [f"{name} is missing" for name in required]


def test_missing_and_malformed_variables_are_told_together():
    told = problems({**GOOD, "JWT_SECRET": "", "SMS_BATCH_SIZE": "many", "REFUND_UNDELIVERED": "perhaps"})

    assert [line.split()[0] for line in told] == ["JWT_SECRET", "REFUND_UNDELIVERED", "SMS_BATCH_SIZE"]


def test_a_problem_never_shows_a_secret():
    told = problems({**PRODUCTION, "JWT_SECRET": "tooshortsecret", "DATABASE_URL": "mysql://u:hunter2@h/d"})

    assert "hunter2" not in str(told)
    assert "tooshortsecret" not in str(told)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://u:p@h:5432/d?x=1",
        "postgresql://u:p@h:5432/d?x=1",
        "postgresql+psycopg2://u:p@h:5432/d?x=1",
    ],
)
def test_any_postgres_url_is_read_with_the_installed_driver(url: str):
    read_settings = read(DATABASE_URL=url, DIRECT_URL=url)

    assert read_settings.database_url == "postgresql+psycopg2://u:p@h:5432/d?x=1"
    assert read_settings.direct_url == read_settings.database_url


def test_the_direct_url_is_the_database_url_unless_given():
    assert read().direct_url == read().database_url
    assert read(DIRECT_URL="postgres://direct/d").direct_url == "postgresql+psycopg2://direct/d"


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("FRONTEND_BASE_URL", "https://app.example", "frontend_url", "https://app.example"),
        ("WEB_APP_URL", "https://app.example/shopify", "frontend_url", "https://app.example"),
        ("WEBHOOK_BASE_URL", "https://hooks.example/", "public_base_url", "https://hooks.example"),
        (
            "ALLOWED_ORIGINS",
            "https://a.example/, https://b.example",
            "cors_allowlist",
            ("https://a.example", "https://b.example"),
        ),
        ("SMS_TRAFFIC_ACCOUNT_ID", "account", "mitto_traffic_account_id", "account"),
    ],
)
def test_the_old_systems_names_still_work(name: str, value: str, field: str, expected: object):
    bare = {
        key: value
        for key, value in GOOD.items()
        if key not in {"PUBLIC_BASE_URL", "MITTO_TRAFFIC_ACCOUNT_ID"}
    }
    bare.setdefault("SMS_TRAFFIC_ACCOUNT_ID", "other")

    assert getattr(Settings.from_env({**bare, name: value}), field) == expected


def test_the_new_name_wins_over_the_old_one():
    assert read(FRONTEND_URL="https://new.example", WEB_APP_URL="https://old.example").frontend_url == (
        "https://new.example"
    )


@pytest.mark.parametrize("raw", ["true", "1", "yes", "TRUE"])
def test_a_flag_can_be_on(raw: str):
    assert read(REFUND_UNDELIVERED=raw).refund_undelivered is True


@pytest.mark.parametrize("raw", ["false", "0", "no", "False"])
def test_a_flag_can_be_off(raw: str):
    assert read(REFUND_UNDELIVERED=raw).refund_undelivered is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_ENV", "staging"),
        ("CREDIT_UNIT", "euro"),
        ("CAMPAIGN_DONE_STATUS", "done"),
        ("MITTO_BULK_MAX", "0"),
        ("MITTO_BULK_MAX", "1001"),
        ("SMS_BATCH_SIZE", "-1"),
        ("REDIS_URL", "http://r"),
        ("DATABASE_URL", "sqlite://"),
        ("MITTO_API_BASE", "ftp://carrier.example"),
        ("PUBLIC_BASE_URL", "sms.example.com"),
        ("PUBLIC_BASE_URL", "https://[broken"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(name: str, value: str):
    told = problems({**GOOD, name: value})

    assert all(name in line for line in told if "DIRECT_URL" not in line)


@pytest.mark.parametrize("name", SECRETS)
def test_production_refuses_a_short_secret(name: str):
    assert problems({**PRODUCTION, name: "x" * 31}) == [
        f"{name} is too short for production: at least 32 bytes"
    ]
    assert Settings.from_env({**GOOD, name: "short"})


def test_production_needs_https_to_the_carrier_and_a_public_url():
    told = problems({**PRODUCTION, "MITTO_API_BASE": "http://carrier.example", "PUBLIC_BASE_URL": ""})

    assert [line.split()[0] for line in told] == ["MITTO_API_BASE", "PUBLIC_BASE_URL"]
    assert Settings.from_env(PRODUCTION).is_production


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        read().app_env = "production"  # type: ignore[misc]


def test_tokens_are_encrypted_with_keys_of_their_own_in_production():
    told = problems({**PRODUCTION, "TOKEN_ENCRYPTION_KEYS": "", "SHOPIFY_ADMIN_BASE": "http://{shop}"})

    assert [line.split()[0] for line in told] == ["SHOPIFY_ADMIN_BASE", "TOKEN_ENCRYPTION_KEYS"]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("TOKEN_ENCRYPTION_KEYS", "too-short"),
        ("TOKEN_ENCRYPTION_KEYS", f"{'A' * 43}=,x"),  # one key, and something that is none
        ("SHOPIFY_ADMIN_BASE", "https://shop.example"),
        ("SHOPIFY_ADMIN_BASE", "https://{shop}/{shop}"),
        ("SHOPIFY_ADMIN_BASE", "https://{shop}/{other}"),
        ("SHOPIFY_ADMIN_BASE", "ftp://{shop}"),
        ("SHOPIFY_API_VERSION", "2026-11"),
        ("SHOPIFY_API_VERSION", "unstable"),
    ],
)
def test_a_malformed_setting_of_shopifys_is_refused(name: str, wrong: str):
    assert [line.split()[0] for line in problems({**GOOD, name: wrong})] == [name]


def test_prices_and_rates_are_read_by_what_follows_their_prefix():
    chosen = read(
        STRIPE_PRICE_ID_SUB_STARTER_EUR="price_1", STRIPE_PRICE_ID_1000_EUR="price_2", VAT_RATE_FI="0.255"
    )

    assert chosen.stripe_prices == {"1000_EUR": "price_2", "SUB_STARTER_EUR": "price_1"}
    assert chosen.vat_rates == {"FI": Decimal("0.255")}


@pytest.mark.parametrize("rate", ["24", "1", "-0.2", "nan", "a fifth"])
def test_a_rate_is_a_share(rate: str):
    told = problems({**GOOD, "VAT_RATE_FI": rate, "VAT_RATE_EU_DEFAULT": rate})

    assert [line.split()[0] for line in told] == ["VAT_RATE_FI", "VAT_RATE_EU_DEFAULT"]


def test_payments_need_the_secret_of_their_events():
    told = problems({**GOOD, "STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": ""})

    assert [line.split()[0] for line in told] == ["STRIPE_WEBHOOK_SECRET"]
    assert read(
        STRIPE_SECRET_KEY="sk_test_1", STRIPE_WEBHOOK_SECRET="whsec_new, whsec_old"
    ).stripe_webhook_secrets == ("whsec_new", "whsec_old")


def test_production_signs_the_ledger_with_a_key_of_its_own():
    told = problems({**PRODUCTION, "LEDGER_SIGNING_KEY": "", "STRIPE_API_BASE": "http://127.0.0.1:1"})

    assert [line.split()[0] for line in told] == ["STRIPE_API_BASE", "LEDGER_SIGNING_KEY"]
    assert problems({**GOOD, "LEDGER_SIGNING_KEY": "c2hvcnQ="})[0].startswith("LEDGER_SIGNING_KEY")
    assert len(read().ledger_key) == 32
