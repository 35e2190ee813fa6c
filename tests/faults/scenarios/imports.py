"""An import whose job dies in the middle ends as if it had never died."""

from __future__ import annotations

from typing import Any

import requests

from tests.contacts.import_files import CONTACTS, EVENTS, SUPPRESSED, csv_file, mixed_rows
from tests.faults.crashing_worker import CrashPoint
from tests.faults.scenarios.catalogue import Theme
from tests.faults.world import Case, Stage, until

THEME = Theme("imports", is_judged_last=True)
ROWS = 12_000
MERGE = "WITH known AS MATERIALIZED"
FIGURES = ("total", "created", "updated", "skipped", "warnings", "status")


def upload(stage: Stage, case: Case) -> str:
    """Hand in the file; the import's id."""
    files = {"file": ("list.csv", csv_file(mixed_rows(ROWS)), "text/csv")}
    answer = requests.post(
        f"{stage.world.url}/contacts/import", files=files, headers=stage.signed_in(case), timeout=60
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["data"].get("importId") or answer.json()["data"]["id"])


def progress(stage: Stage, case: Case, import_id: str) -> dict[str, Any]:
    url = f"{stage.world.url}/contacts/imports/{import_id}"
    found: dict[str, Any] = requests.get(url, headers=stage.signed_in(case), timeout=30).json()["data"]
    return found


def what_is_in(stage: Stage, case: Case) -> list[list[Any]]:
    """Contacts, consent events and suppressions."""
    return [stage.rows(query.text, shop_id=case.shop.id) for query in (CONTACTS, EVENTS, SUPPRESSED)]


def killed_import(stage: Stage, point: CrashPoint) -> None:
    whole, case = stage.case(0), stage.case(0)
    stage.stand("imports")
    whole_id = upload(stage, whole)
    until("the first import is done", lambda: progress(stage, whole, whole_id)["status"] == "completed")
    stage.kill_standing("imports")
    victim = stage.fork("imports", point)
    import_id = upload(stage, case)
    victim.wait_dead()
    case.expect("the job died where it should", victim.has_reached())
    case.expect("it is not finished", progress(stage, case, import_id)["status"] == "running")
    stage.stand("imports")
    case.expect_at_rest(
        "the sweep has it finished",
        lambda: until(
            "the import's end", lambda: progress(stage, case, import_id)["status"] == "completed", 150
        ),
    )
    case.expect_at_rest(
        "its figures are those of an undisturbed one",
        lambda: figures(stage, case, import_id) == figures(stage, whole, whole_id),
    )
    case.expect_at_rest("and so is what it left", lambda: what_is_in(stage, case) == what_is_in(stage, whole))


def figures(stage: Stage, case: Case, import_id: str) -> list[Any]:
    found = progress(stage, case, import_id)
    return [found.get(name) for name in FIGURES]


@THEME.scenario("import job killed before its second batch commits")
def before_commit(stage: Stage) -> None:
    killed_import(stage, CrashPoint("before_commit", MERGE, nth=2))


@THEME.scenario("import job killed in the middle of its third statement")
def mid_statement(stage: Stage) -> None:
    killed_import(stage, CrashPoint("during", MERGE, nth=3))
