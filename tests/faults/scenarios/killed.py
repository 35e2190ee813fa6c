"""kill -9 at each step of the pipeline. Another worker goes on; nobody is texted twice or forgotten."""

from __future__ import annotations

import requests

from tests.faults.crashing_worker import CrashPoint
from tests.faults.gate import Gate, Trouble
from tests.faults.scenarios.catalogue import Theme
from tests.faults.world import Case, Fork, Stage, until

THEME = Theme("killed")

CLAIM = "INSERT INTO send_attempts"
SETTLE = "provider_batch_id = "
HOLD = "INSERT INTO credit_holds"
FREEZE = "INSERT INTO messages"
EXPIRE = "'worker_died'"
LONG_TEXT = "Hello {{firstName}}. " + "Everything is 20% off until Sunday, and then it is not. " * 20


def drained(stage: Stage, case: Case) -> bool:
    """Whether nothing of the campaign waits to be claimed any more."""
    stage.keep_up()
    found = stage.states(case)
    return bool(found) and not found.get("pending")


def finish_with(stage: Stage, case: Case, gate: Gate | None = None, **env: object) -> None:
    """Let a healthy worker send the rest."""
    stage.fork("sending", None, gate, **env)
    until("the rest is sent", lambda: drained(stage, case))


def kill_a_sender(stage: Stage, point: CrashPoint) -> Case:
    """A campaign whose first worker dies at `point` and whose second one sends the rest."""
    case = stage.case()
    victim = stage.fork("sending", point, SMS_BATCHES_IN_FLIGHT=1)
    stage.click_send(case)
    victim.wait_dead()
    case.expect("the worker died where it should", victim.has_reached())
    finish_with(stage, case)
    return case


@THEME.scenario("killed after the claim committed, before the call")
def after_the_claim(stage: Stage) -> None:
    case = kill_a_sender(stage, CrashPoint("after_commit", CLAIM, nth=2))
    case.expect_at_rest(
        "the ten that were claimed were not sent", lambda: stage.count(case, "not_sent") == 10
    )


@THEME.scenario("killed before the claim commits")
def before_the_claim_commits(stage: Stage) -> None:
    case = kill_a_sender(stage, CrashPoint("before_commit", CLAIM, nth=2))
    case.expect_at_rest("nothing was claimed in vain", lambda: stage.count(case, "not_sent") == 0)


@THEME.scenario("killed in the middle of the request's body")
def mid_body(stage: Stage) -> None:
    case = stage.case(400, text=LONG_TEXT)
    gate = stage.gate()
    trouble = gate.next_call(Trouble(stop="body", end="reset"))
    victim = stage.fork("sending", None, gate, SMS_BATCH_SIZE=300, SMS_BATCHES_IN_FLIGHT=1)
    stage.click_send(case)
    until("half of the request has been read", trouble.reached.is_set)
    victim.kill()
    trouble.release.set()
    finish_with(stage, case)
    case.expect("the request was cut", 0 < trouble.bytes_read < trouble.bytes_announced and not gate.passed)
    case.expect_at_rest("what was in the request was not sent", lambda: stage.count(case, "not_sent") == 300)


@THEME.scenario("killed while the carrier thinks")
def while_the_carrier_thinks(stage: Stage) -> None:
    case = stage.case()
    gate = stage.gate()
    trouble = gate.next_call(Trouble(stop="answer", end="reset"))
    victim = stage.fork("sending", None, gate, SMS_BATCHES_IN_FLIGHT=1)
    stage.click_send(case)
    until("the carrier has accepted", trouble.reached.is_set)
    victim.kill()
    trouble.release.set()
    finish_with(stage, case)
    case.expect_at_rest("every one was found again by its report", lambda: stage.count(case, "not_sent") == 0)


@THEME.scenario("killed after the answer, before the settlement")
def after_the_answer(stage: Stage) -> None:
    case = kill_a_sender(stage, CrashPoint("before", SETTLE, nth=2))
    case.expect_at_rest("every one was found again by its report", lambda: stage.count(case, "not_sent") == 0)


