"""The benchmarks still run, and say what they promise to say. How fast anything is here is not judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.local import servers

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"name", "size", "value", "unit", "limit", "ratio", "target", "met", "n"}
NAMES = {
    "enqueue.inline",
    "enqueue.http",
    "memory.web_growth",
    "preview.exact",
    "send.two_workers",
    "send.share_of_sql",
    "reports.single",
    "reports.array_500",
    "import.csv_10k",
    "contacts.first.p50",
    "contacts.cursor_cost",
    "contacts.search_common.kept.p95",
    "poll.status.sql",
    "dashboard.p95",
    "reports.contacts.p95",
}


@pytest.mark.timeout(300)
def test_a_quick_run_measures_everything_and_judges_nothing(tmp_path: Path) -> None:
    kept, data = tmp_path / "results.json", tmp_path / "data"
    command = [sys.executable, "-m", "bench", "--quick", "--output", str(kept), "--data-dir", str(data)]

    # On servers of its own: a run makes its database anew, under a fixed name.
    env = {name: value for name, value in os.environ.items() if name not in servers.SERVER_VARIABLES}

    try:
        done = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True, text=True)
    finally:
        servers.remove(data)

    assert done.returncode == 0, done.stderr
    rows = json.loads(kept.read_text())
    assert {row["name"] for row in rows} >= NAMES
    assert all(set(row) == KEYS and row["size"] == 10_000 for row in rows)
    assert all(row["target"] is None and row["met"] is None for row in rows)
    assert all(row["value"] > 0 for row in rows if not row["name"].startswith("memory."))
