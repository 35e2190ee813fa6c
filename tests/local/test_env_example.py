""".env.example is the list of variables that an operator works from."""

from __future__ import annotations

import re
from dataclasses import fields

from app.config import FAMILIES, Settings
from app.local.environment import ROOT

EXAMPLE = (ROOT / ".env.example").read_text()


def test_every_setting_is_listed_and_nothing_else():
    listed = set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", EXAMPLE, re.M))
    alone = {field.name.upper() for field in fields(Settings)} - {name.upper() for name in FAMILIES}
    examples = {
        family: [one for one in listed - alone if one.startswith(family)] for family in FAMILIES.values()
    }

    assert listed - {one for some in examples.values() for one in some} == alone
    assert all(examples.values())


def test_defaults_are_those_of_the_code():
    shown = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", EXAMPLE, re.M))
    defaults = {field.name.upper(): field.default for field in fields(Settings)}

    wrong = {
        name: shown[name]
        for name, default in defaults.items()
        if isinstance(default, bool | int | str) and name in shown and shown[name] != _as_text(default)
    }

    assert wrong == {}


def _as_text(default: bool | int | str) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)
