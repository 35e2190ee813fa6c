"""The billing profile page of W."""

from __future__ import annotations

from typing import Any

from flask import g

from app.core.http import ApiBlueprint
from app.payers.schemas import ProfileIn, ProfileSchema
from app.payers.service import profiles, syncing
from app.payers.service.profiles import Billing

blueprint = ApiBlueprint("billing-profile", __name__, description="Who pays, and what bills say")


@blueprint.get("/billing/profile")
@blueprint.data(200, ProfileSchema)
def show_profile() -> Billing:
    """Show who pays for the shop; defaults until somebody has said so."""
    return profiles.show(g.shop_id)


@blueprint.put("/billing/profile")
@blueprint.arguments(ProfileIn)
@blueprint.data(200, ProfileSchema, message="The billing details have been saved.")
def change_profile(body: dict[str, Any]) -> Billing:
    """Change some of the billing details; what is absent stays. Stripe is told afterwards."""
    return profiles.save(g.shop_id, body)


@blueprint.post("/billing/profile/sync-from-stripe")
@blueprint.errors(404, 502, 503)
@blueprint.data(200, ProfileSchema)
def sync_profile() -> Billing:
    """Take over what Stripe knows of who pays, at most every 30 seconds."""
    return syncing.sync_from_stripe(g.shop_id)
