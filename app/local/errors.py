"""What can go wrong before the local system is up."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class LocalServersUnavailable(Exception):
    """The local system cannot be started. The text is one sentence for the person at the terminal."""


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn a folder that cannot be written into LocalServersUnavailable; let other errors pass."""
    try:
        yield
    except OSError as refused:
        if refused.errno not in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOSPC}:
            raise
        raise LocalServersUnavailable(
            f"Local data cannot be written to {folder}: {refused.strerror}."
        ) from refused
