"""Delivery reports that overtake, repeat, contradict themselves, or name nobody."""

from __future__ import annotations

from tests.faults.crashing_worker import CrashPoint
from tests.faults.gate import Trouble
from tests.faults.scenarios.catalogue import Theme
from tests.faults.scenarios.killed import finish_with
from tests.faults.world import Case, Stage, until

THEME = Theme("reports")


def send_with_habits(stage: Stage, contacts: int = 150, **switches: object) -> Case:
    """Send a campaign while the carrier has bad habits; returns when it has told everything."""
    case = stage.case(contacts)
    stage.carrier_reports(**switches)
    stage.click_send(case)
    finish_with(stage, case, SMS_BATCH_SIZE=50)
    stage.let_senders_end()
    until("all reports are told", lambda: stage.carrier("outstanding")["outstanding"] == 0)
    stage.carrier_reports(**dict.fromkeys(switches, False))
    return case


@THEME.scenario("report overtakes the answer by so long that it is looked up; then the answer comes")
def before_settlement(stage: Stage) -> None:
    case, gate = stage.case(30), stage.gate()
    trouble = gate.next_call(Trouble(stop="answer"))
    stage.click_send(case)
    # The first call's answer is kept back; no other call is in flight beside it.
    stage.fork("sending", None, gate, SMS_BATCHES_IN_FLIGHT=1, MITTO_TIMEOUT_SECONDS=50)
    until("the carrier has accepted", trouble.reached.is_set)
    until("the reports are applied", lambda: stage.count(case, "sent", "delivered", "undelivered") == 10)
    trouble.release.set()
    until("the rest is sent", lambda: stage.count(case, "pending", "claimed") == 0)
    case.expect_at_rest("nobody is unknown", lambda: stage.count(case, "not_sent") == 0)


@THEME.scenario("reports come before the answers")
def early(stage: Stage) -> None:
    send_with_habits(stage, early=True)


@THEME.scenario("every report comes twice")
def twice(stage: Stage) -> None:
    send_with_habits(stage, doubled=True)


@THEME.scenario("reports come in the wrong order, a stale one after each")
def reordered(stage: Stage) -> None:
    send_with_habits(stage, reordered=True)


@THEME.scenario("reports come one by one, twice, and with strangers among them")
def strangers(stage: Stage) -> None:
    send_with_habits(stage, contacts=40, single=True, doubled=True, unknown_ids=True)


@THEME.scenario("events worker killed before it commits reports and refunds")
def killed_while_applying(stage: Stage) -> None:
    case = stage.case(300)
    stage.kill_standing("events")
    victim = stage.fork("events", CrashPoint("before_commit", "processed_at = now(), outcome"))
    stage.click_send(case)
    finish_with(stage, case, SMS_BATCH_SIZE=100)
    victim.wait_dead()
    case.expect("it died where it should", victim.has_reached())
    stage.stand("events")
