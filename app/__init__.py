"""Astronote: SMS marketing for Shopify merchants."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The configured app. Raises ConfigError when the environment is not usable.

    Imported here, not above: the sandbox is part of this package and must start without the product.
    """
    from app.application import build

    return build(settings)
