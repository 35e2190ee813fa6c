"""Rest, and the verdict: our books against what the carrier has accepted."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.audit.service import audit
from app.billing import service as billing
from app.core.settings import settings
from app.messaging.link_tokens import OPT_OUT_LINK, read_token
from app.messaging.service.reports import TOKEN_IN_TEXT
from app.messaging.service.sweeping import give_up_unknown
from tests.faults.world import Case, NotReached, Stage

REST_SECONDS = 150
POLL_SECONDS = 0.25
PAGE = 1000
STATE_OF_STATUS = {"Sent": "sent", "Delivered": "delivered", "Failure": "undelivered"}

# What is still under way. Paused runs may keep what is pending; an unknown message waits for its report or
# for the end of its time.
UNDER_WAY = """
    SELECT count(*) FROM messages m JOIN message_runs r ON r.id = m.run_id
    WHERE m.shop_id = ANY(:shops) AND (m.state = 'claimed' OR (m.state = 'pending' AND r.is_open))"""
UNFINISHED = "SELECT count(*) FROM campaigns WHERE shop_id = ANY(:shops) AND status = 'sending'"
# An event whose message was looked up at the carrier in vain waits for days: it is nobody's.
UNHEARD = """
    SELECT count(*) FROM webhook_inbox
    WHERE processed_at IS NULL AND (outcome IS NULL OR available_at <= now())"""
MESSAGES = "SELECT id, state, parts, phone, provider_message_id FROM messages WHERE shop_id = :shop_id"


@dataclass
class Verdict:
    """What one scenario came to. `problems` says in words what the numbers count, and what else was amiss."""

    title: str
    messages: int = 0
    accepted: int = 0
    sent_twice: int = 0
    lost: int = 0
    astray: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not (self.problems or self.sent_twice or self.lost or self.astray)


def judge(stage: Stage, cases: Sequence[Case]) -> list[Verdict]:
    """Wait until the pipeline is at rest, end what is unknown, and compare. One verdict per title."""
    stage.stand("sending")  # were anything made pending that has been sent, it would be sent again now
    unrest = _wait_for_rest(stage, [case.shop.id for case in cases])
    stage.kill_standing("sending")
    if not unrest:
        give_up_unknown()
    record = _record(stage, min((case.first_seq for case in cases), default=0))
    verdicts: dict[str, Verdict] = {}
    for case in cases:
        verdict = verdicts.setdefault(case.title, Verdict(case.title, problems=list(unrest)))
        _judge_case(stage, case, record, verdict)
    _add_audit(verdicts)
    return list(verdicts.values())


def _wait_for_rest(stage: Stage, shop_ids: list[int]) -> list[str]:
    """What is still under way when patience ends; nothing when all is at rest."""
    deadline = time.monotonic() + REST_SECONDS
    while True:
        stage.keep_up()
        waiting = {
            "messages under way": stage.rows(UNDER_WAY, shops=shop_ids)[0][0],
            "campaigns not finished": stage.rows(UNFINISHED, shops=shop_ids)[0][0],
            "reports that the carrier still has": stage.carrier("outstanding")["outstanding"],
            "events in the inbox": stage.rows(UNHEARD)[0][0],
        }
        if not any(waiting.values()):
            return []
        if time.monotonic() > deadline:
            return [
                f"not at rest after {REST_SECONDS} s: {count} {what}"
                for what, count in waiting.items()
                if count
            ]
        time.sleep(POLL_SECONDS)


def _record(stage: Stage, after: int) -> Mapping[int, list[dict[str, Any]]]:
    """What the carrier has accepted, by the id of ours that the link in the text names."""
    secret = settings().unsubscribe_secret
    record: dict[int, list[dict[str, Any]]] = defaultdict(list)
    following: int | None = after
    while following is not None:
        page = stage.carrier("messages", after=following, limit=PAGE)
        for message in page["messages"]:
            links = [read_token(token, secret) for token in TOKEN_IN_TEXT.findall(message["text"])]
            for link in links:
                if link and link.link_no == OPT_OUT_LINK:
                    record[link.message_id].append(message)
        following = page["next"]
    return record


def _judge_case(
    stage: Stage, case: Case, record: Mapping[int, list[dict[str, Any]]], verdict: Verdict
) -> None:
    try:
        for sentence, condition in case.later:
            case.expect(sentence, condition())
    except (NotReached, AssertionError, LookupError) as failed:
        case.problems.append(f"{type(failed).__name__}: {failed}")
    verdict.problems += case.problems
    ours = {row.id: row for row in stage.rows(MESSAGES, shop_id=case.shop.id)}
    theirs = {id_: record[id_] for id_ in record.keys() & ours.keys()}
    verdict.messages += len(ours)
    verdict.accepted += len(theirs)
    for id_, row in ours.items():
        _judge_message(verdict, row, theirs.get(id_, []))
    _judge_credits(verdict, case, theirs)


def _judge_message(verdict: Verdict, row: Any, accepted: list[dict[str, Any]]) -> None:
    if len(accepted) > 1:
        verdict.sent_twice += len(accepted) - 1
        verdict.problems.append(f"message {row.id} was accepted {len(accepted)} times")
    states = {STATE_OF_STATUS[one["deliveryStatus"]] for one in accepted}
    ids = {one["messageId"] for one in accepted}
    is_lost = row.state not in states if accepted else row.state in STATE_OF_STATUS.values()
    if is_lost or (accepted and row.provider_message_id not in ids):
        verdict.lost += 1
        verdict.problems.append(
            f"message {row.id} is {row.state} here, {sorted(states) or 'not known'} there"
        )


def _judge_credits(verdict: Verdict, case: Case, theirs: Mapping[int, list[dict[str, Any]]]) -> None:
    """The carrier's own count of parts is what the shop must have paid, less what finally failed."""
    owed = sum(
        one["messageParts"]
        for texts in theirs.values()
        for one in texts
        if one["deliveryStatus"] != "Failure"
    )
    balance = billing.balance(case.shop.id)
    wrong = {
        f"spent {balance.spent} credits for {owed} parts": abs(balance.spent - owed),
        f"{balance.held} credits are held at rest": balance.held,
        f"{balance.available} + {balance.held} + {balance.spent} is not {case.granted}": abs(
            balance.available + balance.held + balance.spent - case.granted
        ),
    }
    verdict.astray += sum(wrong.values())
    verdict.problems += [sentence for sentence, credits in wrong.items() if credits]


def _add_audit(verdicts: Mapping[str, Verdict]) -> None:
    """Every difference that the audit finds is one credit astray, of the scenario judged last."""
    last = list(verdicts.values())[-1]
    for finding in audit():
        if finding.differences:
            last.astray += finding.differences
            last.problems.append(f"audit: {finding.check.name} {list(finding.examples)[:3]}")


def shorten(problems: Sequence[str], most: int = 8) -> list[str]:
    """The first few of many."""
    counted = Counter(problems)
    shown = list(counted)[:most]
    return shown + ([f"… and {len(counted) - most} more"] if len(counted) > most else [])
