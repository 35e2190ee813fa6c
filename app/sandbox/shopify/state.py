"""One running Shopify: what its routes share."""

from dataclasses import dataclass
from pathlib import Path

from flask import current_app

from app.sandbox.clock import Clock
from app.sandbox.config import SandboxConfig
from app.sandbox.recorder import Recorder
from app.sandbox.shopify.buckets import Buckets
from app.sandbox.shopify.emitter import Emitter
from app.sandbox.shopify.faults import FaultList
from app.sandbox.shopify.settings import AppRegistration, Switches
from app.sandbox.shopify.store import ShopStore
from app.sandbox.shopify.workshop import Workshop
from app.sandbox.switches import SwitchBoard


@dataclass(frozen=True)
class Shopify:
    """Its parts. `close` it when the server is gone."""

    app: AppRegistration
    switches: SwitchBoard[Switches]
    clock: Clock
    store: ShopStore
    faults: FaultList
    recorder: Recorder
    buckets: Buckets
    emitter: Emitter
    workshop: Workshop

    @classmethod
    def start(cls, config: SandboxConfig) -> "Shopify":
        """Open the store beside the carrier's."""
        app = AppRegistration(config.shopify_api_key, config.shopify_secrets(), config.app_url)
        switches = SwitchBoard(Switches(retry_seconds=config.shopify_retry_seconds))
        clock, faults, store = Clock(), FaultList(config.seed), ShopStore(_beside(config.store))
        emitter = Emitter(store, app, clock, faults, switches)
        return cls(app, switches, clock, store, faults, Recorder(), Buckets(switches), emitter, Workshop())

    def forget_everything(self) -> None:
        """As if it had just been started with an empty store. The app stays registered."""
        self.faults.clear()
        self.emitter.forget_everything()
        self.store.forget_everything()
        self.recorder.clear()
        self.switches.reset()
        self.buckets.clear()
        self.clock.offset_seconds = 0.0

    def close(self) -> None:
        """Stop bulk operations and webhooks, then close the store."""
        self.workshop.close()
        self.emitter.close()
        self.store.close()


def shopify() -> Shopify:
    """The Shopify of the current application."""
    found: Shopify = current_app.extensions["sandbox"].shopify
    return found


def _beside(store: str) -> str:
    return store if store == ":memory:" else str(Path(store).with_suffix(".shopify.db"))
