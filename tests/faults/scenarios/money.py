"""Many clicks at once, and credits that come while others go."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import sqlalchemy as sa

from app.billing import service as billing
from app.campaigns.models import Campaign
from app.core.database import db
from app.core.uow import unit_of_work
from tests.faults.scenarios.catalogue import Theme
from tests.faults.scenarios.killed import finish_with
from tests.faults.world import TEXT, Stage, until

THEME = Theme("money")
WAITING = "SELECT count(*) FROM messages WHERE shop_id = :shop_id AND state = 'pending'"
RUNS = "SELECT count(*) FROM message_runs WHERE shop_id = :shop_id"


def at_once(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Start all works at the same moment; what they gave."""
    start = threading.Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        start.wait(20)
        return work()

    with ThreadPoolExecutor(len(works)) as hands:
        return list(hands.map(one, works))


@THEME.scenario("twenty clicks on Send at once")
def twenty_clicks(stage: Stage) -> None:
    case = stage.case(600)
    answers = at_once([lambda: stage.post(case, "enqueue")] * 20)
    counted = Counter(answer.status_code for answer in answers)
    case.expect(f"one click was obeyed, nineteen refused: {dict(counted)}", counted == {200: 1, 409: 19})
    case.expect("there is one run", stage.rows(RUNS, shop_id=case.shop.id)[0][0] == 1)
    finish_with(stage, case, SMS_BATCH_SIZE=100)
    case.expect_at_rest("all got it once", lambda: sum(stage.states(case).values()) == 600)


@THEME.scenario("twenty repetitions of one request, one Idempotency-Key")
def one_key(stage: Stage) -> None:
    case = stage.case(600)
    answers = at_once([lambda: stage.post(case, "enqueue", **{"Idempotency-Key": "one-click"})] * 20)
    counted = Counter((answer.status_code, answer.json()["data"]["queued"]) for answer in answers)
    case.expect(f"all got the one answer: {dict(counted)}", counted == {(200, 600): 20})
    case.expect("there is one run", stage.rows(RUNS, shop_id=case.shop.id)[0][0] == 1)
    finish_with(stage, case, SMS_BATCH_SIZE=100)


@THEME.scenario("top-ups and holds at once")
def top_ups_and_holds(stage: Stage) -> None:
    case = stage.case(100)
    others = [a_campaign_more(case.shop.id, number) for number in range(5)]

    def grant(number: int) -> bool:
        with stage.app.app_context():
            was_new = billing.grant_credits(case.shop.id, 7, key=f"top-up:{number}", reason="a fault test")
            db.session.remove()
        return was_new

    def click(campaign_id: int) -> int:
        return stage.post_to(f"/campaigns/{campaign_id}/enqueue", case).status_code

    grants = [partial(grant, number % 10) for number in range(20)]
    clicks = [partial(click, campaign_id) for campaign_id in (case.campaign_id, *others)]
    given = at_once([*grants, *clicks])
    case.granted += 70
    case.expect("each top-up counted once", sum(outcome is True for outcome in given) == 10)
    case.expect("every campaign was obeyed", given.count(200) == 6)
    finish_with(stage, case, SMS_BATCH_SIZE=100)
    case.expect_at_rest(
        "all are finished", lambda: all(status(id_, case.shop.id) == "completed" for id_ in others)
    )


@THEME.scenario("more campaigns at once than there are credits")
def too_few_credits(stage: Stage) -> None:
    case = stage.case(100)
    with unit_of_work(case.shop.id):
        most = billing.credits.balance_of(case.shop.id).available // 100
    others = [a_campaign_more(case.shop.id, number) for number in range(most + 5)]
    ids = [case.campaign_id, *others]
    answers = at_once([partial(stage.post_to, f"/campaigns/{id_}/enqueue", case) for id_ in ids])
    counted = Counter(answer.status_code for answer in answers)
    case.expect(f"{most} could be paid: {dict(counted)}", counted == {200: most, 402: len(ids) - most})
    stage.fork("sending", SMS_BATCH_SIZE=100)
    until("all that was paid is sent", lambda: stage.rows(WAITING, shop_id=case.shop.id)[0][0] == 0)


def a_campaign_more(shop_id: int, number: int) -> int:
    with unit_of_work(shop_id) as session:
        campaign = Campaign(shop_id=shop_id, name=f"One more {number}", message=TEXT, audience="all")
        session.add(campaign)
        session.flush()
        return campaign.id


def status(campaign_id: int, shop_id: int) -> str:
    with unit_of_work(shop_id) as session:
        return str(session.scalar(sa.select(Campaign.status).where(Campaign.id == campaign_id)))
