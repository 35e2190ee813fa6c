"""Redis forgets or goes away, Postgres restarts: rows in Postgres say what remains to be done."""

from __future__ import annotations

from tests.faults.crashing_worker import CrashPoint
from tests.faults.scenarios.catalogue import Theme
from tests.faults.scenarios.killed import SETTLE, drained, finish_with
from tests.faults.world import Case, Stage, until

THEME = Theme("weather")
LATENCY_SECONDS = 0.05
SETTLED = "SELECT count(*) FROM send_attempts WHERE shop_id = :shop_id AND state = 'settled'"


def under_way(stage: Stage, contacts: int = 400, senders: int = 2) -> Case:
    """A campaign of which some has been sent and most has not."""
    case, gate = stage.case(contacts), stage.gate(LATENCY_SECONDS)
    stage.click_send(case)
    for _ in range(senders):
        stage.fork("sending", None, gate, SMS_BATCHES_IN_FLIGHT=1)
    until("some have been sent", lambda: stage.count(case, "sent", "delivered", "undelivered") >= 40)
    case.expect("most is still waiting", stage.count(case, "pending") > contacts / 4)
    return case


def until_no_more_wait(stage: Stage, case: Case, left: int) -> None:
    until(f"at most {left} wait", lambda: stage.count(case, "pending") <= left)


def expect_all_sent(stage: Stage, case: Case) -> None:
    case.expect_at_rest(
        "all were sent", lambda: stage.states(case).keys() <= {"sent", "delivered", "undelivered", "failed"}
    )


@THEME.scenario("Redis flushed in the middle of a campaign, three times")
def flushed(stage: Stage) -> None:
    case = under_way(stage)
    for left in (250, 150, 50):
        stage.world.servers.redis_flush()
        until_no_more_wait(stage, case, left)
    until("the rest is sent", lambda: drained(stage, case))
    expect_all_sent(stage, case)


@THEME.scenario("Redis flushed before anybody has heard the bell")
def flushed_at_once(stage: Stage) -> None:
    case = stage.case()
    stage.click_send(case)
    stage.world.servers.redis_flush()
    finish_with(stage, case)
    expect_all_sent(stage, case)


@THEME.scenario("Redis stopped in the middle of a campaign, and started again")
def redis_stopped(stage: Stage) -> None:
    case = under_way(stage)
    stage.world.servers.stop_redis()
    until("what was claimed is settled", lambda: stage.count(case, "claimed") == 0)
    before = stage.count(case, "pending")
    answer = stage.post(case, "pause")
    case.expect("the API works without Redis", answer.status_code == 200)
    case.expect("nothing is sent without a rate limit", before and stage.count(case, "pending") == before)
    case.expect("the API resumes without Redis", stage.post(case, "resume").status_code == 200)
    stage.world.servers.start_redis()
    finish_with(stage, case)
    expect_all_sent(stage, case)


@THEME.scenario("Redis away when the merchant clicks")
def redis_away_at_the_click(stage: Stage) -> None:
    case = stage.case()
    stage.world.servers.stop_redis()
    stage.click_send(case)
    stage.world.servers.start_redis()
    finish_with(stage, case)
    expect_all_sent(stage, case)


@THEME.scenario("Postgres restarted in the middle of a settlement")
def restarted_mid_settle(stage: Stage) -> None:
    case = stage.case()
    stage.stand("events", CLAIM_LEASE_SECONDS=60)
    stage.carrier_reports(paused=True)  # so that it is the answers that settle, and not the reports
    sender = stage.fork("sending", CrashPoint("after", SETTLE, nth=2, action="hold"))
    stage.click_send(case)
    sender.wait_reached()
    stage.world.servers.restart_postgres("immediate")
    sender.release()
    until("all is sent", lambda: drained(stage, case))
    until("no answer is lost", lambda: stage.rows(SETTLED, shop_id=case.shop.id)[0][0] == 6, 15)
    stage.carrier_reports(paused=False)
    stage.stand("events")
    expect_all_sent(stage, case)


@THEME.scenario("Postgres killed while four workers send, twice")
def postgres_killed(stage: Stage) -> None:
    case = under_way(stage, contacts=800, senders=4)
    for left in (500, 200):
        stage.world.servers.kill_postgres()
        stage.world.servers.start_postgres()
        until_no_more_wait(stage, case, left)
    finish_with(stage, case)


@THEME.scenario("Postgres restarted while a request freezes the audience")
def restarted_mid_freeze(stage: Stage) -> None:
    case = stage.case(4000)
    web = stage.fork("web", CrashPoint("before_commit", "INSERT INTO credit_holds", action="hold"))
    with stage.in_background(lambda: stage.post(case, "enqueue", base=web.url)) as click:
        web.wait_reached()
        stage.world.servers.restart_postgres("immediate")
        web.release()
    case.expect("the click failed", click.result().status_code >= 500)
    case.expect("the campaign is a draft", stage.status(case) == "draft" and not stage.states(case))
    stage.click_send(case)
    finish_with(stage, case, SMS_BATCH_SIZE=200)