@THEME.scenario("killed before the settlement commits")
def before_the_settlement_commits(stage: Stage) -> None:
    case = kill_a_sender(stage, CrashPoint("before_commit", SETTLE, nth=2))
    case.expect_at_rest("every one was found again by its report", lambda: stage.count(case, "not_sent") == 0)


@THEME.scenario("killed after a settlement, before the next claim")
def after_the_settlement(stage: Stage) -> None:
    case = kill_a_sender(stage, CrashPoint("after_commit", SETTLE, nth=3))
    case.expect_at_rest("nothing was claimed in vain", lambda: stage.count(case, "not_sent") == 0)


@THEME.scenario("killed after the last settlement, before the campaign is told of its end")
def after_the_last_settlement(stage: Stage) -> None:
    case = kill_a_sender(stage, CrashPoint("after_commit", SETTLE, nth=6))
    case.expect_at_rest("it is completed", lambda: stage.status(case) == "completed")


@THEME.scenario("web process killed in the middle of freezing the audience")
def mid_freeze_in_the_request(stage: Stage) -> None:
    _killed_click(stage, CrashPoint("during", FREEZE), contacts=4000)


@THEME.scenario("web process killed between the hold and the commit of the state")
def between_hold_and_state(stage: Stage) -> None:
    _killed_click(stage, CrashPoint("before_commit", HOLD), contacts=60)


def _killed_click(stage: Stage, point: CrashPoint, contacts: int) -> None:
    case = stage.case(contacts)
    web = stage.fork("web", point)
    case.expect("the click was not answered", _click_in_vain(stage, case, web))
    web.wait_dead()
    case.expect("the process died where it should", web.has_reached())
    until("the transaction is gone", lambda: stage.status(case) == "draft" and not stage.states(case))
    stage.click_send(case)
    finish_with(stage, case, SMS_BATCH_SIZE=200)
    case.expect_at_rest("the second click sent to all", lambda: sum(stage.states(case).values()) == contacts)


@THEME.scenario("web process killed after the commit, before the bell is rung")
def before_the_first_bell(stage: Stage) -> None:
    case = stage.case()
    web = stage.fork("web", CrashPoint("after_commit", HOLD))
    case.expect("the click was not answered", _click_in_vain(stage, case, web))
    web.wait_dead()
    again = stage.post(case, "enqueue")
    case.expect("a second click is refused", again.status_code == 409)
    finish_with(stage, case)


@THEME.scenario("freezing job killed in the middle of the statement")
def mid_freeze_in_the_job(stage: Stage) -> None:
    _killed_freezing(stage, CrashPoint("during", FREEZE))


@THEME.scenario("freezing job killed before its commit")
def freeze_before_commit(stage: Stage) -> None:
    _killed_freezing(stage, CrashPoint("before_commit", FREEZE))


def _killed_freezing(stage: Stage, point: CrashPoint) -> None:
    case = stage.case(4000)
    stage.kill_standing("events")
    victim = stage.fork("events", point)
    web = stage.fork("web", ENQUEUE_INLINE_LIMIT=100)
    stage.click_send(case, base=web.url)
    victim.wait_dead()
    case.expect("the job died where it should", victim.has_reached())
    stage.stand("events")
    until("the audience is frozen", lambda: sum(stage.states(case).values()) == 4000)
    finish_with(stage, case, SMS_BATCH_SIZE=200)


@THEME.scenario("sweep killed before its commit")
def killed_sweep(stage: Stage) -> None:
    case = stage.case()
    victim = stage.fork("sending", CrashPoint("after_commit", CLAIM, nth=2))
    stage.kill_standing("events")
    sweeper = stage.fork("events", CrashPoint("before_commit", EXPIRE))
    stage.click_send(case)
    victim.wait_dead()
    sweeper.wait_dead()
    case.expect("the sweep died where it should", sweeper.has_reached())
    stage.stand("events")
    finish_with(stage, case)


def _click_in_vain(stage: Stage, case: Case, web: Fork) -> bool:
    """Whether the click ended without an answer."""
    try:
        stage.post(case, "enqueue", base=web.url)
    except requests.ConnectionError:
        return True
    return False
