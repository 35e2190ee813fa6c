"""The documents say what the code does: names, lists, links, commands and SQL are held to it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from flask import Flask

from app.audit.checks import CHECKS
from app.background import PERIODIC
from app.campaigns.models import CampaignStatus
from app.config import ALIASES, FAMILIES, Settings
from app.messaging.states import MOVES

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
RUNBOOKS = DOCS / "runbooks"
PAGES = [README, *sorted(DOCS.rglob("*.md"))]
README_LINES = 60
WORDS = (
    *("shop", "contact", "consent event", "opt-out", "suppression", "segment", "audience", "template"),
    *("campaign", "run", "message", "part", "credit", "allowance", "wallet", "ledger transfer", "hold"),
    *("capture", "release", "attempt", "unknown", "delivery report", "short link", "click", "automation"),
    *("trigger", "inbox", "outbox", "idempotency key", "doorbell", "sweep", "sandbox", "phone inbox"),
)
FLASKS_OWN = {"db", "shell", "openapi"}


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)


def table(page: Path, header: str) -> list[list[str]]:
    """The rows of the tables whose first heading is `header`."""
    found = re.findall(rf"^\| {re.escape(header)} \|.*\n\|[-| ]+\|\n((?:\|.*\n)*)", page.read_text(), re.M)
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in "".join(found).splitlines()]


def quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def links(page: Path) -> Iterator[tuple[Path, str]]:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not target.startswith(("http://", "https://")):
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def events(level: str) -> set[str]:
    """The events that the product logs at `level`."""
    found = set()
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func) == f"log.{level}"
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(str(node.args[0].value))
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path):
    dead = [
        f"{target.name}#{anchor}"
        for target, anchor in links(page)
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]

    assert not dead


def test_every_page_can_be_reached_from_the_readme():
    reached, waiting = set(), [README]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            waiting += [target for target, _ in links(page)]

    assert set(PAGES) - reached == set()


def test_the_readme_fits_on_one_screen():
    assert len(README.read_text().splitlines()) <= README_LINES


def test_every_make_target_is_explained():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^\.PHONY: (.+)$", makefile, re.M)[0].split()

    unexplained = [target for target in targets if not re.search(rf"^{target}:.*## \w", makefile, re.M)]

    assert targets
    assert not [target for target in unexplained if f"`make {target}`" not in README.read_text()]


def test_every_target_that_the_documents_name_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:`|^)make ([a-z]+)(?=`| +#)", page.read_text(), re.M)
    }

    assert {"demo", "test", "run"} <= named <= targets


def test_the_glossary_has_every_word():
    words = [row[0] for row in table(DOCS / "glossary.md", "word")]

    assert set(WORDS) - set(words) == set()
    assert len(words) == len(set(words))


def test_the_glossary_points_into_the_code():
    places = {place for row in table(DOCS / "glossary.md", "word") for place in quoted(row[-1])}
    paths = [place.partition(":")[0].removeprefix("app/") for place in places if "/" in place]

    assert paths
    assert [path for path in paths if not (ROOT / "app" / path).exists()] == []


# Settings whose place another one takes.
STANDING_IN = {
    "direct_url": ALIASES["direct_url"][0],
    "shortlink_base_url": "PUBLIC_BASE_URL",
    "credit_price_usd": "CREDIT_PRICE_EUR",
}


def test_the_configuration_page_lists_the_settings_with_their_defaults():
    shown = {row[0].strip("`"): row[1].strip("`") for row in table(DOCS / "configuration.md", "variable")}

    assert shown == {name_of(field.name): default_of(field.name, field.default) for field in fields(Settings)}


def name_of(setting: str) -> str:
    return f"{FAMILIES[setting]}*" if setting in FAMILIES else setting.upper()


def default_of(setting: str, default: object) -> str:
    if setting in STANDING_IN:
        return STANDING_IN[setting]
    if setting in FAMILIES:
        return "none"
    if default is MISSING:
        return "required"
    if default is None or default == ():
        return "none"
    if isinstance(default, tuple):
        return ",".join(default)
    return str(default).lower() if isinstance(default, bool) else str(default)


def test_every_older_name_of_a_setting_is_mentioned():
    older = {alias for setting, aliases in ALIASES.items() if setting != "direct_url" for alias in aliases}

    assert older - quoted((DOCS / "configuration.md").read_text()) == set()


def test_every_error_has_a_runbook():
    rows = table(RUNBOOKS / "README.md", "event")

    for level in ("error", "warning"):
        listed = {event for row in rows if row[1] == level for event in quoted(row[0])}
        assert listed == events(level)


def test_an_event_is_explained_in_the_runbook_it_leads_to():
    missing = []
    for names, _, link in table(RUNBOOKS / "README.md", "event"):
        target = re.search(r"\(([\w-]+\.md)\)", link)
        text = (RUNBOOKS / target.group(1)).read_text() if target else ""
        missing += [event for event in quoted(names) if f"`{event}`" not in text]

    assert missing == []


@pytest.mark.parametrize("page", sorted(set(RUNBOOKS.glob("*.md")) - {RUNBOOKS / "README.md"}), ids=name)
def test_a_runbook_goes_from_symptom_to_verify(page: Path):
    text = page.read_text()
    places = [text.find(part) for part in ("**Symptom.**", "## Check", "## Act", "## Verify")]

    assert -1 < places[0] < places[1] < places[2] < places[3]


@pytest.mark.parametrize("page", sorted((DOCS / "adr").glob("0*.md")), ids=name)
def test_a_decision_has_context_and_consequences_and_is_listed(page: Path):
    text = page.read_text()

    assert "**Context.**" in text
    assert "**Decision.**" in text
    assert "**Consequences.**" in text
    assert f"({page.name})" in (DOCS / "adr" / "README.md").read_text()
    assert text.startswith(f"# {int(page.name[:4])}. ")


def test_the_invariants_are_those_of_the_audit():
    rows = table(DOCS / "architecture.md", "check")

    assert [row[0].strip("`") for row in rows] == [check.name for check in CHECKS]


def test_the_drawings_show_every_move():
    drawn = set(re.findall(r"^  (\w+) --> (\w+)", (DOCS / "architecture.md").read_text(), re.M))
    moves = {(str(state), str(after)) for state, allowed in MOVES.items() for after in allowed}

    assert moves - drawn == set()
    assert {str(status) for status in CampaignStatus} - {state for move in drawn for state in move} == set()


def test_the_periodic_tasks_are_those_of_the_scheduler():
    rows = table(RUNBOOKS / "scheduler-silent.md", "task") or re.findall(
        r"^   \| (`.+?) \| (.+?) \|$", (RUNBOOKS / "scheduler-silent.md").read_text(), re.M
    )
    seconds = {
        "5 s": 5,
        "10 s": 10,
        "15 s": 15,
        "30 s": 30,
        "60 s": 60,
        "5 min": 300,
        "10 min": 600,
        "15 min": 900,
        "a day": 86_400,
    }
    shown = {task: seconds[every] for tasks, every in rows for task in quoted(tasks)}

    assert shown == {work.topic: work.every_seconds for work in PERIODIC}  # type: ignore[attr-defined]


def test_every_command_that_the_documents_name_exists(migrated: Flask):
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"flask --app wsgi ([a-z]+)(?: ([a-z-]+))?", text))

    assert named
    for command, action in named:
        found = migrated.cli.commands.get(command)
        assert found or command in FLASKS_OWN, command
        if isinstance(found, click.Group):
            assert action in found.commands, f"{command} {action}"


def test_every_table_is_described(owner: sa.Engine):
    rows = table(DOCS / "architecture.md", "table")
    described = {one for row in rows for one in quoted(row[0])}

    assert set(sa.inspect(owner).get_table_names()) - described == {"alembic_version"}


def statements(page: Path) -> list[str]:
    blocks = re.findall(r"^```sql\n(.*?)^```", page.read_text(), re.M | re.S)
    return [statement.strip() for block in blocks for statement in block.split(";") if statement.strip()]


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=name)
def test_the_statements_of_a_runbook_fit_the_tables(page: Path, owner: sa.Engine):
    with owner.connect() as connection:
        for statement in statements(page):
            # EXPLAIN reads names and types without running anything.
            connection.exec_driver_sql("EXPLAIN " + re.sub(r"(?<!:):[a-z_]+", "1", statement))


def test_there_are_statements_to_check():
    assert sum(len(statements(page)) for page in RUNBOOKS.glob("*.md")) > 10
