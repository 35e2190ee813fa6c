"""How one sandbox behaves, from flags or SANDBOX_* variables. No other module here reads the environment."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

TRUE_WORDS = {"1", "true", "yes", "on"}


class SandboxInProduction(RuntimeError):
    """Somebody tried to start the pretend carrier in production."""


@dataclass(frozen=True)
class SandboxConfig:
    """What is fixed while a sandbox runs; `ReportSwitches` and `faults` can be changed live."""

    store: str = ":memory:"
    api_key: str = "sandbox-key"
    traffic_account_id: str = "7d3c1c5e-52a4-4c0e-9f5b-0a6f2b9d1e11"
    webhook_url: str = ""  # reports go to <webhook_url>/dlr, texts from phones to <webhook_url>/inbound
    webhook_secret: str = ""
    latency_ms: int = 0  # least time a send call takes
    bulk_max: int = 1000
    reports: bool = True  # False: accepted messages stay `Sent` for ever
    quick: bool = False  # outcomes within 50-300 ms instead of seconds
    seed: int = 1
    failure_share: float = 0.02
    late_share: float = 0.01
    report_array_max: int = 500
    report_attempts: int = 8
    retry_seconds: float = 0.5  # first pause before a refused report is posted again; doubles each time
    # Shopify's side: the app as it is registered there
    app_url: str = ""  # where the app's /auth and /webhooks are; empty: nothing is posted unasked
    shopify_api_key: str = "sandbox-shopify-key"
    shopify_api_secret: str = "sandbox-shopify-secret-of-32-bytes"  # noqa: S105 -- several with commas, newest first
    shopify_retry_seconds: float = 1.0  # pause before a webhook's first retry; doubles each time
    # Stripe's side: the one account
    stripe_secret_key: str = "sk_test_sandbox"  # noqa: S105 -- pretended
    stripe_webhook_secret: str = "whsec_sandbox"  # noqa: S105 -- pretended; several with commas, newest first
    stripe_webhook_url: str = ""  # the whole address that events are posted to; empty: none is
    stripe_retry_seconds: float = 1.0  # pause before an event's first retry; doubles each time
    app_env: str = "development"

    def shopify_secrets(self) -> list[str]:
        """The live client secrets, newest first."""
        return _pieces(self.shopify_api_secret)

    def stripe_secrets(self) -> list[str]:
        """The webhook endpoint's live secrets, newest first."""
        return _pieces(self.stripe_webhook_secret)

    def require_not_production(self) -> None:
        """Raise SandboxInProduction when APP_ENV is production."""
        if self.app_env.lower() == "production":
            raise SandboxInProduction(
                "The sandbox is a pretend carrier: it does not start when APP_ENV=production."
            )


@dataclass(frozen=True)
class Address:
    """Where the sandbox listens. Always loopback: it has no users and no passwords."""

    port: int
    threads: int
    host: str = "127.0.0.1"


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> tuple[SandboxConfig, Address]:
    """Read flags, falling back to SANDBOX_<FLAG>, falling back to the defaults of SandboxConfig."""
    flags = _parser(environ).parse_args(argv)
    config = SandboxConfig(
        store=flags.store,
        api_key=flags.api_key,
        traffic_account_id=flags.traffic_account_id,
        webhook_url=flags.webhook_url.rstrip("/"),
        webhook_secret=flags.webhook_secret,
        latency_ms=flags.latency_ms,
        bulk_max=flags.bulk_max,
        reports=not flags.no_reports,
        quick=flags.quick,
        seed=flags.seed,
        failure_share=flags.failure_share,
        late_share=flags.late_share,
        report_array_max=flags.report_array_max,
        app_url=flags.app_url.rstrip("/"),
        shopify_api_key=flags.shopify_api_key,
        shopify_api_secret=flags.shopify_api_secret,
        shopify_retry_seconds=flags.shopify_retry_seconds,
        stripe_secret_key=flags.stripe_secret_key,
        stripe_webhook_secret=flags.stripe_webhook_secret,
        stripe_webhook_url=flags.stripe_webhook_url,
        stripe_retry_seconds=flags.stripe_retry_seconds,
        app_env=environ.get("APP_ENV", "development"),
    )
    return config, Address(port=flags.port, threads=flags.threads)


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m app.sandbox",
        description="A pretend SMS carrier with a phone inbox, a pretend Shopify and a pretend Stripe.",
    )
    default = SandboxConfig()

    def flag(name: str, fallback: str | int | float, explanation: str) -> None:
        # A string default goes through `type` too, so a variable is checked like a flag.
        text = environ.get(_variable(name), str(fallback))
        parser.add_argument(
            name, default=text, type=type(fallback), help=f"{explanation} [{fallback or 'none'}]"
        )

    def switch(name: str, explanation: str) -> None:
        on = environ.get(_variable(name), "").lower() in TRUE_WORDS
        parser.add_argument(name, action="store_true", default=on, help=explanation)

    flag("--port", 4010, "loopback port")
    flag("--threads", 64, "simultaneous requests")
    flag("--store", ".local/sandbox.db", "SQLite file, or :memory:")
    flag("--api-key", default.api_key, "the key that callers must send")
    flag("--traffic-account-id", default.traffic_account_id, "the account that the carrier knows")
    flag("--webhook-url", default.webhook_url, "base of /dlr and /inbound; empty posts nothing")
    flag("--webhook-secret", default.webhook_secret, "sent as X-Webhook-Token")
    flag("--latency-ms", default.latency_ms, "least time a send call takes")
    flag("--bulk-max", default.bulk_max, "messages allowed in one bulk call")
    flag("--seed", default.seed, "chooses which phones fail and how long each takes")
    flag("--failure-share", default.failure_share, "share of phones that do not exist")
    flag("--late-share", default.late_share, "share of phones whose report comes late")
    flag("--report-array-max", default.report_array_max, "reports in one post")
    _shopify_flags(flag)
    _stripe_flags(flag)
    switch("--no-reports", "accept and stay silent")
    switch("--quick", "outcomes within 50-300 ms")
    return parser


def _shopify_flags(flag: Callable[[str, str | int | float, str], None]) -> None:
    default = SandboxConfig()
    flag("--app-url", default.app_url, "base of the app's /auth and /webhooks/shopify")
    flag("--shopify-api-key", default.shopify_api_key, "the app's client id at Shopify")
    flag(
        "--shopify-api-secret",
        default.shopify_api_secret,
        "its secret, at least 32 bytes; old ones after a comma",
    )
    flag("--shopify-retry-seconds", default.shopify_retry_seconds, "pause before a webhook's first retry")


def _stripe_flags(flag: Callable[[str, str | int | float, str], None]) -> None:
    default = SandboxConfig()
    flag("--stripe-secret-key", default.stripe_secret_key, "the key that Stripe's callers must send")
    flag(
        "--stripe-webhook-secret",
        default.stripe_webhook_secret,
        "signs Stripe's events; old ones after a comma, which sign as well",
    )
    flag("--stripe-webhook-url", default.stripe_webhook_url, "where Stripe's events go; empty posts nothing")
    flag("--stripe-retry-seconds", default.stripe_retry_seconds, "pause before an event's first retry")


def _pieces(text: str) -> list[str]:
    return [piece.strip() for piece in text.split(",") if piece.strip()]


def _variable(flag: str) -> str:
    return "SANDBOX_" + flag.removeprefix("--").replace("-", "_").upper()
