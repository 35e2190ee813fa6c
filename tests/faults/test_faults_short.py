"""A few of the scenarios of `make faults`, with real processes, in the time a test may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.local.servers import SERVER_VARIABLES, remove
from tests.faults.__main__ import play
from tests.faults.scenarios import control, killed, money, weather
from tests.faults.scenarios.catalogue import Theme
from tests.faults.verdict import judge
from tests.faults.world import Stage

SHORT = Theme("short")
SHORT.scenario("killed after the claim committed")(killed.after_the_claim)
SHORT.scenario("killed before the settlement commits")(killed.before_the_settlement_commits)
SHORT.scenario("web process killed between the hold and the state")(killed.between_hold_and_state)
SHORT.scenario("twenty clicks at once")(money.twenty_clicks)
SHORT.scenario("lease shorter than a batch")(control.lease_too_short)
SHORT.scenario("opt-outs before the claim")(control.opted_out_before_the_claim)
SHORT.scenario("Redis flushed at once")(weather.flushed_at_once)

# One process at a time makes a world: it has servers and ports of its own, and wants both cores.
pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and no servers but those that will be made in it."""
    for name in SERVER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "faults"


@pytest.mark.timeout(240)  # a machine that runs all tests at once is slow
def test_whatever_dies_nobody_is_texted_twice_or_lost_and_the_credits_add_up(data_dir: Path):
    with Stage(data_dir) as stage:
        cases = play(stage, SHORT)
        verdicts = judge(stage, cases)
        duplicates = stage.carrier("stats")["duplicates"]
    remove(data_dir)

    assert len(verdicts) == len(SHORT.scenarios)
    assert [(one.title, one.problems) for one in verdicts if not one.is_good] == []
    assert duplicates == []
