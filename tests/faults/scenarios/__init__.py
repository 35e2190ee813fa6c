"""The scenarios, by theme. Each is a function that plays on the stage and leaves its cases to be judged."""

from __future__ import annotations

from tests.faults.scenarios import (
    billing,
    carrier,
    control,
    imports,
    killed,
    money,
    reports,
    storm,
    weather,
    webhooks,
)
from tests.faults.scenarios.catalogue import Theme

THEMES: tuple[Theme, ...] = (
    imports.THEME,
    killed.THEME,
    carrier.THEME,
    reports.THEME,
    control.THEME,
    money.THEME,
    weather.THEME,
    storm.THEME,
    webhooks.THEME,
    billing.THEME,
)
