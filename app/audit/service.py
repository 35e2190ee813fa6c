"""Proving the books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import text

from app.audit.checks import CHECKS, Check
from app.core.settings import settings
from app.core.uow import across_shops

log = structlog.get_logger(__name__)
SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """One check's result: how much was looked at, how many rows break the promise, and the first of them."""

    check: Check
    looked_at: int
    differences: int
    examples: Sequence[Mapping[str, Any]]


def audit() -> list[Finding]:
    """Run every check in one snapshot. Reads only; never repairs: a difference is a bug to be understood."""
    with across_shops("the books of every shop are proven together", snapshot=True) as session:
        return [_run(session, check) for check in CHECKS]


def report_differences() -> int:
    """Run the audit and log an error for every check that fails; returns the differences. The nightly job."""
    findings = audit()
    for finding in findings:
        if finding.differences:
            log.error("books_do_not_balance", check=finding.check.name, differences=finding.differences)
    return sum(finding.differences for finding in findings)


def _run(session: Any, check: Check) -> Finding:
    values = {"lease_seconds": settings().claim_lease_seconds} if ":lease_seconds" in check.sql else {}
    rows = session.execute(text(check.sql), values).mappings().all()
    looked_at = session.scalar(text(check.counted)) or 0
    return Finding(check, looked_at, len(rows), [dict(row) for row in rows[:SHOWN]])
