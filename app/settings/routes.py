"""The shop's settings and its account page."""

from __future__ import annotations

from typing import Any

from flask import g

from app.core.http import ApiBlueprint
from app.messaging.service import capping
from app.messaging.service.capping import Caps
from app.settings import service
from app.settings.schemas import (
    AccountSchema,
    PriceCapsSchema,
    SenderIn,
    SenderSchema,
    SettingsIn,
    SettingsSchema,
)
from app.settings.service import Account, Settings

blueprint = ApiBlueprint("settings", __name__, description="What the merchant decides about the shop's texts")


@blueprint.get("/settings")
@blueprint.data(200, SettingsSchema)
def show_settings() -> Settings:
    """Show the shop's settings."""
    return service.read(g.shop_id)


@blueprint.put("/settings")
@blueprint.arguments(SettingsIn)
@blueprint.data(200, SettingsSchema, message="The settings have been saved.")
def change_settings(body: dict[str, Any]) -> Settings:
    """Change some of the settings; what is absent stays."""
    return service.change(g.shop_id, body)


@blueprint.put("/settings/sender")
@blueprint.arguments(SenderIn)
@blueprint.data(200, SenderSchema, message="The sender has been saved.")
def change_sender(body: dict[str, Any]) -> Settings:
    """Change what people see as the sender of the texts."""
    return service.change(g.shop_id, body)


@blueprint.get("/billing/price-caps")
@blueprint.data(200, PriceCapsSchema)
def show_price_caps() -> Caps:
    """Show the most that one text may cost, anywhere and by country."""
    return capping.read_caps(g.shop_id)


@blueprint.put("/billing/price-caps")
@blueprint.arguments(PriceCapsSchema)
@blueprint.data(200, PriceCapsSchema, message="The price caps have been saved.")
def change_price_caps(caps: Caps) -> Caps:
    """Replace all price caps. Whose text would cost more gets none, in campaigns and automations."""
    return capping.replace_caps(g.shop_id, caps)


@blueprint.get("/settings/account")
@blueprint.data(200, AccountSchema)
def show_account() -> Account:
    """Show the account: the shop, its credits and what it has used."""
    return service.account(g.shop_id)
