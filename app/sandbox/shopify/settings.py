"""What a running Shopify knows of the one app it serves, and how fast it turns. All can change live."""

from dataclasses import dataclass, field

DEFAULT_SCOPES = (
    "read_customers,write_customers,read_orders,read_discounts,write_discounts,read_fulfillments,read_locales"
)


@dataclass
class AppRegistration:
    """The app as its developer registered it. `secrets`: newest first, all of them live."""

    api_key: str
    secrets: list[str]
    app_url: str = ""
    scopes: str = DEFAULT_SCOPES
    rotated_at: float = field(default=float("-inf"))

    def signing_secret(self, now: float, lag_seconds: float) -> str:
        """For a while after a rotation Shopify still signs with the secret before."""
        is_late = len(self.secrets) > 1 and now - self.rotated_at < lag_seconds
        return self.secrets[1] if is_late else self.secrets[0]

    def rotate(self, secret: str, now: float) -> None:
        """Put a new secret first; the one before stays good."""
        self.secrets = [secret, *self.secrets[:1]]
        self.rotated_at = now


@dataclass(frozen=True)
class Switches:
    """How Shopify behaves. shopify.dev: 5 s for an answer, 8 retries in 4 h, 100 points a second back."""

    retry_seconds: float = 1.0  # pause before the first retry; doubles each time (60 gives Shopify's 4 hours)
    retries: int = 8
    timeout_seconds: float = 5.0
    delete_failing: bool = True  # a subscription is deleted after 8 failures in a row
    signing_lag_seconds: float = 0.0
    bulk_seconds: float = 0.2
    bulk_group_objects: bool = False  # default of groupObjects from 2026-01 on
    bulk_concurrency: int = 5
    bucket_points: float = 2000.0
    restore_rate: float = 100.0
    non_expiring_tokens: bool = True  # custom apps may still ask for them
