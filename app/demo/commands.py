"""What an operator does: the flask commands, in the environment of the running system."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from app.demo.errors import DemoStopped
from app.local.environment import ROOT

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Audit:
    """How many invariants of the books were checked, and how many rows break one."""

    checks: int
    differences: int


class Operator:
    """Runs `flask …` and reads what it prints. Raises DemoStopped when a command fails."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = dict(env)

    def open_shop(self, domain: str, name: str) -> tuple[int, str]:
        """Make a shop with neither plan nor credits; its id, and a token for it."""
        shop_id = self._flask("shops", "create", domain, "--name", name, "--plan", "none")
        return int(shop_id), self._flask("shops", "token", domain)

    def audit(self) -> Audit:
        """The result of `flask audit`, differences or not."""
        printed = self._flask("audit", "--json", fine=(0, 1)).splitlines()
        found = json.loads(printed[-1]) if printed else {}
        return Audit(found["checks"], found["differences"])

    def _flask(self, *words: str, fine: tuple[int, ...] = (0,)) -> str:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        if done.returncode not in fine:
            raise DemoStopped(f"flask {' '.join(words)} ended with {done.returncode}: {_reason(done.stderr)}")
        return done.stdout.strip()


def _reason(stderr: str) -> str:
    """The line of a traceback that names the error, else the last line."""
    lines = stderr.strip().splitlines() or ["it said nothing"]
    return next((line for line in reversed(lines) if "Error" in line.partition(":")[0]), lines[-1])
