"""The one way in which a look-up does not succeed."""

from __future__ import annotations


class VatRegisterUnavailable(Exception):
    """No usable answer, which says nothing of the number: ask later. `reason` is the register's word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
