"""A shop's discounts, under the two paths that the clients use."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import g

from app.core.http import ApiBlueprint
from app.discounts.schemas import (
    DiscountListSchema,
    DiscountSchema,
    DiscountValidationSchema,
    MoreCodesIn,
    PoolIn,
    PoolListSchema,
    PoolSchema,
    ValidateDiscountIn,
)
from app.discounts.service import looking_up as service
from app.discounts.service import pools
from app.discounts.service.describing import Discount
from app.discounts.service.looking_up import Validation

pools_blueprint = ApiBlueprint(
    "discount-pools", __name__, description="Discount codes that one person alone is given"
)
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


@pools_blueprint.get("/discount-pools")
@pools_blueprint.data(200, PoolListSchema)
def list_pools() -> dict[str, Any]:
    """List the shop's pools of codes, newest first."""
    return {"pools": pools.list_pools(g.shop_id)}


@pools_blueprint.post("/discount-pools")
@pools_blueprint.arguments(PoolIn)
@pools_blueprint.data(201, PoolSchema)
def create_pool(body: dict[str, Any]) -> Any:
    """Make a pool of codes; they are usable once Shopify has them (`liveCodes`)."""
    percent = Decimal(str(body.pop("percentage")))
    return pools.create_pool(g.shop_id, percent=percent, **body)


@pools_blueprint.post("/discount-pools/<id:pool_id>/codes")
@pools_blueprint.arguments(MoreCodesIn)
@pools_blueprint.data(200, PoolSchema)
@pools_blueprint.errors(404)
def add_codes(body: dict[str, Any], pool_id: int) -> Any:
    """Add codes to a pool."""
    return pools.add_codes(g.shop_id, pool_id, body["count"])
