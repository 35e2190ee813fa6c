"""`make faults`: play every scenario, judge each against the carrier's record, and say so in one line."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from pathlib import Path

from app.local.errors import LocalServersUnavailable
from tests.faults.scenarios import THEMES
from tests.faults.scenarios.catalogue import Theme
from tests.faults.verdict import Verdict, judge, shorten
from tests.faults.world import Case, Stage

FIGURES = ("messages", "lost", "astray")
DATA_DIR = Path(".local/faults")


def say(line: str = "") -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def play(stage: Stage, theme: Theme, words: str = "") -> list[Case]:
    """Play the theme's scenarios whose title has `words`; their cases, to be judged at rest."""
    stage.cases = []
    for title, scenario in theme.scenarios:
        if words not in title and words != theme.name:
            continue
        stage.title = title
        started = time.monotonic()
        try:
            scenario(stage)
        except Exception as failed:
            traceback.print_exc()
            broken = stage.cases[-1] if stage.cases and stage.cases[-1].title == title else stage.case(0)
            broken.problems.append(f"the scenario ended with {type(failed).__name__}: {failed}")
        finally:
            stage.end_scenario()
        say(f"     played in {time.monotonic() - started:5.1f} s  {title}")
    return stage.cases


def run(stage: Stage, words: str) -> list[Verdict]:
    verdicts: list[Verdict] = []
    waiting: list[Case] = []
    for theme in THEMES:
        cases = play(stage, theme, words)
        if theme.is_judged_last:
            waiting += cases
        elif cases:
            verdicts += shown(judge(stage, cases))
    return verdicts + (shown(judge(stage, waiting)) if waiting else [])


def shown(verdicts: list[Verdict]) -> list[Verdict]:
    """Print the verdicts, with what was seen where it was not good."""
    for one in verdicts:
        mark = "ok  " if one.is_good else "FAIL"
        say(
            f"{mark} {one.title:88} {one.messages:6} messages {one.accepted:6} accepted"
            f" {one.sent_twice:3} twice {one.lost:3} lost {one.astray:3} astray"
        )
        for problem in shorten(one.problems):
            say(f"       {problem}")
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", default="", help="words of a scenario's title, or a theme's name")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 100_000, help="of the random kills")
    chosen = parser.parse_args()
    say(f"seed {chosen.seed}")
    started = time.monotonic()
    try:
        with Stage(DATA_DIR, chosen.seed) as stage:
            verdicts = run(stage, chosen.only)
            doubled = len(stage.carrier("stats")["duplicates"])
    except LocalServersUnavailable as unavailable:
        say(str(unavailable))
        return 2
    twice = max(sum(one.sent_twice for one in verdicts), doubled)
    say(f"{time.monotonic() - started:.0f} s, logs in {DATA_DIR / 'logs'}")
    messages, lost, astray = (sum(getattr(one, name) for one in verdicts) for name in FIGURES)
    say(
        f"faults: {len(verdicts)} scenarios, {messages} messages, {twice} sent twice,"
        f" {lost} lost silently, {astray} credits astray"
    )
    return 0 if verdicts and not doubled and all(one.is_good for one in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
