"""The credit proof over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Response, g

from app.billing.proof import exporting, listing, signing
from app.billing.proof.exporting import Period
from app.billing.proof.listing import LedgerPage
from app.billing.proof.schemas import LedgerPageSchema, LedgerQuery, PeriodQuery, PublicKeySchema
from app.billing.proof.signing import PublicKey
from app.core.http import ApiBlueprint
from app.core.http.download import download

blueprint = ApiBlueprint("ledger", __name__, description="Every credit, and the proof of it")
JSON_LINES = "application/x-ndjson"
FILE: dict[str, Any] = {"schema": {"type": "string"}, "content_type": JSON_LINES}


@blueprint.get("/billing/ledger")
@blueprint.arguments(LedgerQuery, location="query")
@blueprint.data(200, LedgerPageSchema)
def list_ledger(query: dict[str, Any]) -> LedgerPage:
    """List the movements of the shop's credits, the newest first."""
    return listing.list_transfers(g.shop_id, **query)


@blueprint.get("/billing/ledger/export")
@blueprint.arguments(PeriodQuery, location="query")
@blueprint.response(200, **FILE)
@blueprint.errors(400, 401)
def export_ledger(query: dict[str, Period]) -> Response:
    """Download the signed proof of the shop's credits: JSON, a line for each transfer, seal and message."""
    pieces = exporting.export(g.shop_id, query["period"])
    return download(pieces, "ledger.jsonl", content_type=JSON_LINES)


@blueprint.get("/billing/ledger/public-key")
@blueprint.data(200, PublicKeySchema)
def show_public_key() -> PublicKey:
    """The key that exports are signed with. Keep it where nobody changes it."""
    return signing.public_key()
