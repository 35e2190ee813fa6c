"""The three ways in which a call to the carrier does not succeed; `reason` is a short word for logs."""

from __future__ import annotations


class MittoError(Exception):
    """Common ground of the three kinds; never raised itself. `reason` holds no personal data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(MittoError):
    """The whole call was certainly not done.

    With `retry` the fault lies in the account or the address, so the same call may succeed once an operator
    has mended it; without, the content is at fault and will be refused again.
    """

    def __init__(self, reason: str, retry: bool) -> None:
        super().__init__(reason)
        self.retry = retry


class Unavailable(MittoError):
    """The call was certainly not done; try later, after `retry_after_seconds` if the carrier named a time."""

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


class Ambiguous(MittoError):
    """The call may have been done. Never repeat it blindly: every message of it could be sent twice."""
