"""People change their minds while a campaign is on its way: opting out, pausing, cancelling."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from app.contacts import consent
from app.contacts.models import ConsentSource
from app.core.database import db
from app.core.uow import unit_of_work
from tests.faults.gate import Gate, Trouble
from tests.faults.scenarios.catalogue import Theme
from tests.faults.scenarios.killed import drained, finish_with
from tests.faults.world import Case, Stage, until

THEME = Theme("control")
PHONES = "SELECT phone FROM messages WHERE shop_id = :shop_id ORDER BY id"
CLAIMED_AT = """
    SELECT m.phone, extract(epoch FROM a.started_at)::float8 AS at
    FROM messages m JOIN send_attempts a ON a.id = m.attempt_id
    WHERE m.shop_id = :shop_id AND m.state <> 'skipped'"""
OVERLAPS = """
    SELECT count(*) FROM send_attempts a JOIN send_attempts b ON b.run_id = a.run_id AND b.id > a.id
    WHERE a.shop_id = :shop_id AND b.started_at < a.finished_at"""


def until_called(gate: Gate, calls: int) -> None:
    until(f"more than {calls} calls", lambda: len(gate.passed) > calls)


def opt_out(case: Case, phone: str) -> float:
    """Opt out as by a reply; when it had committed, in seconds since 1970."""
    with unit_of_work(case.shop.id):
        consent.withdraw_by_phone(case.shop.id, phone, source=ConsentSource.SMS_REPLY)
    return time.time()


@THEME.scenario("four workers on one campaign")
def four_workers(stage: Stage) -> None:
    case, gate = stage.case(800), stage.gate(0.02)
    for _ in range(4):
        stage.fork("sending", None, gate)
    stage.click_send(case)
    until("all is sent", lambda: drained(stage, case))
    case.expect_at_rest(
        "they worked side by side", lambda: stage.rows(OVERLAPS, shop_id=case.shop.id)[0][0] > 10
    )
    case.expect_at_rest("all were sent", lambda: stage.count(case, "not_sent", "failed") == 0)


@THEME.scenario("opt-outs between freezing and claiming")
def opted_out_before_the_claim(stage: Stage) -> None:
    case = stage.case(100)
    stage.click_send(case)
    gone = {row.phone for row in stage.rows(PHONES, shop_id=case.shop.id)[::2]}
    for phone in gone:
        opt_out(case, phone)
    gate = stage.gate()
    finish_with(stage, case, gate)
    stage.let_senders_end()
    texted = {phone for call in gate.passed for phone in call.phones}
    case.expect("nobody who had opted out was texted", not texted & gone and len(texted) == 50)
    case.expect_at_rest("they were skipped", lambda: stage.count(case, "skipped") == 50)


@THEME.scenario("opt-outs racing the claims")
def opted_out_in_a_race(stage: Stage) -> None:
    case, gate = stage.case(400), stage.gate(0.03)
    stage.click_send(case)
    phones = [row.phone for row in stage.rows(PHONES, shop_id=case.shop.id)]
    for _ in range(2):
        stage.fork("sending", None, gate, SMS_BATCH_SIZE=5, SMS_BATCHES_IN_FLIGHT=1)
    until_called(gate, 0)
    committed = {phone: opt_out(case, phone) for phone in phones[::-3]}
    until("all is sent", lambda: drained(stage, case))
    stage.let_senders_end()
    texted = {phone for call in gate.passed for phone in call.phones}
    claimed_at = {row.phone: row.at for row in stage.rows(CLAIMED_AT, shop_id=case.shop.id)}
    late = [phone for phone in texted & committed.keys() if claimed_at[phone] > committed[phone]]
    case.expect(f"nobody was claimed after opting out ({len(late)} were)", not late)
    case.expect_at_rest("some opted out in time", lambda: stage.count(case, "skipped") > 20)


@THEME.scenario("cancelled while it is being sent")
def cancelled(stage: Stage) -> None:
    case, gate = stage.case(400), stage.gate(0.03)
    stage.click_send(case)
    for _ in range(2):
        stage.fork("sending", None, gate, SMS_BATCHES_IN_FLIGHT=2)
    until_called(gate, 5)
    case.expect("it is cancelled", stage.post(case, "cancel").status_code == 200)
    case.expect("nothing waits any more", stage.count(case, "pending") == 0)
    stage.let_senders_end()
    case.expect_at_rest(
        "the rest was skipped",
        lambda: stage.status(case) == "cancelled" and stage.count(case, "skipped") > 50,
    )


@THEME.scenario("paused, resumed, paused and resumed")
def paused(stage: Stage) -> None:
    case, gate = stage.case(400), stage.gate(0.03)
    stage.click_send(case)
    for _ in range(2):
        stage.fork("sending", None, gate, SMS_BATCHES_IN_FLIGHT=1)
    for calls in (5, 15):
        until_called(gate, calls)
        case.expect("it pauses", stage.post(case, "pause").status_code == 200)
        until("what was claimed is settled", lambda: stage.count(case, "claimed") == 0)
        calls_before, pending = len(gate.passed), stage.count(case, "pending")
        stage.world.servers.redis_flush()  # and the sweep rings, if it rings at all
        time.sleep(0.5)  # that nothing happens has no condition to wait for
        case.expect("nothing is claimed meanwhile", stage.count(case, "pending") == pending > 0)
        case.expect("nobody is called meanwhile", len(gate.passed) == calls_before)
        case.expect("it resumes", stage.post(case, "resume").status_code == 200)
    until("all is sent", lambda: drained(stage, case))
    case.expect_at_rest("all were sent", lambda: stage.count(case, "skipped", "not_sent") == 0)


@THEME.scenario("lease of one second, carrier slower than the lease")
def lease_too_short(stage: Stage) -> None:
    case, gate = stage.case(40), stage.gate()
    stage.stand("events", CLAIM_LEASE_SECONDS=1)
    stage.carrier_reports(paused=True)  # so that it is the answers that resolve, and not the reports
    calls = [gate.next_call(Trouble(stop="answer")) for _ in range(4)]
    stage.click_send(case)
    stage.fork("sending", None, gate, CLAIM_LEASE_SECONDS=1, SMS_BATCHES_IN_FLIGHT=4)
    until("the sweep calls them unknown", lambda: stage.count(case, "unknown") == 40)
    stage.fork("sending", None, gate, CLAIM_LEASE_SECONDS=1)
    for call in calls:
        call.release.set()
    until("the late answers settle them", lambda: stage.count(case, "sent") == 40)
    case.expect("nobody was called again", len(gate.passed) == 4)
    stage.carrier_reports(paused=False)
    stage.stand("events")


@THEME.scenario("opt-outs, a pause and a cancel by many hands at once")
def many_hands(stage: Stage) -> None:
    case, gate = stage.case(300), stage.gate(0.02)
    stage.click_send(case)
    phones = [row.phone for row in stage.rows(PHONES, shop_id=case.shop.id)]
    for _ in range(3):
        stage.fork("sending", None, gate)

    until_called(gate, 0)

    def stop(phone: str) -> None:
        with stage.app.app_context():
            opt_out(case, phone)
            db.session.remove()

    with ThreadPoolExecutor(12) as hands:
        stopped = [hands.submit(stop, phone) for phone in phones[::-10]]
        steered = [
            hands.submit(stage.post, case, action) for action in ("pause", "resume", "pause", "cancel")
        ]
    for opted_out in stopped:
        opted_out.result()
    assert all(answer.result().status_code < 500 for answer in steered)
    stage.post(case, "cancel")
    stage.let_senders_end()
    until("nothing waits", lambda: drained(stage, case))
