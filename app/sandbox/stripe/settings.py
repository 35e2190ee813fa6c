"""What a running Stripe knows of its one account, and how it behaves. All can change live."""

from dataclasses import dataclass, field


@dataclass
class Account:
    """The account as its owner set it up. `webhook_secrets`: newest first; while one is rolled, both sign."""

    secret_key: str
    webhook_secrets: list[str]
    webhook_url: str = ""  # empty: nothing is posted
    enabled_events: list[str] = field(default_factory=lambda: ["*"])


@dataclass(frozen=True)
class Switches:
    """How Stripe behaves."""

    # Billing (dashboard → Billing → Subscriptions and emails)
    dunning_days: str = "3,5,7"  # after how many days each, a renewal that failed is tried again
    dunning_end: str = (
        "canceled"  # or unpaid, or past_due: what becomes of the subscription after the last try
    )
    finalize_seconds: int = 3600  # a renewal's invoice is a draft for so long
    # Webhooks
    retry_seconds: float = 1.0  # pause before the first retry; doubles each time
    retries: int = 8
    timeout_seconds: float = 10.0
    hold_back: bool = False  # nothing is posted: a test takes the events and posts them itself
    # Tax: what the account is registered for
    vies_works: bool = True  # False: a VAT number's check ends as `unavailable`
