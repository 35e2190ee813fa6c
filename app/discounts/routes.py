"""A shop's discounts, under the two paths that the clients use."""

from __future__ import annotations

from typing import Any

from flask import g

from app.core.http import ApiBlueprint
from app.discounts.schemas import (
    DiscountListSchema,
    DiscountSchema,
    DiscountValidationSchema,
    ValidateDiscountIn,
)
from app.discounts.service import looking_up as service
from app.discounts.service.describing import Discount
from app.discounts.service.looking_up import Validation

blueprint = ApiBlueprint("discounts", __name__, description="The discounts that a text can offer")


@blueprint.get("/shopify/discounts")
@blueprint.data(200, DiscountListSchema)
def list_discounts() -> dict[str, Any]:
    """List the discounts that can be used now. A shop without Shopify has none."""
    found = service.usable_discounts(g.shop_id)
    return {"discounts": found, "total": len(found), "active": len(found)}


@blueprint.get("/discounts")
@blueprint.data(200, DiscountListSchema)
def list_discounts_too() -> dict[str, Any]:
    """List the discounts that can be used now; the same as /shopify/discounts."""
    return list_discounts()  # type: ignore[no-any-return]


@blueprint.post("/shopify/discounts/validate")
@blueprint.arguments(ValidateDiscountIn)
@blueprint.data(200, DiscountValidationSchema)
def validate_discount(body: dict[str, Any]) -> Validation:
    """Say whether a discount can be used now, and if not, why."""
    return service.validate_discount(g.shop_id, body["discount_id"])


@blueprint.get("/discounts/validate/<code>")
@blueprint.data(200, DiscountValidationSchema)
@blueprint.errors(404)
def validate_code(code: str) -> Validation:
    """Say whether a code can be used now, and if not, why."""
    return service.validate_code(g.shop_id, code)


# Shopify's ids have slashes (gid://shopify/DiscountCodeNode/1), and the clients do not encode them.
@blueprint.get("/shopify/discounts/<path:discount_id>")
@blueprint.data(200, DiscountSchema)
@blueprint.errors(404, 503)
def show_discount(discount_id: str) -> Discount:
    """Show a discount."""
    return service.find_discount(g.shop_id, discount_id)


@blueprint.get("/discounts/<path:discount_id>")
@blueprint.data(200, DiscountSchema)
@blueprint.errors(404, 503)
def show_discount_too(discount_id: str) -> Discount:
    """Show a discount; the same as /shopify/discounts/…"""
    return service.find_discount(g.shop_id, discount_id)
