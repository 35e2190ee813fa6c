"""W's page of billing details: shown, saved, taken over from Stripe's portal."""

from __future__ import annotations

import pytest

from app.payers import jobs
from app.shops.models import Shop
from tests.clients.browser import Rejected, Web
from tests.stripe_world import StripeWorld


def test_billing_details(web: Web, shop: Shop, stripe_world: StripeWorld) -> None:
    assert web.get("/billing/profile")["legalName"] is None
    with pytest.raises(Rejected) as refused:
        web.post("/billing/profile/sync-from-stripe")
    assert refused.value.code == "MISSING_CUSTOMER_ID"

    address = {
        "line1": "Ερμού 1",
        "line2": "",
        "city": "Αθήνα",
        "state": "",
        "postalCode": "",
        "country": "GR",
    }
    details = {"legalName": "Υφάσματα", "billingEmail": "", "vatNumber": "EL123456789", "isBusiness": True}
    saved = web.put("/billing/profile", {**details, "vatCountry": "GR", "billingAddress": address})
    jobs.push(shop.id)
    customer = stripe_world.objects("customer")[0]
    stripe_world.client().v1.customers.update(customer["id"], {"email": "bills@example.com"})
    synced = web.post("/billing/profile/sync-from-stripe")

    assert [saved["taxStatus"], saved["taxTreatment"]] == ["pending", "domestic_vat"]
    assert customer["name"] == "Υφάσματα"
    assert synced["billingEmail"] == "bills@example.com"
    assert web.get("/billing/profile") == synced
