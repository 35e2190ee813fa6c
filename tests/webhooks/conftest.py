"""A text of a shop that the carrier knows."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.links.rows import SentText, a_shop_id, a_text


@pytest.fixture
def sent(app: Flask) -> SentText:
    """A message that the carrier knows as m-1."""
    return a_text(a_shop_id(), provider_message_id="m-1")
