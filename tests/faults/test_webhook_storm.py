"""The storm of `make faults` in small: real posts to a real web process, real workers that are killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.local.servers import SERVER_VARIABLES, remove
from tests.faults.__main__ import play
from tests.faults.scenarios.catalogue import Theme
from tests.faults.scenarios.webhooks import webhook_storm
from tests.faults.verdict import judge
from tests.faults.world import Stage

SHORT = Theme("short storm")
SHORT.scenario("a thousand posts of Shopify while events workers are killed")(
    lambda stage: webhook_storm(stage, 1_000)
)
# One process at a time makes a world: it has servers and ports of its own, and wants both cores.
pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and no servers but those that will be made in it."""
    for name in SERVER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "faults"


@pytest.mark.timeout(240)  # a machine that runs all tests at once is slow
def test_webhook_storm_loses_nothing_and_does_everything_once(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Stage(data_dir) as stage:
        verdicts = judge(stage, play(stage, SHORT))
    remove(data_dir)

    with capsys.disabled():
        print("\n" + "\n".join(one.title for one in verdicts))  # noqa: T201
    assert [(one.title, one.problems) for one in verdicts if not one.is_good] == []
    assert len(verdicts) == 1
