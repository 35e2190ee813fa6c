"""The nightly proof."""

from __future__ import annotations

from app.audit.service import report_differences
from app.core.jobs import periodic


@periodic("audit.nightly", every_seconds=86_400)
def nightly() -> None:
    """Log an error when the books do not balance. Runbook: docs/runbooks/books-do-not-balance.md."""
    report_differences()
