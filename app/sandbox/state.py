"""One running sandbox: what its pages and routes share."""

from dataclasses import dataclass

from flask import current_app

from app.sandbox import queries
from app.sandbox.config import SandboxConfig
from app.sandbox.faults import FaultList
from app.sandbox.outcomes import outcome_for
from app.sandbox.reports import Outlook, Reporter
from app.sandbox.shopify.state import Shopify
from app.sandbox.store import Store
from app.sandbox.stripe.state import Stripe


@dataclass(frozen=True)
class Sandbox:
    """The carrier's parts, and the Shopify and the Stripe beside it. `close` it when the server is gone."""

    config: SandboxConfig
    store: Store
    faults: FaultList
    reporter: Reporter
    shopify: Shopify
    stripe: Stripe

    @classmethod
    def start(cls, config: SandboxConfig) -> "Sandbox":
        """Open the store and take up the reports that a former run still owed."""
        store = Store(config.store)
        sandbox = cls(
            config,
            store,
            FaultList(config.seed),
            Reporter(config, store),
            Shopify.start(config),
            Stripe.start(config),
        )
        if config.reports:
            sandbox.reporter.schedule(
                Outlook(row["id"], row["phone"], row["sender"], outcome_for(row["phone"], config))
                for row in queries.unsettled_messages(store)
            )
        return sandbox

    def forget_everything(self) -> None:
        """As if it had just been started with an empty store."""
        self.faults.clear()
        self.reporter.forget_everything()
        self.store.forget_everything()

    def close(self) -> None:
        """Stop what is still to be told, then close the stores."""
        self.shopify.close()
        self.stripe.close()
        self.reporter.close()
        self.store.close()


def sandbox() -> Sandbox:
    """The sandbox of the current application."""
    found: Sandbox = current_app.extensions["sandbox"]
    return found
