"""The variables of a system on one machine: development secrets, and the sandbox as the outside world."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from app.local.errors import LocalServersUnavailable

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
WEB_PORT = 8080
SANDBOX_PORT = 4010

# Known to everybody who reads this file, and refused by nobody: the servers listen on loopback only.
DEVELOPMENT_SECRETS = {
    "JWT_SECRET": "development-jwt-secret-not-for-production",
    "UNSUBSCRIBE_SECRET": "development-unsubscribe-secret-not-for-production",
    "MITTO_WEBHOOK_SECRET": "development-mitto-webhook-secret-not-for-production",
    "ADMIN_TOKEN": "development-admin-token-not-for-production",
    "SHOPIFY_API_KEY": "development-shopify-api-key-not-for-production",
    "SHOPIFY_API_SECRET": "development-shopify-api-secret-not-for-production",
    "STRIPE_SECRET_KEY": "sk_test_development-stripe-key-not-for-production",
    "STRIPE_WEBHOOK_SECRET": "whsec_development-stripe-secret-not-for-production",
    "MITTO_API_KEY": "development-mitto-api-key-not-for-production",
    "MITTO_TRAFFIC_ACCOUNT_ID": "5b0f6c52-6a0e-4d0b-9c39-0f6f1f0d7a11",
}


def local_environment(
    web_port: int, sandbox_port: int, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """`environ` with the local values on top: nothing that runs here reaches a real provider by accident."""
    web = f"http://{HOST}:{web_port}"
    return {
        **environ,
        **DEVELOPMENT_SECRETS,
        "APP_ENV": "development",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "QUIET_HOURS": "false",  # nobody sleeps in the sandbox
        "PUBLIC_BASE_URL": web,
        # Who pays at Stripe comes back to a page that we know: a front end's, or the API's own documentation.
        "CORS_ALLOWLIST": ",".join(filter(None, (environ.get("CORS_ALLOWLIST"), web))),
        "MITTO_API_BASE": f"http://{HOST}:{sandbox_port}",
        "SANDBOX_API_KEY": DEVELOPMENT_SECRETS["MITTO_API_KEY"],
        "SANDBOX_TRAFFIC_ACCOUNT_ID": DEVELOPMENT_SECRETS["MITTO_TRAFFIC_ACCOUNT_ID"],
        "SANDBOX_WEBHOOK_URL": f"{web}/webhooks/mitto",
        "SANDBOX_WEBHOOK_SECRET": DEVELOPMENT_SECRETS["MITTO_WEBHOOK_SECRET"],
        "SHOPIFY_ADMIN_BASE": f"http://{HOST}:{sandbox_port}/shopify/{{shop}}",
        "SHOPIFY_DOWNLOAD_HOSTS": f"{HOST}:{sandbox_port}",
        "SANDBOX_APP_URL": web,
        "SANDBOX_SHOPIFY_API_KEY": DEVELOPMENT_SECRETS["SHOPIFY_API_KEY"],
        "SANDBOX_SHOPIFY_API_SECRET": DEVELOPMENT_SECRETS["SHOPIFY_API_SECRET"],
        "VIES_API_BASE": f"http://{HOST}:{sandbox_port}/vies",
        "STRIPE_API_BASE": f"http://{HOST}:{sandbox_port}/stripe",
        "SANDBOX_STRIPE_SECRET_KEY": DEVELOPMENT_SECRETS["STRIPE_SECRET_KEY"],
        "SANDBOX_STRIPE_WEBHOOK_SECRET": DEVELOPMENT_SECRETS["STRIPE_WEBHOOK_SECRET"],
        "SANDBOX_STRIPE_WEBHOOK_URL": f"{web}/webhooks/stripe",
        **stripe_prices(),
    }


def stripe_prices() -> dict[str, str]:
    """STRIPE_PRICE_ID_…: what the sandbox's Stripe has on sale from the start."""
    plans = {f"SUB_{plan.upper()}": plan for plan in ("starter", "pro")}
    packages = {str(credits): f"package_{credits}" for credits in (1000, 5000, 10000, 25000)}
    return {
        f"STRIPE_PRICE_ID_{name}_{currency.upper()}": f"price_sandbox_{sold}_{currency}"
        for name, sold in {**plans, **packages}.items()
        for currency in ("eur", "usd")
    }


def port_from(variable: str, default: int) -> int:
    """The port that the person asked for. Raises LocalServersUnavailable when it is not a port."""
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or int(text) > 65535:
        raise LocalServersUnavailable(f"{variable}={text} is not a port.")
    return int(text)


def usable_port(port: int, variable: str) -> int:
    """`port`, or a free one for 0. Raises LocalServersUnavailable when another program listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as taken:
            raise LocalServersUnavailable(
                f"Port {port} cannot be used ({taken.strerror}): choose another with {variable}={port + 1}."
            ) from taken
        return int(probe.getsockname()[1])


def migrate(env: Mapping[str, str]) -> None:
    """Bring the database of `env` up to date. Raises LocalServersUnavailable with the reason."""
    _run(["flask", "--app", "wsgi", "db", "upgrade"], env, "The migrations failed")


def fill(env: Mapping[str, str], phones: Path) -> str:
    """Give the database of `env` its demo shop, once, and the carrier's file `phones` its last week.

    Returns the lines that say how to sign in. Nothing else may be up yet.
    Raises LocalServersUnavailable with the reason.
    """
    return _run(["app.demo.history", "--phones", str(phones)], env, "The demo shop could not be made")


def _run(words: list[str], env: Mapping[str, str], complaint: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *words], check=False, capture_output=True, text=True, cwd=ROOT, env=dict(env)
    )
    if done.returncode != 0:
        print(done.stderr.rstrip(), file=sys.stderr)
        raise LocalServersUnavailable(f"{complaint}: the lines above say why.")
    return done.stdout.rstrip()
