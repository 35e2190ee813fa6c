"""Asking Shopify for a file of all customers, and where it is. No transaction is open in here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.customers.service.exported import CUSTOMERS
from app.integrations.shopify.client import ShopifyClient
from app.integrations.shopify.errors import ShopifyUnavailable

START = """
mutation StartCustomerExport($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: false) {
    bulkOperation { id status }
    userErrors { field message code }
  }
}
"""
LOOK = """
query BulkOperation($id: ID!) {
  bulkOperation(id: $id) { id status errorCode objectCount fileSize url }
}
"""
UNDER_WAY = frozenset({"CREATED", "RUNNING", "CANCELING"})
BUSY = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})


@dataclass(frozen=True)
class Export:
    """An operation as Shopify shows it. `url` is None until there is a file, and when it would be empty."""

    status: str
    url: str | None = None
    rows: int = 0
    size_bytes: int = 0
    error: str | None = None

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY

    @property
    def is_complete(self) -> bool:
        return self.status == "COMPLETED"


def start(client: ShopifyClient) -> str:
    """Start the operation; its id. Raises ShopifyRefused with a code of BUSY while another one runs."""
    started = client.run(START, {"query": CUSTOMERS})
    operation = (started.get("bulkOperationRunQuery") or {}).get("bulkOperation") or {}
    operation_id = operation.get("id")
    if not isinstance(operation_id, str):
        raise ShopifyUnavailable("no_operation", may_be_done=True)
    return operation_id


def look(client: ShopifyClient, operation_id: str) -> Export:
    """How far the operation is. One that Shopify does not know any more has EXPIRED."""
    found: dict[str, Any] = client.run(LOOK, {"id": operation_id}).get("bulkOperation") or {}
    return Export(
        status=str(found.get("status") or "EXPIRED"),
        url=found.get("url") if isinstance(found.get("url"), str) else None,
        rows=_number(found.get("objectCount")),
        size_bytes=_number(found.get("fileSize")),
        error=str(found["errorCode"])[:40] if found.get("errorCode") else None,
    )


def _number(raw: object) -> int:
    """An UnsignedInt64, which comes as text."""
    return int(raw) if isinstance(raw, int | str) and str(raw).isdigit() else 0
