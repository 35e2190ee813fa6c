"""Years of billing at a pretended Stripe, whose news come doubled, late, shuffled: one for each seed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.faults.scenarios.catalogue import Theme
from tests.faults.world import Stage

THEME = Theme("billing")
SEEDS = 200
YEARS = "tests/life/test_billing_year.py"
PASSED = re.compile(r"(\d+) passed")


@THEME.scenario("two hundred years of billing, with Stripe's events doubled, late and shuffled")
def years_of_billing(stage: Stage, seeds: int = SEEDS) -> None:
    case = stage.case(0)
    env = {**os.environ, **stage.world.env, "BILLING_YEAR_SEEDS": str(seeds)}
    log = Path(stage.world.data_dir) / "logs" / "billing-years.log"
    with log.open("w") as lines:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-n", "auto", "-q", "-x", "-p", "no:cacheprovider", YEARS],
            env=env,
            stdout=lines,
            stderr=subprocess.STDOUT,
            check=False,
        )
    found = PASSED.search(log.read_text())
    passed = int(found[1]) if found else 0
    case.title += f" ({passed} years)"
    case.expect(f"the books balance after every step for all {seeds} seeds", passed == seeds)
    case.expect("nothing else went wrong", done.returncode == 0)
