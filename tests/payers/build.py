"""What tests of payers have in common."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from app.core.uow import unit_of_work
from app.integrations.stripe.events import StripeEvent
from app.payers import jobs, queries
from app.payers.models import Profile
from app.shops.models import Shop
from tests import build
from tests.stripe_world import StripeWorld

ADDRESS = {
    "line1": "Hauptstraße 1",
    "line2": "",
    "city": "Berlin",
    "state": "",
    "postalCode": "10115",
    "country": "DE",
}


def put(client: FlaskClient, shop: Shop, **body: Any) -> dict[str, Any]:
    """Save the profile; the answer's data."""
    answer = client.put("/billing/profile", json=body, headers=build.auth(shop))
    assert answer.status_code == 200, answer.text
    return dict(answer.json["data"])


def shown(client: FlaskClient, shop: Shop) -> dict[str, Any]:
    answer = client.get("/billing/profile", headers=build.auth(shop))
    assert answer.status_code == 200, answer.text
    return dict(answer.json["data"])


def profile_of(shop: Shop) -> Profile:
    with unit_of_work(shop.id):
        found = queries.profile_of(shop.id)
    assert found is not None
    return found


def let_be_due(shop: Shop) -> None:
    """The pauses and leases of the shop's profile are over."""
    with unit_of_work(shop.id) as session:
        session.execute(
            sa.text(
                "UPDATE billing_profiles SET push_at = now() - interval '1 s',"
                " vat_check_at = CASE WHEN vat_check_at IS NOT NULL THEN now() - interval '1 s' END"
            )
        )


def pushed(client: FlaskClient, shop: Shop, **body: Any) -> str:
    """A shop whose profile is at Stripe; the customer's id."""
    put(client, shop, **body)
    jobs.push(shop.id)
    customer = profile_of(shop).stripe_customer_id
    assert customer is not None
    return customer


def events(world: StripeWorld, *types: str) -> list[StripeEvent]:
    """What Stripe has told since the last call, of these types."""
    told = [StripeEvent.from_payload(payload) for payload in world.pull()]
    return [event for event in told if not types or event.type in types]
