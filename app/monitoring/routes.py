"""Metrics and health over HTTP, for operators and their machines."""

from __future__ import annotations

import hmac
from ipaddress import ip_address, ip_network
from typing import Any

from flask import Response, request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4

from app.core.http import ApiBlueprint
from app.core.settings import settings
from app.monitoring.errors import NotAnOperator
from app.monitoring.schemas import ConfigHealthSchema, FullHealthSchema, MetricsQuery, SystemMetricsSchema
from app.monitoring.service import health
from app.monitoring.service.figures import figures

# Not tenant routes: the administrator's token is the credential, whatever shop is signed in.
blueprint = ApiBlueprint(
    "monitoring", __name__, public=True, description="Metrics and health; needs X-Admin-Token"
)
METRICS = "monitoring.metrics"
TEXT: dict[str, Any] = {"text/plain": {"schema": {"type": "string"}}}
JSON = {"application/json": {"schema": {"$ref": "#/components/schemas/Metrics"}}}


@blueprint.before_request
def require_operator() -> None:
    """Raises NotAnOperator. A scraper may send the token as Bearer, or come from METRICS_ALLOWLIST."""
    given = request.headers.get("X-Admin-Token") or request.headers.get("Authorization", "")[len("Bearer ") :]
    if hmac.compare_digest(given.encode(), settings().admin_token.encode()):
        return
    if request.endpoint != METRICS or not _is_allowed(request.remote_addr or ""):
        raise NotAnOperator


@blueprint.get("/metrics")
@blueprint.arguments(MetricsQuery, location="query")
@blueprint.response(200, SystemMetricsSchema)
@blueprint.errors(400, 403)
@blueprint.doc(responses={"200": {"description": "OK", "content": JSON | TEXT}})
def metrics(query: dict[str, Any]) -> Any:
    """Give the figures of the whole system, as JSON or (`format=prometheus`) as text."""
    if query["format"] == "json":
        return figures().as_json()
    return Response(figures().as_prometheus(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


@blueprint.get("/health/config")
@blueprint.response(200, ConfigHealthSchema)
@blueprint.errors(403)
def show_configuration() -> dict[str, Any]:
    """Say what is configured; no secret is shown."""
    return health.configuration()


@blueprint.get("/health/full")
@blueprint.response(200, FullHealthSchema)
@blueprint.errors(403)
def show_everything() -> dict[str, Any]:
    """Check everything that the system needs. Calls nobody outside and changes nothing."""
    return health.everything()


def _is_allowed(address: str) -> bool:
    try:
        known = ip_address(address)
    except ValueError:
        return False
    return any(known in ip_network(network) for network in settings().metrics_allowlist)
