from __future__ import annotations

import pytest
from flask import Flask

from app.core.database import db
from app.shops.models import Shop
from tests import build


def a_detached_shop() -> Shop:
    """A shop that keeps its values when a refused request rolls the shared session back."""
    shop = build.a_shop()
    db.session.expunge(shop)
    return shop


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_detached_shop()


@pytest.fixture
def stranger(app: Flask) -> Shop:
    """Another shop."""
    return a_detached_shop()
