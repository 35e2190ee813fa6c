"""Refusals about money."""

from __future__ import annotations

from app.core.errors import Conflict, DomainError


class InsufficientCredits(DomainError):
    """Allowance and wallet together are too small; `meta` says by how much."""

    status = 402
    code = "INSUFFICIENT_CREDITS"

    def __init__(self, *, required: int, allowance: int, wallet: int) -> None:
        total = allowance + wallet
        super().__init__(
            f"This needs {required} credits; {total} are available.",
            meta={
                "remainingAllowance": allowance,
                "availableCredits": wallet,
                "totalAvailable": total,
                "requiredCredits": required,
                "missingCredits": required - total,
            },
        )


class TransferKeyReused(Conflict):
    """The same key with other numbers is a mistake, not a repeat."""

    code = "LEDGER_KEY_REUSED"
    message = "This ledger key was used for another transfer."
