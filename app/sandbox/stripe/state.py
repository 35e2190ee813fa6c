"""One running Stripe: what its doors share."""

from dataclasses import dataclass
from pathlib import Path

from flask import current_app

from app.sandbox.clock import Clock
from app.sandbox.config import SandboxConfig
from app.sandbox.recorder import Recorder
from app.sandbox.stripe.catalogue import stock
from app.sandbox.stripe.emitter import Emitter
from app.sandbox.stripe.events import Events
from app.sandbox.stripe.faults import FaultList
from app.sandbox.stripe.idempotency import IdempotencyKeys
from app.sandbox.stripe.settings import Account, Switches
from app.sandbox.stripe.store import StripeStore
from app.sandbox.switches import SwitchBoard


@dataclass(frozen=True)
class Stripe:
    """Its parts. `close` it when the server is gone."""

    account: Account
    switches: SwitchBoard[Switches]
    clock: Clock
    store: StripeStore
    keys: IdempotencyKeys
    faults: FaultList
    recorder: Recorder
    events: Events
    emitter: Emitter

    @classmethod
    def start(cls, config: SandboxConfig) -> "Stripe":
        """Open the store beside the carrier's, and put the plans and packages on sale."""
        account = Account(config.stripe_secret_key, config.stripe_secrets(), config.stripe_webhook_url)
        switches = SwitchBoard(Switches(retry_seconds=config.stripe_retry_seconds))
        clock, faults, store = Clock(), FaultList(config.seed), StripeStore(_beside(config.store))
        # A sandbox that comes back must not be younger than what it has sold.
        clock.offset_seconds = (store.get("clock", "clock") or {}).get("offset_seconds", 0.0)
        stock(store, clock.now())
        events, emitter = Events(store, clock), Emitter(store, account, faults, switches)
        events.listen(emitter.tell)
        keys = IdempotencyKeys(store, clock)
        return cls(account, switches, clock, store, keys, faults, Recorder(), events, emitter)

    def forget_everything(self) -> None:
        """As if it had just been started with an empty store. The account stays."""
        self.faults.clear()
        self.emitter.forget_everything()
        self.store.forget_everything()
        self.recorder.clear()
        self.switches.reset()
        self.clock.offset_seconds = 0.0
        stock(self.store, self.clock.now())

    def close(self) -> None:
        """Stop posting, then close the store."""
        self.emitter.close()
        self.store.close()


def stripe() -> Stripe:
    """The Stripe of the current application."""
    found: Stripe = current_app.extensions["sandbox"].stripe
    return found


def _beside(store: str) -> str:
    return store if store == ":memory:" else str(Path(store).with_suffix(".stripe.db"))
