"""Nothing is left out silently: what the API serves is walked, what it does not serve is named."""

from __future__ import annotations

import importlib
import re

from tests.clients import not_yet, test_quirks
from tests.clients.pages import EMBEDDED, WEB
from tests.contracts.operations import operations

UNNAMED = re.compile(r"{\w+}")
LINES_OF_THE_CHECKLIST = 34


def test_what_is_served_has_left_the_list() -> None:
    served = {UNNAMED.sub("{}", operation.name) for operation in operations()}

    assert sorted(served & set(not_yet.CALLS)) == [], "give it a shape in pages.py and a walk"


def test_nothing_is_both_walked_and_missing() -> None:
    walked = {UNNAMED.sub("{}", name) for name in (*WEB, *EMBEDDED)}

    assert walked & set(not_yet.CALLS) == set()


def test_every_line_of_the_checklist_is_accounted_for() -> None:
    tested = {int(found[1]) for name in dir(test_quirks) if (found := re.match(r"test_(\d\d)_", name))}

    assert tested | set(not_yet.QUIRKS) | set(not_yet.WALKED) == set(range(1, LINES_OF_THE_CHECKLIST + 1))
    assert tested.isdisjoint(not_yet.QUIRKS)


def test_every_walk_that_is_named_exists() -> None:
    for walk in not_yet.WALKED.values():
        module, _, name = walk.partition(".")
        assert hasattr(importlib.import_module(f"tests.clients.{module}"), name)
