"""The rules of the house that no linter knows. Each rule is also tried on a snippet that breaks it."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "misc", "data", "info"}
PRIVATE_MODELS = (["credits"], ["messaging"])  # money and messages move through one door
UNFINISHED = ("TO" + "DO", "FIX" + "ME")
OUTSIDE_WORLD = ("app/sandbox/", "app/demo", "app/local/")


@dataclass(frozen=True)
class Source:
    """A file by its path from the root, with its text; a snippet in a self-test looks the same."""

    path: str
    text: str

    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def lines(self) -> Iterator[tuple[int, str]]:
        return enumerate(self.text.splitlines(), start=1)

    def is_under(self, *folders: str) -> bool:
        return self.path.startswith(folders)


Rule = Callable[[Source], Iterator[str]]


def files_are_short(source: Source) -> Iterator[str]:
    length = len(source.text.splitlines())
    if source.is_under("app/") and length > LONGEST_FILE:
        yield f"{length} lines: split it by verb"


def functions_are_short(source: Source) -> Iterator[str]:
    if not source.is_under("app/"):
        return
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{node.lineno}: {node.name} has {length} lines"


def only_the_unit_of_work_commits(source: Source) -> Iterator[str]:
    # database.py: what the connect event does to a raw connection, before any session has it.
    if not source.is_under("app/") or source.is_under(
        "app/core/uow.py", "app/core/database.py", *OUTSIDE_WORLD
    ):
        return
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback", "begin", "begin_nested"}:
            yield f"{node.lineno}: .{node.attr} belongs to app/core/uow.py"


def only_settings_read_the_environment(source: Source) -> Iterator[str]:
    if not source.is_under("app/") or source.is_under("app/config.py", *OUTSIDE_WORLD):
        return
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
            yield f"{node.lineno}: os.{node.attr}; ask the Settings"


def modules_are_named_for_a_concept(source: Source) -> Iterator[str]:
    path = Path(source.path)
    if source.is_under("app/", "bench/", "tests/") and path.suffix == ".py":
        yield from (f"'{name}' names no concept" for name in {*path.parts, path.stem} & FORBIDDEN_NAMES)


def rows_are_locked_before_they_are_joined(source: Source) -> Iterator[str]:
    # The planner may run such a sub-select once per row and lock more than its LIMIT: use a materialized CTE.
    shape = re.compile(r"\bIN\s*\(\s*SELECT\b[^()]*(?:\([^()]*\)[^()]*)*\bFOR\s+(?:NO\s+KEY\s+)?UPDATE", re.I)
    if not source.is_under("app/", "migrations/"):
        return
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and shape.search(node.value):
            yield f"{node.lineno}: IN (SELECT … FOR UPDATE)"


def provider_calls_let_bugs_and_timeouts_through(source: Source) -> Iterator[str]:
    if not source.is_under("app/messaging/", "app/integrations/"):
        return
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.ExceptHandler) and _names(node.type) & {"Exception", "BaseException", None}:
            yield f"{node.lineno}: would swallow the job's timeout; name the errors"


def only_commands_print(source: Source) -> Iterator[str]:
    if not source.is_under("app/") or source.is_under(*OUTSIDE_WORLD) or source.path.endswith("/cli.py"):
        return
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield f"{node.lineno}: print; log an event"


def the_books_and_the_messages_have_one_door(source: Source) -> Iterator[str]:
    if not source.is_under("app/"):
        return
    for line, module in _imports(source):
        parts = module.split(".")
        is_models = parts[0] == "app" and parts[1:2] in PRIVATE_MODELS and "models" in parts[2:]
        if is_models and not source.is_under(f"app/{parts[1]}/"):
            yield f"{line}: {module}; ask that feature's service or queries"


def nothing_leans_on_the_outside_world(source: Source) -> Iterator[str]:
    if not source.is_under("app/") or source.is_under("app/demo"):
        return
    for line, module in _imports(source):
        folder = module.replace(".", "/") + "/"
        for outside in OUTSIDE_WORLD:
            if folder.startswith(outside) and not source.is_under(outside):
                yield f"{line}: {module} is for development"


def the_sandbox_shares_no_code(source: Source) -> Iterator[str]:
    if source.is_under("app/sandbox/"):
        for line, module in _imports(source):
            if module.startswith("app.") and not module.startswith("app.sandbox"):
                yield f"{line}: {module}; the outside world knows nothing of ours"


def no_file_names_one_machine(source: Source) -> Iterator[str]:
    pattern = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/")
    yield from (f"{number}: {line.strip()[:80]}" for number, line in source.lines() if pattern.search(line))


def every_todo_has_an_issue(source: Source) -> Iterator[str]:
    pattern = re.compile(rf"\b(?:{'|'.join(UNFINISHED)})\b(?!\s*\(?#\d+)")
    yield from (f"{number}: {line.strip()[:80]}" for number, line in source.lines() if pattern.search(line))


# Each rule with a path and a text that break it.
RULES: list[tuple[Rule, str, str]] = [
    (files_are_short, "app/x.py", "x = 1\n" * 401),
    (functions_are_short, "app/x.py", "def f():\n" + "    x = 1\n" * 40),
    (only_the_unit_of_work_commits, "app/x.py", "db.session.commit()"),
    (only_the_unit_of_work_commits, "app/x.py", "with engine.begin() as c: pass"),
    (only_settings_read_the_environment, "app/x.py", "import os\nos.environ['A']"),
    (modules_are_named_for_a_concept, "app/contacts/utils.py", ""),
    (modules_are_named_for_a_concept, "app/common/phones.py", ""),
    (
        rows_are_locked_before_they_are_joined,
        "app/x.py",
        "Q = 'UPDATE m SET a = 1 WHERE id IN (SELECT id FROM m WHERE f(b) LIMIT 5 FOR UPDATE SKIP LOCKED)'",
    ),
    (provider_calls_let_bugs_and_timeouts_through, "app/messaging/x.py", "try: f()\nexcept Exception: pass"),
    (provider_calls_let_bugs_and_timeouts_through, "app/integrations/x.py", "try: f()\nexcept: pass"),
    (
        provider_calls_let_bugs_and_timeouts_through,
        "app/integrations/x.py",
        "try: f()\nexcept (ValueError, Exception): pass",
    ),
    (only_commands_print, "app/x.py", "print(1)"),
    (the_books_and_the_messages_have_one_door, "app/campaigns/x.py", "from app.credits.models import Wallet"),
    (the_books_and_the_messages_have_one_door, "app/campaigns/x.py", "from app.credits import models"),
    (nothing_leans_on_the_outside_world, "app/core/x.py", "from app.local.servers import embedded_servers"),
    (nothing_leans_on_the_outside_world, "app/local/x.py", "import app.sandbox"),
    (the_sandbox_shares_no_code, "app/sandbox/x.py", "from app.core import clock"),
    (no_file_names_one_machine, "docs/x.md", "see /" + "root/notes"),
    (every_todo_has_an_issue, "app/x.py", "# TO" + "DO later"),
]
NAMES = sorted({rule.__name__ for rule, _, _ in RULES})
FOR_EVERY_FILE = {"no_file_names_one_machine", "every_todo_has_an_issue"}


def tracked_sources() -> list[Source]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True)  # noqa: S607
    paths = [path for path in listed.stdout.decode().split("\0") if path and (ROOT / path).is_file()]
    return [Source(path, _text(ROOT / path)) for path in paths]


@pytest.mark.parametrize("name", NAMES)
def test_the_code_keeps_the_rule(name: str):
    rule = next(rule for rule, _, _ in RULES if rule.__name__ == name)
    sources = [s for s in tracked_sources() if s.path.endswith(".py") or name in FOR_EVERY_FILE]

    broken = [f"{source.path}:{what}" for source in sources for what in rule(source)]

    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(("rule", "path", "text"), RULES)
def test_the_rule_can_fail(rule: Rule, path: str, text: str):
    assert list(rule(Source(path, text)))


def test_some_code_was_looked_at():
    assert any(source.path.startswith("app/") for source in tracked_sources())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""  # a picture


def _imports(source: Source) -> Iterator[tuple[int, str]]:
    """Imported modules; `from a import b` counts as both a and a.b, since b may be a module."""
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _names(caught: ast.expr | None) -> set[str | None]:
    if caught is None:
        return {None}
    parts = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return {part.id if isinstance(part, ast.Name) else ast.unparse(part) for part in parts}
