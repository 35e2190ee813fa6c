"""The shop's one customer at Stripe."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from app.core.clock import now
from app.core.queue import wake
from app.core.uow import across_shops, after_commit, require_unit_of_work, savepoint, unit_of_work
from app.integrations.stripe.client import stripe_client
from app.integrations.stripe.errors import StripeFailed
from app.payers import queries

WENT_WRONG = "APIError"  # 5xx


def ensure_customer(shop_id: int) -> str:
    """The id of the shop's Stripe customer, which is made when there is none: once, by `customer:{shop_id}`.

    A use case of its own: Stripe is asked outside any unit of work. Raises StripeNotConfigured, StripeFailed.
    """
    with unit_of_work(shop_id):
        known = customer_of(shop_id)
    if known:
        return known
    made = _made_at_stripe(shop_id)
    with unit_of_work(shop_id):
        return _keep(shop_id, made)


def customer_of(shop_id: int) -> str | None:
    """The shop's Stripe customer, if it has one. A step."""
    profile = queries.profile_of(shop_id)
    return profile.stripe_customer_id if profile else None


def shop_of_customer(customer_id: str) -> int | None:
    """Whose Stripe customer this is, if anybody's. A use case of its own: Stripe tells no shop."""
    with across_shops("an event of Stripe names the customer, not the shop") as session:
        return session.scalar(queries.SHOP_OF_CUSTOMER, {"customer_id": customer_id})


def adopt_customer(shop_id: int, customer_id: str) -> bool:
    """Take a customer that Stripe made, for instance in Checkout, as the shop's if it has none.

    True when it is the shop's now; False when the shop has another, or the customer is another shop's. A
    step.
    """
    try:
        with savepoint():
            return _keep(shop_id, customer_id) == customer_id
    except IntegrityError:
        return False


def _made_at_stripe(shop_id: int) -> str:
    """A customer with nothing but the shop's id: a repetition of the key must say the same. The rest is
    pushed.

    Stripe repeats its answer to a key for a day, even one that it went wrong itself. A customer that nobody
    knows of is a smaller evil than a shop that cannot pay until tomorrow, so another key comes after that.
    """
    try:
        return _create(shop_id, f"customer:{shop_id}")
    except StripeFailed as failed:
        if failed.reason != WENT_WRONG:
            raise
    return _create(shop_id, f"customer:{shop_id}:{now():%Y-%m-%d}")


def _create(shop_id: int, key: str) -> str:
    told = {"shopId": str(shop_id), "storeId": str(shop_id), "type": "shop"}
    with stripe_client() as stripe:
        return stripe.v1.customers.create({"metadata": told}, {"idempotency_key": key}).id


def _keep(shop_id: int, customer_id: str) -> str:
    kept = (
        require_unit_of_work()
        .execute(queries.KEEP_CUSTOMER, {"shop_id": shop_id, "customer_id": customer_id})
        .one()
    )
    if kept.is_behind:
        after_commit(lambda: wake("payers.push", shop_id))
    return str(kept.stripe_customer_id)
