"""What a shop has allowed us, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def missing(needed: Sequence[str], granted: Iterable[str]) -> list[str]:
    """The needed scopes that were not granted. Who may write may read, says Shopify."""
    held = set(granted)
    held |= {scope.replace("write_", "read_", 1) for scope in held if scope.startswith("write_")}
    held |= {
        scope.replace("unauthenticated_write_", "unauthenticated_read_", 1)
        for scope in held
        if scope.startswith("unauthenticated_write_")
    }
    return [scope for scope in needed if scope not in held]
