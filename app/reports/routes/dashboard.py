"""The dashboard over HTTP."""

from __future__ import annotations

from typing import Any

from flask import g

from app.core.cache import cached
from app.core.http import ApiBlueprint
from app.reports.routes import FAMILIES
from app.reports.schemas.dashboard import DashboardOverviewSchema, DashboardSchema, QuickStatsSchema
from app.reports.service import dashboard

blueprint = ApiBlueprint("dashboard", __name__, description="What a merchant sees first")
SECONDS = 60  # what a change whose process died before telling may stay unseen


@blueprint.get("/dashboard")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.data(200, DashboardSchema)
def show() -> Any:
    """Show the shop's totals, its last seven days and its newest campaigns."""
    return dashboard.dashboard(g.shop_id)


@blueprint.get("/dashboard/overview")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.data(200, DashboardOverviewSchema)
def overview() -> Any:
    """Show the totals of all time, and the latest messages and credit movements."""
    return dashboard.overview(g.shop_id, g.shop.currency)


@blueprint.get("/dashboard/quick-stats")
@cached(*FAMILIES, seconds=SECONDS)
@blueprint.data(200, QuickStatsSchema)
def quick_stats() -> Any:
    """Show two numbers: texts accepted, credits free."""
    return dashboard.quick_stats(g.shop_id)
