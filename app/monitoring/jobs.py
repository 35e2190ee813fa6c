"""Looking after it all."""

from __future__ import annotations

from app.core.jobs import periodic
from app.monitoring.service import alerts


@periodic("monitoring.check", every_seconds=60)
def check() -> None:
    """Tell of what is wrong. Runbooks: docs/runbooks/README.md."""
    alerts.tell()
