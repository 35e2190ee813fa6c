"""A pretend Stripe on a free loopback port, and typed ways to make things happen there.

    def test_paying(stripe_world: StripeWorld, client: FlaskClient):
        checkout = client.post("/billing/topup", …).json["data"]
        stripe_world.pay(checkout["checkoutUrl"])           # card=DECLINED, NO_FUNDS, SECURE, SEPA
        stripe_world.post(client)                           # what Stripe would post, signed; the answers
        events = stripe_world.pull(); seed.shuffle(events)  # or take them and post them as you like:
        stripe_world.post(client, events + events[:1])      # twice, late, in another order
        stripe_world.pay(url, card=SEPA); stripe_world.settle(url)  # or settle(url, succeeded=False)
        stripe_world.cancel(url); stripe_world.expire(url)
        stripe_world.refund(payment_intent, 1500); stripe_world.refund(payment_intent)  # a part; the rest
        stripe_world.dispute(payment_intent, won=False)     # opened and lost; won=None leaves it open
        stripe_world.advance(days=31)                       # renewals fall due; not the app's time
        with clock.moved(timedelta(seconds=stripe_world.offset_seconds)): …   # the app's time as well
        stripe_world.fail_renewals(subscription); stripe_world.mend_renewals(subscription)
        stripe_world.fault("http_500_after", on="POST /v1/checkout/sessions")  # app/sandbox/stripe/faults.py
        stripe_world.objects("refund", payment_intent=…); stripe_world.object("subscription", "sub_…")
        stripe_world.requests(method="POST"); stripe_world.client().v1.customers.list()

The app of the test talks to it: STRIPE_* are set, FRONTEND_URL is `FRONTEND`. Nothing is posted by itself.
All names of `do` are in app/sandbox/stripe/actions.py. `a_stripe(webhook_url=…)` is one that posts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import requests
import stripe
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from app.config import Settings
from app.core import clock
from app.local.environment import stripe_prices
from app.sandbox import SandboxConfig, create_sandbox
from app.sandbox.stripe.emitter import rendered
from app.sandbox.stripe.signing import header
from tests.sandbox.conftest import serving
from tests.sandbox.shopify.world import Quiet
from tests.sandbox.waiting import eventually

SECRET_KEY = "sk_test_of_the_tests"
WEBHOOK_SECRET = "whsec_of_the_tests"
FRONTEND = "https://app.example.com"
CARD = "4242424242424242"
DECLINED = "4000000000000002"
NO_FUNDS = "4000000000009995"
SECURE = "4000002500003155"  # asks for 3-D Secure
FAILS_LATER = "4000000000000341"  # pays now, is refused at the renewal
SEPA = "DE89370400440532013000"  # pays days later

Event = dict[str, Any]


@dataclass
class StripeWorld:
    """The running Stripe, by its control API."""

    url: str
    webhook_secret: str = WEBHOOK_SECRET
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def api_base(self) -> str:
        """The setting STRIPE_API_BASE."""
        return f"{self.url}/stripe"

    def client(self, key: str = SECRET_KEY) -> stripe.StripeClient:
        """The real client, set up as the product's."""
        return stripe.StripeClient(key, base_addresses={"api": self.api_base}, max_network_retries=2)

    def settings(self, settings: Settings) -> Settings:
        """These settings, for an app that takes payments here."""
        return replace(
            settings,
            stripe_secret_key=SECRET_KEY,
            stripe_webhook_secret=self.webhook_secret,
            stripe_api_base=self.api_base,
            stripe_prices={
                name.removeprefix("STRIPE_PRICE_ID_"): price for name, price in stripe_prices().items()
            },
            frontend_url=FRONTEND,
        )

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Anything, as it is answered."""
        options.setdefault("timeout", 60)
        return self.session.request(method, self.url + path, json=body, **options)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the control API that must succeed."""
        answer = self.call(method, f"/sandbox/stripe{path}", body)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def do(self, action: str, **wish: Any) -> Any:
        """Make something happen; what came of it, as the API would show it."""
        return self.ask("POST", f"/do/{action}", wish)

    # what a person does at Stripe's pages

    def pay(self, session: str, *, card: str = CARD, **customer: Any) -> Event:
        """Fill in a Checkout session, by its url or id, and press Pay; the session as it is then.

        A card that is refused leaves it open. `customer`: email, name, address {line1, city, postal_code,
        country}, tax_id, and is_authentic=False to refuse 3-D Secure.
        """
        return dict(self.do("pay", session=session, card=card, **customer))

    def cancel(self, session: str) -> Event:
        """Go back to the shop: the session stays open."""
        return dict(self.do("cancel", session=session))

    def expire(self, session: str) -> Event:
        return dict(self.do("expire", session=session))

    def settle(self, session: str, *, succeeded: bool = True) -> Event:
        """Let the delayed payment of a session come in, or fail."""
        return dict(self.do("settle", session=session, succeeded=succeeded))

    # what the bank, the account's owner and time do

    def refund(self, payment_intent: str, cents: int | None = None, **wish: Any) -> Event:
        """Give back some of a payment, or all that is left of it."""
        return dict(self.do("refund", payment_intent=payment_intent, amount=cents, **wish))

    def dispute(self, payment_intent: str, cents: int | None = None, *, won: bool | None = None) -> Event:
        """The card's owner disputes a payment. `won` by us, lost, or None: still open."""
        opened = dict(self.do("dispute", payment_intent=payment_intent, amount=cents))
        return opened if won is None else self.close_dispute(opened["id"], won=won)

    def close_dispute(self, dispute: str, *, won: bool) -> Event:
        return dict(self.do("close-dispute", dispute=dispute, won=won))

    def fail_renewals(self, subscription: str) -> None:
        """The card behind it is refused from now on."""
        self.do("fail-renewals", subscription=subscription)

    def mend_renewals(self, subscription: str) -> None:
        """It has a good card again."""
        self.do("mend-renewals", subscription=subscription)

    def advance(self, *, days: float = 0, seconds: float = 0, months: int = 0, years: int = 0) -> int:
        """Move Stripe's time, and let happen what falls due on the way. The new time."""
        moved = self.do("advance", days=days, seconds=seconds, months=months, years=years)
        return int(moved["now"])

    @property
    def offset_seconds(self) -> float:
        """How far Stripe's time is ahead of the wall's."""
        return float(self.ask("GET", "/clock")["offset_seconds"])

    # events

    def pull(self) -> list[Event]:
        """The events since the last call, oldest first, as documents."""
        return [held["event"] for held in self.pull_signed()]

    def pull_signed(self) -> list[dict[str, Any]]:
        """The same, each with the body and the signature that a post would carry now."""
        return list(self.ask("POST", "/pull")["events"])

    def post(self, client: FlaskClient, events: Iterable[Event] | None = None) -> list[TestResponse]:
        """Post events (those of `pull` when none are given) to the app, signed as of its own time."""
        at = int(clock.now().timestamp())
        return [self._posted(client, event, at) for event in (self.pull() if events is None else events)]

    def _posted(self, client: FlaskClient, event: Event, at: int) -> TestResponse:
        body = rendered(event)
        signed = {"Stripe-Signature": header(body, self.webhook_secret.split(","), at)}
        return client.post("/webhooks/stripe", data=body, headers=signed, content_type="application/json")

    def deliveries(self, **wanted: str) -> list[dict[str, Any]]:
        """What was told, with the answers, oldest first: type=, about=."""
        answer = self.call("GET", "/sandbox/stripe/deliveries", params={"limit": "5000", **wanted})
        return list(answer.json()["deliveries"])

    def all_told(self, within_seconds: float = 30) -> None:
        """Wait until every event was taken or given up."""
        eventually(lambda: self.ask("GET", "/deliveries")["outstanding"] == 0, within_seconds=within_seconds)

    def again(self, event_id: str) -> None:
        self.ask("POST", f"/events/{event_id}/again")

    def roll_secret(self, secret: str | None = None) -> str:
        """Sign with a new secret beside the old one; the new one."""
        return str(self.ask("POST", "/webhook-secret", {"secret": secret})["secret"])

    def end_roll(self) -> None:
        self.ask("DELETE", "/webhook-secret")

    # the account

    def objects(self, kind: str, **members: str) -> list[Event]:
        """Objects by kind (`checkout.session`, `payment_intent`, …), newest first."""
        answer = self.call("GET", f"/sandbox/stripe/objects/{kind}", params={"limit": "5000", **members})
        return list(answer.json()["objects"])

    def object(self, kind: str, number: str) -> Event:
        return dict(self.ask("GET", f"/objects/{kind}/{number}")["object"])

    def requests(self, **wanted: str) -> list[dict[str, Any]]:
        """What the API was asked, oldest first."""
        answer = self.call("GET", "/sandbox/stripe/requests", params=wanted)
        return list(answer.json()["requests"])

    def account(self, **changes: Any) -> dict[str, Any]:
        """webhook_url, webhook_secret, enabled_events, secret_key."""
        return dict(self.ask("PUT", "/account", changes))

    def fault(self, kind: str, **details: Any) -> None:
        self.ask("POST", "/faults", {"kind": kind, **details})

    def heal(self) -> None:
        self.ask("DELETE", "/faults")

    def switch(self, **switches: Any) -> None:
        self.ask("PUT", "/switches", switches)

    def reset(self) -> None:
        """Nothing was ever bought, and it is today."""
        self.ask("POST", "/reset")
        self.account(webhook_secret=self.webhook_secret, secret_key=SECRET_KEY, enabled_events=["*"])


