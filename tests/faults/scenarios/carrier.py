"""A carrier that hangs, hangs up, talks nonsense or lies. Only what certainly was not sent is sent again."""

from __future__ import annotations

from typing import Any

from tests.faults.gate import Answer, Trouble
from tests.faults.scenarios.catalogue import Theme
from tests.faults.scenarios.killed import drained, finish_with
from tests.faults.world import Case, Stage, until

THEME = Theme("carrier")
BATCH = 10
REFUSED_CALLS = "SELECT FROM messages WHERE shop_id = :shop_id AND failure = 'connect_failed' LIMIT 1"
FOUND_AGAIN = "every one was found again by its report"


def send_through(stage: Stage, trouble: Trouble, *, later: Trouble | None = None, **env: object) -> Case:
    """Send a campaign whose first call (and one more) meets trouble on the wire."""
    case, gate = stage.case(), stage.gate()
    gate.next_call(trouble)
    if later:
        gate.next_call(later)
    stage.click_send(case)
    finish_with(stage, case, gate, SMS_BATCHES_IN_FLIGHT=1, **env)
    return case


def send_with_fault(stage: Stage, kind: str, **details: Any) -> Case:
    """Send a campaign while one of the carrier's own faults is in force."""
    case = stage.case()
    stage.carrier_fault(kind, **details)
    stage.click_send(case)
    finish_with(stage, case)
    return case


def expect_not_sent(stage: Stage, case: Case, count: int) -> None:
    sentence = f"{count} were not sent" if count else FOUND_AGAIN
    case.expect_at_rest(sentence, lambda: stage.count(case, "not_sent") == count)


@THEME.scenario("carrier accepts and answers too late")
def hangs(stage: Stage) -> None:
    case = send_through(stage, Trouble(stop="answer", seconds=4), MITTO_TIMEOUT_SECONDS=2)
    expect_not_sent(stage, case, 0)


@THEME.scenario("carrier accepts only after we have stopped listening")
def accepts_late(stage: Stage) -> None:
    case = send_through(stage, Trouble(stop="before", seconds=4), MITTO_TIMEOUT_SECONDS=2)
    expect_not_sent(stage, case, 0)


@THEME.scenario("connection reset after the request was read, nothing accepted")
def reset_before(stage: Stage) -> None:
    expect_not_sent(stage, send_through(stage, Trouble(stop="before", seconds=0, end="reset")), BATCH)


@THEME.scenario("connection reset after acceptance")
def reset_after(stage: Stage) -> None:
    expect_not_sent(stage, send_through(stage, Trouble(stop="answer", seconds=0, end="reset")), 0)


@THEME.scenario("carrier accepts and drops the connection")
def drops_after(stage: Stage) -> None:
    expect_not_sent(stage, send_with_fault(stage, "drop_after_accept", count=2), 0)


@THEME.scenario("carrier drops the connection before it reads")
def drops_before(stage: Stage) -> None:
    expect_not_sent(stage, send_with_fault(stage, "drop_before_read"), BATCH)


@THEME.scenario("500 before acceptance")
def broken_before(stage: Stage) -> None:
    expect_not_sent(stage, send_with_fault(stage, "http_500_before_accept"), BATCH)


@THEME.scenario("500 after acceptance")
def broken_after(stage: Stage) -> None:
    expect_not_sent(stage, send_with_fault(stage, "http_500_after_accept", count=2), 0)


@THEME.scenario("429, try again in a second")
def too_many(stage: Stage) -> None:
    case = send_with_fault(stage, "http_429", count=2, retry_after=1)
    case.expect_at_rest(
        "all were sent", lambda: stage.count(case, "sent", "delivered", "undelivered", "failed") == 60
    )


@THEME.scenario("half of a batch is refused")
def half_refused(stage: Stage) -> None:
    case = send_with_fault(stage, "refuse_items", share=0.5)
    case.expect_at_rest("half a batch has failed", lambda: stage.count(case, "failed") == BATCH // 2)


@THEME.scenario("answer lacks one message")
def truncated(stage: Stage) -> None:
    expect_not_sent(stage, send_with_fault(stage, "truncate_messages", value=1), 0)


@THEME.scenario("answer is cut in the middle")
def malformed(stage: Stage) -> None:
    expect_not_sent(stage, send_with_fault(stage, "malformed_json"), 0)


@THEME.scenario("carrier lies: one id for all messages of a call")
def one_id_for_all(stage: Stage) -> None:
    def lie(answer: Answer) -> Answer:
        first = answer["messages"][0]
        return answer | {"messages": [first] * len(answer["messages"])}

    expect_not_sent(stage, send_through(stage, Trouble(change=lie)), 0)


@THEME.scenario("carrier lies: the ids of an earlier call once more")
def ids_of_an_earlier_call(stage: Stage) -> None:
    heard: list[Answer] = []

    def listen(answer: Answer) -> Answer:
        heard.append(answer)
        return answer

    case = send_through(stage, Trouble(change=listen), later=Trouble(change=lambda _: heard[0]))
    expect_not_sent(stage, case, 0)


@THEME.scenario("carrier broken for long: sending pauses and goes on")
def circuit(stage: Stage) -> None:
    case = stage.case()
    stage.carrier_fault("http_500_after_accept", count=20)
    stage.click_send(case)
    stage.fork("sending", SMS_BATCH_SIZE=2)
    until("the circuit opens", lambda: stage.redis.exists("circuit:mitto:pause"))
    until("the rest is sent", lambda: drained(stage, case))
    expect_not_sent(stage, case, 0)


@THEME.scenario("carrier killed in the middle of a campaign, and started again")
def carrier_killed(stage: Stage) -> None:
    case = stage.case(400)
    stage.carrier_fault("latency_ms", value=50, count=None)
    stage.click_send(case)
    stage.fork("sending", SMS_BATCHES_IN_FLIGHT=2)
    until("some have been sent", lambda: stage.count(case, "sent", "delivered") >= 50)
    stage.world.kill("sandbox")
    until("calls are refused", lambda: stage.rows(REFUSED_CALLS, shop_id=case.shop.id))
    stage.world.start("sandbox")
    stage.world.wait_ready()
    until("the rest is sent", lambda: drained(stage, case))
