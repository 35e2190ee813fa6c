"""Random kills, again and again: of those who take in reports, and of those who send."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tests.faults.scenarios.catalogue import Theme
from tests.faults.scenarios.killed import drained, finish_with
from tests.faults.world import Fork, Stage, until

THEME = Theme("storm")
STORM_MESSAGES = 22_000
STORM_SECONDS = 240
WEBHOOK_MESSAGES = 3_000


@THEME.scenario("thousands of reports, one by one and twice, while the events worker is killed")
def report_storm(stage: Stage) -> None:
    case = stage.case(WEBHOOK_MESSAGES)
    stage.carrier_reports(paused=True)
    stage.click_send(case)
    finish_with(stage, case, SMS_BATCH_SIZE=200)
    stage.let_senders_end()
    stage.carrier_reports(single=True, doubled=True, reordered=True, paused=False)
    kills = 0
    while stage.carrier("outstanding")["outstanding"]:
        time.sleep(stage.chance.uniform(0.2, 0.5))
        stage.stand("events")  # kills the one that stands
        kills += 1
    stage.carrier_reports(single=False, doubled=False, reordered=False)
    case.title += f" ({kills} kills)"
    case.expect("it was killed often", kills >= 10)


@THEME.scenario("four senders, one of them killed at random every 0.3 to 0.5 s")
def sender_storm(stage: Stage) -> None:
    case, gate = stage.case(STORM_MESSAGES), stage.gate(0.05)

    def a_sender() -> Fork:
        return stage.fork("sending", None, gate, SMS_BATCH_SIZE=10, SMS_BATCHES_IN_FLIGHT=2)

    senders = [a_sender() for _ in range(4)]
    stage.click_send(case)
    started = time.monotonic()
    kills = kill_until(lambda: drained(stage, case), senders, a_sender, stage.chance)
    seconds = time.monotonic() - started
    until("somebody still works", lambda: any(sender.is_alive() for sender in senders))
    case.title += f" ({kills} kills in {seconds:.0f} s)"
    case.expect("there were kills for the whole run", kills >= seconds / 0.6)
    case.expect_at_rest(
        "20,000 were sent", lambda: stage.count(case, "sent", "delivered", "undelivered") >= 20_000
    )


def kill_until(
    is_over: Callable[[], bool], senders: list[Fork], a_sender: Callable[[], Fork], chance: random.Random
) -> int:
    """Kill a random sender again and again, and put a new one in its place; how many were killed."""
    kills = 0
    deadline = time.monotonic() + STORM_SECONDS
    while not is_over() and time.monotonic() < deadline:
        time.sleep(chance.uniform(0.3, 0.5))
        place = chance.randrange(len(senders))
        senders[place].kill()
        senders[place] = a_sender()
        kills += 1
    return kills
