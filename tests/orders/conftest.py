from __future__ import annotations

import pytest
from flask import Flask

from app.shops.models import Shop
from tests import build


@pytest.fixture
def shop(app: Flask) -> Shop:
    return build.a_shop()