@contextmanager
def a_stripe(*, webhook_url: str = "", retry_seconds: float = 0.01, **settings: Any) -> Iterator[StripeWorld]:
    """A sandbox for as long as the context lasts. `settings`: members of SandboxConfig."""
    app = create_sandbox(
        SandboxConfig(
            stripe_secret_key=SECRET_KEY,
            stripe_webhook_secret=WEBHOOK_SECRET,
            stripe_webhook_url=webhook_url,
            stripe_retry_seconds=retry_seconds,
            **settings,
        )
    )
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    server.daemon_threads = True  # a kept-alive connection of the app must not keep the test
    try:
        with serving(server), requests.Session() as session:
            session.trust_env = False
            yield StripeWorld(f"http://127.0.0.1:{server.server_port}", session=session)
    finally:
        app.extensions["sandbox"].close()


@pytest.fixture(scope="session")
def running_stripe() -> Iterator[StripeWorld]:
    with a_stripe() as world:
        yield world


@pytest.fixture
def stripe_world(running_stripe: StripeWorld, app: Flask) -> Iterator[StripeWorld]:
    """A Stripe where nothing was bought, and the app that takes payments there."""
    running_stripe.reset()
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = running_stripe.settings(before)
    yield running_stripe
    app.config["SETTINGS"] = before
