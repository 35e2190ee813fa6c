"""The running app's settings."""

from __future__ import annotations

from typing import cast

from flask import current_app

from app.config import Settings


def settings() -> Settings:
    """The frozen settings that the app was created with."""
    return cast(Settings, current_app.config["SETTINGS"])
