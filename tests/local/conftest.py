"""Folders in which tests start servers of their own, emptied and forgotten afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.local.servers import SERVER_VARIABLES, remove


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    yield folder
    remove(folder)


@pytest.fixture
def unset(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment that names no servers, for the test and for the processes that it starts."""
    for name in SERVER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return dict(os.environ)
