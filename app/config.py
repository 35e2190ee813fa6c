"""The one place that reads the environment.

`Settings.from_env()` returns a frozen object or raises `ConfigError` that names every missing or malformed
variable at once, so that an operator fixes a deployment in one round.
"""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

SECRET_BYTES = 32
# What we ask of a shop: customers and their consent, orders, parcels, discounts, languages.
SCOPES = (
    "read_customers",
    "write_customers",
    "read_orders",
    "read_discounts",
    "write_discounts",
    "read_fulfillments",
    "read_locales",
)
SECRETS = ("jwt_secret", "unsubscribe_secret", "mitto_webhook_secret", "admin_token", "shopify_api_secret")
# Settings that are many variables: what follows the prefix is the key.
FAMILIES = {"stripe_prices": "STRIPE_PRICE_ID_", "vat_rates": "VAT_RATE_"}

AT_LEAST_ONE = (
    "sms_batch_size",
    "sms_batches_in_flight",
    "claim_lease_seconds",
    "unknown_deadline_hours",
    "mitto_timeout_seconds",
    "rate_limit_traffic_account_max",
    "rate_limit_tenant_max",
)


class ConfigError(RuntimeError):
    """The environment cannot be used; the text lists every reason."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the deployment decides. Names follow the old system's variables, see `.env.example`."""

    app_env: str = "development"
    database_url: str
    direct_url: str
    redis_url: str

    jwt_secret: str
    unsubscribe_secret: str
    admin_token: str
    shopify_api_key: str
    shopify_api_secret: str
    shopify_webhook_secret: str | None = None
    shopify_flow_secret: str | None = None
    shopify_api_version: str = "2026-10"
    shopify_admin_base: str = "https://{shop}"
    shopify_download_hosts: tuple[str, ...] = ("storage.googleapis.com",)
    scopes: tuple[str, ...] = SCOPES
    token_encryption_keys: tuple[str, ...] = ()
    suppression_key: str | None = None

    mitto_api_base: str
    mitto_api_key: str
    mitto_traffic_account_id: str
    mitto_webhook_secret: str
    mitto_sender_name: str = "Astronote"
    mitto_bulk_max: int = 500
    mitto_timeout_seconds: int = 20

    stripe_secret_key: str | None = None
    stripe_webhook_secret: str | None = None
    stripe_api_base: str = "https://api.stripe.com"
    stripe_tax: bool = False
    stripe_prices: Mapping[str, str] = field(default_factory=dict)
    credit_price_eur: Decimal = Decimal("0.045")
    credit_price_usd: Decimal | None = None
    vat_rates: Mapping[str, Decimal] = field(default_factory=dict)
    vat_rate_eu_default: Decimal = Decimal("0.20")
    vies_api_base: str = "https://ec.europa.eu/taxation_customs/vies/rest-api"
    seller_vat_number: str | None = None
    ledger_signing_key: str | None = None

    public_base_url: str | None = None
    shortlink_base_url: str | None = None
    frontend_url: str | None = None
    embedded_origin: str | None = None
    cors_allowlist: tuple[str, ...] = ()
    redirect_allowed_hosts: tuple[str, ...] = ()
    trusted_proxy_hops: int = 0

    credit_unit: str = "part"
    refund_undelivered: bool = True
    campaign_done_status: str = "completed"
    enqueue_inline_limit: int = 200_000
    sms_batch_size: int = 250
    sms_batches_in_flight: int = 4
    claim_lease_seconds: int = 300
    unknown_deadline_hours: int = 72
    rate_limit_traffic_account_max: int = 100
    rate_limit_tenant_max: int = 50
    rate_limits_enabled: bool = True
    quiet_hours: bool = True
    marketing_texts_per_day: int = 3
    attribution_window_days: int = 7
    import_max_bytes: int = 50_000_000
    metrics_allowlist: tuple[str, ...] = ()
    alert_webhook_url: str | None = None
    log_level: str = "INFO"

    @property
    def is_production(self) -> bool:
        return self.app_env == "production"

    @property
    def suppression_hash_key(self) -> str:
        """What opt-outs of erased people are hashed with. Development makes do with JWT_SECRET."""
        return self.suppression_key or self.jwt_secret

    @property
    def stripe_webhook_secrets(self) -> tuple[str, ...]:
        """STRIPE_WEBHOOK_SECRET, newest first: while one is rolled, events are signed with both."""
        return tuple(key for part in (self.stripe_webhook_secret or "").split(",") if (key := part.strip()))

    @property
    def ledger_key(self) -> bytes:
        """The 32 bytes that exports of the ledger are signed with. Development makes do with JWT_SECRET's."""
        if self.ledger_signing_key:
            return urlsafe_b64decode(self.ledger_signing_key)
        return sha256(b"ledger" + self.jwt_secret.encode()).digest()

    @property
    def encryption_keys(self) -> tuple[str, ...]:
        """TOKEN_ENCRYPTION_KEYS, newest first. Development makes do with one that follows from JWT_SECRET."""
        if self.token_encryption_keys:
            return self.token_encryption_keys
        return (urlsafe_b64encode(sha256(b"tokens" + self.jwt_secret.encode()).digest()).decode(),)

    @property
    def link_secrets(self) -> tuple[str, ...]:
        """UNSUBSCRIBE_SECRET, newest first: links are made with the first and read with any of them."""
        return tuple(self.unsubscribe_secret.split(","))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read and check all settings. Raises ConfigError naming every variable that is missing or wrong."""
        problems: list[str] = []
        values = _read_all(environ, problems)
        if not problems:
            problems += _contradictions(values)
        if problems:
            raise ConfigError("The configuration is not usable:\n  " + "\n  ".join(problems))
        return cls(**values)


def _text(raw: str) -> str:
    return raw


def _number(raw: str) -> int:
    number = int(raw)
    if number < 0:
        raise ValueError("must not be negative")
    return number


def _flag(raw: str) -> bool:
    if raw.lower() not in {"true", "false", "1", "0", "yes", "no"}:
        raise ValueError("must be true or false")
    return raw.lower() in {"true", "1", "yes"}


def _items(raw: str) -> tuple[str, ...]:
    return tuple(item.strip().rstrip("/") for item in raw.split(",") if item.strip())


def _networks(raw: str) -> tuple[str, ...]:
    return tuple(str(ip_network(item.strip())) for item in raw.split(",") if item.strip())


def _http_url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an absolute http(s) URL")
    return raw.rstrip("/")


def _frontend_url(raw: str) -> str:
    return _http_url(raw).removesuffix("/shopify")


def _origin(raw: str) -> str:
    """As browsers write it in the `Origin` header."""
    origin = _http_url(raw).lower()
    if urlsplit(origin).path:
        raise ValueError("must be an origin, such as https://app.example.com")
    return origin


def _admin_base(raw: str) -> str:
    if raw.count("{shop}") != 1 or set(raw.replace("{shop}", "")) & set("{}"):
        raise ValueError("must contain {shop} once")
    _http_url(raw.replace("{shop}", "shop.myshopify.com"))
    return raw.rstrip("/")


def _api_version(raw: str) -> str:
    if not re.fullmatch(r"20\d\d-(01|04|07|10)", raw):
        raise ValueError("must look like 2026-10")
    return raw


def _decimal(raw: str) -> Decimal:
    try:
        number = Decimal(raw)
    except InvalidOperation as wrong:
        raise ValueError("must be a number") from wrong
    if not (number.is_finite() and number >= 0):
        raise ValueError("must not be negative")
    return number


def _rate(raw: str) -> Decimal:
    rate = _decimal(raw)
    if rate >= 1:
        raise ValueError("must be a share below 1, such as 0.24")
    return rate


def _signing_key(raw: str) -> str:
    if len(urlsafe_b64decode(raw)) != SECRET_BYTES:  # binascii.Error is a ValueError
        raise ValueError("must be 32 bytes in url-safe base64")
    return raw


def _vat_number(raw: str) -> str:
    number = re.sub(r"[\s.-]", "", raw).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9A-Z+*]{2,12}", number):
        raise ValueError("must be a VAT number with its prefix, such as EL123456789")
    return number


def _fernet_keys(raw: str) -> tuple[str, ...]:
    keys = tuple(key for part in raw.split(",") if (key := part.strip()))
    for key in keys:
        if len(urlsafe_b64decode(key)) != SECRET_BYTES:  # binascii.Error is a ValueError
            raise ValueError("must be Fernet keys: 32 bytes each, in url-safe base64")
    return keys


def _postgres_url(raw: str) -> str:
    # SQLAlchemy 2.1 reads postgresql:// as psycopg 3, which is not installed; postgres:// was never
    # supported.
    for prefix in ("postgres://", "postgresql://", "postgresql+psycopg2://"):
        if raw.startswith(prefix):
            return "postgresql+psycopg2://" + raw[len(prefix) :]
    raise ValueError("must start with postgres:// or postgresql://")


def _redis_url(raw: str) -> str:
    if not raw.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must start with redis://, rediss:// or unix://")
    return raw


PARSERS: dict[str, Callable[[str], Any]] = {
    "database_url": _postgres_url,
    "direct_url": _postgres_url,
    "redis_url": _redis_url,
    "mitto_api_base": _http_url,
    "shopify_admin_base": _admin_base,
    "shopify_api_version": _api_version,
    "token_encryption_keys": _fernet_keys,
    "stripe_api_base": _http_url,
    "vies_api_base": _http_url,
    "credit_price_eur": _decimal,
    "credit_price_usd": _decimal,
    "vat_rates": _rate,
    "vat_rate_eu_default": _rate,
    "seller_vat_number": _vat_number,
    "ledger_signing_key": _signing_key,
    "public_base_url": _http_url,
    "shortlink_base_url": _http_url,
    "frontend_url": _frontend_url,
    "embedded_origin": _origin,
    "metrics_allowlist": _networks,
    "alert_webhook_url": _http_url,
}
PARSERS_BY_TYPE: dict[str, Callable[[str], Any]] = {
    "int": _number,
    "bool": _flag,
    "tuple[str, ...]": _items,
}
ALIASES = {
    "direct_url": ("DATABASE_URL",),
    "frontend_url": ("FRONTEND_BASE_URL", "WEB_APP_URL"),
    "public_base_url": ("HOST", "WEBHOOK_BASE_URL"),
    "cors_allowlist": ("ALLOWED_ORIGINS",),
    "mitto_traffic_account_id": ("SMS_TRAFFIC_ACCOUNT_ID",),
}


def _read_all(environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {name: _family(environ, name, problems) for name in FAMILIES}
    for setting in fields(Settings):
        if setting.name in values:
            continue
        names = (setting.name.upper(), *ALIASES.get(setting.name, ()))
        raw = next((environ[name] for name in names if environ.get(name)), None)
        if raw is None:
            if setting.default is MISSING:
                problems.append(f"{names[0]} is missing")
            continue
        parse = PARSERS.get(setting.name) or PARSERS_BY_TYPE.get(str(setting.type), _text)
        try:
            values[setting.name] = parse(raw)
        except ValueError as wrong:
            problems.append(f"{names[0]} is not usable: {wrong}")
    return values


def _family(environ: Mapping[str, str], setting: str, problems: list[str]) -> dict[str, Any]:
    """All variables of one prefix, by what follows it, but those that are settings themselves."""
    prefix, parse = FAMILIES[setting], PARSERS.get(setting, _text)
    alone = {one.name.upper() for one in fields(Settings)}
    found: dict[str, Any] = {}
    for name in sorted(environ.keys() - alone):
        if name.startswith(prefix) and environ[name]:
            try:
                found[name.removeprefix(prefix)] = parse(environ[name])
            except ValueError as wrong:
                problems.append(f"{name} is not usable: {wrong}")
    return found


def _contradictions(values: Mapping[str, Any]) -> list[str]:
    problems = []
    if values.get("app_env", "development") not in {"development", "test", "production"}:
        problems.append("APP_ENV must be development, test or production")
    if values.get("credit_unit", "part") not in {"part", "message"}:
        problems.append("CREDIT_UNIT must be part or message")
    if values.get("campaign_done_status", "completed") not in {"completed", "sent"}:
        problems.append("CAMPAIGN_DONE_STATUS must be completed or sent")
    problems += [f"{name.upper()} must be at least 1" for name in AT_LEAST_ONE if values.get(name, 1) < 1]
    if not 1 <= values.get("mitto_bulk_max", 500) <= 1000:
        problems.append("MITTO_BULK_MAX must be between 1 and 1000")
    if values.get("stripe_secret_key") and not values.get("stripe_webhook_secret"):
        problems.append("STRIPE_WEBHOOK_SECRET is missing (payments are told by signed events)")
    if values.get("app_env") == "production":
        problems += _unfit_for_production(values)
    return problems


def _unfit_for_production(values: Mapping[str, Any]) -> list[str]:
    problems = [
        f"{name.upper()} is too short for production: at least {SECRET_BYTES} bytes"
        for name in SECRETS
        if min(len(live.encode()) for live in values[name].split(",")) < SECRET_BYTES
    ]
    if not values["mitto_api_base"].startswith("https://"):
        problems.append("MITTO_API_BASE must be https in production")
    if not values.get("shopify_admin_base", "https://").startswith("https://"):
        problems.append("SHOPIFY_ADMIN_BASE must be https in production")
    if len((values.get("suppression_key") or "").encode()) < SECRET_BYTES:
        problems.append(
            "SUPPRESSION_KEY is missing or too short (opt-outs of erased people are hashed with it)"
        )
    if not values.get("stripe_api_base", "https://").startswith("https://"):
        problems.append("STRIPE_API_BASE must be https in production")
    if not values.get("ledger_signing_key"):
        problems.append("LEDGER_SIGNING_KEY is missing (exports of the ledger are signed with it)")
    if not values.get("token_encryption_keys"):
        problems.append("TOKEN_ENCRYPTION_KEYS is missing (Shopify's tokens are stored encrypted)")
    if not values.get("public_base_url"):
        problems.append("PUBLIC_BASE_URL is missing (jobs have no request to take it from)")
    return problems
