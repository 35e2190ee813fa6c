"""Periodic work of billing."""

from __future__ import annotations

from app.core.jobs import periodic
from app.credits.proof import sealing


@periodic("billing.seal_ledgers", every_seconds=900)
def seal_ledgers() -> None:
    """Seal what shops have posted since half a day. What one round does not reach, the next one does."""
    sealing.seal_due()
