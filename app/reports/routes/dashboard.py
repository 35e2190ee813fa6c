"""The dashboard over HTTP."""

from __future__ import annotations

from typing import Any

from flask import g

from app.core.http import ApiBlueprint
from app.reports.schemas.dashboard import DashboardOverviewSchema, DashboardSchema, QuickStatsSchema
from app.reports.service import dashboard

blueprint = ApiBlueprint("dashboard", __name__, description="What a merchant sees first")


@blueprint.get("/dashboard")
@blueprint.data(200, DashboardSchema)
def show() -> Any:
    """Show the shop's totals, its last seven days and its newest campaigns."""
    return dashboard.dashboard(g.shop_id)


@blueprint.get("/dashboard/overview")
@blueprint.data(200, DashboardOverviewSchema)
def overview() -> Any:
    """Show the totals of all time, and the latest messages and credit movements."""
    return dashboard.overview(g.shop_id, g.shop.currency)


@blueprint.get("/dashboard/quick-stats")
@blueprint.data(200, QuickStatsSchema)
def quick_stats() -> Any:
    """Show two numbers: texts accepted, credits free."""
    return dashboard.quick_stats(g.shop_id)
