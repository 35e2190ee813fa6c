"""Kept answers: the same to read, quicker to get, never another shop's and never older than a change."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from flask import Flask, g

from app.contacts import consent
from app.contacts.models import ConsentSource
from app.core.cache import Shelf, cached, changed, not_to_be_kept, tell_sparingly, touch
from app.core.errors import NotFound
from app.core.http import ApiBlueprint, Schema, fields
from app.core.uow import unit_of_work
from app.shops.models import Shop
from tests import build
from tests.core.conftest import MakeApp

PHONE = "+306912345678"
Ask = Callable[..., Any]


class Counted(Schema):
    shop = fields.Integer()
    times = fields.Integer()


class Work:
    """What the routes below have to do: counts, and waits at the door where a test holds it shut."""

    def __init__(self) -> None:
        self.done = 0
        self.began = threading.Event()
        self.door = threading.Event()
        self.door.set()
        self.fails = False
        self.is_makeshift = False

    def __call__(self) -> dict[str, int]:
        self.done += 1
        self.began.set()
        self.door.wait(10)
        if self.fails:
            raise NotFound
        if self.is_makeshift:
            not_to_be_kept()
        return {"shop": g.shop_id, "times": self.done}


def things(work: Work) -> ApiBlueprint:
    blueprint = ApiBlueprint("things", __name__)

    @blueprint.get("/things")
    @cached("things", seconds=60)
    @blueprint.data(200, Counted)
    def things() -> dict[str, int]:
        return work()

    @blueprint.get("/things/<id:thing_id>")
    @cached("things", "parts", seconds=60)
    @blueprint.data(200, Counted)
    def thing(thing_id: int) -> dict[str, int]:
        return work()

    return blueprint


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def thing_app(make_app: MakeApp, app: Flask, work: Work) -> Iterator[Flask]:
    """An app with slow things, on the migrated database; its context is the current one."""
    made = make_app()
    made.register_blueprint(things(work))
    with made.app_context():
        yield made


@pytest.fixture
def shop() -> Shop:
    return build.a_shop()


@pytest.fixture
def ask(thing_app: Flask, shop: Shop) -> Ask:
    """GET a path as the shop."""
    headers = build.auth(shop)

    def get(path: str = "/things", **more: Any) -> Any:
        return thing_app.test_client().get(path, headers={**headers, **more})

    return get


def closed_port() -> str:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        return f"redis://127.0.0.1:{nobody.getsockname()[1]}/0"


def test_the_second_answer_is_the_first_one_with_its_own_request_id(ask: Ask, work: Work, shop: Shop):
    first, second = ask(), ask(**{"X-Request-ID": "the-second"})

    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("miss", "hit")
    assert first.json["data"] == second.json["data"] == {"shop": shop.id, "times": 1}
    assert first.json.keys() == second.json.keys()
    assert second.json["requestId"] == "the-second" != first.json["requestId"]
    assert second.json["timestamp"] >= first.json["timestamp"]
    assert work.done == 1


def test_no_shop_gets_the_answer_of_another(thing_app: Flask, ask: Ask, shop: Shop):
    other = build.a_shop()
    ask()

    answer = thing_app.test_client().get("/things", headers=build.auth(other))

    assert answer.headers["X-Cache"] == "miss"
    assert answer.json["data"]["shop"] == other.id != shop.id


def test_a_kept_answer_still_needs_a_credential(thing_app: Flask, ask: Ask):
    ask()

    assert thing_app.test_client().get("/things").status_code == 401


def test_every_query_and_path_has_an_answer_of_its_own(ask: Ask, work: Work):
    for path in ("/things", "/things?a=1", "/things?a=2", "/things?a=1&a=2", "/things/1", "/things/2"):
        assert ask(path).headers["X-Cache"] == "miss"

    assert ask("/things?a=1").json["data"]["times"] == 2
    assert ask("/things/2").json["data"]["times"] == 6


def test_the_order_of_the_query_does_not_matter(ask: Ask):
    ask("/things?a=1&b=2")

    assert ask("/things?b=2&a=1").headers["X-Cache"] == "hit"


def test_a_change_of_any_family_of_the_answer_makes_it_new(ask: Ask, shop: Shop):
    for family in ("things", "parts"):
        ask("/things/1")
        touch(shop.id, family)

        assert ask("/things/1").headers["X-Cache"] == "miss"


def test_a_change_of_another_family_or_shop_leaves_it(ask: Ask, shop: Shop):
    ask()
    touch(shop.id, "parts")
    touch(build.a_shop().id, "things")

    assert ask().headers["X-Cache"] == "hit"


def test_a_change_counts_from_its_commit(ask: Ask, shop: Shop):
    ask()
    with unit_of_work(shop.id):
        changed(shop.id, "things")
        before = ask_in_a_thread(ask)
    after = ask()

    assert before.headers["X-Cache"] == "hit"
    assert after.headers["X-Cache"] == "miss"


def test_a_change_that_was_rolled_back_changes_nothing(ask: Ask, shop: Shop):
    ask()
    with pytest.raises(RuntimeError, match="changed my mind"), unit_of_work(shop.id):
        changed(shop.id, "things")
        raise RuntimeError("changed my mind")

    assert ask().headers["X-Cache"] == "hit"


def test_what_was_computed_across_a_change_is_not_kept(ask: Ask, work: Work, shop: Shop):
    work.door.clear()
    early = in_a_thread(ask)
    assert work.began.wait(10)
    touch(shop.id, "things")
    work.door.set()
    early()

    assert ask().headers["X-Cache"] == "miss"


def test_many_who_ask_at_once_let_one_compute(ask: Ask, work: Work):
    work.door.clear()
    waiting = [in_a_thread(ask) for _ in range(6)]
    assert work.began.wait(10)
    work.door.set()
    answers = [wait() for wait in waiting]

    assert work.done == 1
    assert sorted(answer.headers["X-Cache"] for answer in answers) == ["hit"] * 5 + ["miss"]


def test_nobody_waits_long_for_one_who_computes(ask: Ask, work: Work):
    work.door.clear()
    stuck = in_a_thread(ask)
    assert work.began.wait(10)
    work.began.clear()
    second = in_a_thread(ask)

    assert work.began.wait(10), "the second request began to compute by itself"

    work.door.set()
    assert stuck().status_code == second().status_code == 200


def test_a_refusal_is_not_kept_and_keeps_nobody_waiting(ask: Ask, work: Work):
    work.fails = True
    assert ask().status_code == 404
    work.fails = False

    assert ask().json["data"]["times"] == 2


def test_a_client_that_has_the_answer_gets_304(ask: Ask, shop: Shop):
    tag = ask().headers["ETag"]
    same = ask(**{"If-None-Match": tag})
    touch(shop.id, "things")
    new = ask(**{"If-None-Match": tag})

    assert (same.status_code, same.data) == (304, b"")
    assert (new.status_code, new.json["data"]["times"]) == (200, 2)
    assert new.headers["ETag"] != tag
    assert new.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in new.headers["Vary"]


def test_without_redis_answers_are_computed(make_app: MakeApp, app: Flask, work: Work, shop: Shop):
    away = make_app(redis_url=closed_port())
    away.register_blueprint(things(work))
    client, headers = away.test_client(), build.auth(shop)

    answers = [client.get("/things", headers=headers) for _ in range(2)]

    assert [answer.json["data"]["times"] for answer in answers] == [1, 2]


def test_a_change_made_without_redis_is_made_up_for(ask: Ask, thing_app: Flask, shop: Shop):
    ask()
    shelf = thing_app.extensions["astronote.cache"]
    here = shelf.redis
    shelf.redis = redis.Redis.from_url(closed_port())
    with unit_of_work(shop.id):
        changed(shop.id, "things")
    shelf.redis = here

    assert ask().headers["X-Cache"] == "miss"


# Workers change things much more often than anybody looks.


@pytest.fixture
def worker(thing_app: Flask) -> Iterator[Flask]:
    """The app as a worker has it."""
    tell_sparingly()
    yield thing_app
    thing_app.extensions["astronote.cache"] = Shelf(thing_app.extensions["astronote.cache"].redis)


def commands(app: Flask) -> int:
    """How many commands Redis has ever obeyed."""
    return int(app.extensions["astronote.cache"].redis.info("stats")["total_commands_processed"])


def test_what_a_worker_changes_is_never_old_to_see(worker: Flask, ask: Ask, shop: Shop):
    ask()
    for _ in range(5):
        with unit_of_work(shop.id):
            changed(shop.id, "things")
        first, second = ask(), ask()

        assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("miss", "miss")
        assert first.json["data"]["times"] < second.json["data"]["times"]


def test_answers_are_kept_again_when_the_worker_rests(worker: Flask, ask: Ask, shop: Shop):
    with unit_of_work(shop.id):
        changed(shop.id, "things")
    assert ask().headers["X-Cache"] == ask().headers["X-Cache"] == "miss"

    shelf = worker.extensions["astronote.cache"]
    assert 0 < shelf.redis.pttl(f"answers:{shop.id}:things:version:moving") <= 2_000
    shelf.redis.delete(f"answers:{shop.id}:things:version:moving")  # as time will

    assert [ask().headers["X-Cache"] for _ in range(2)] == ["miss", "hit"]


def test_a_thousand_commits_tell_redis_a_few_times(worker: Flask, shop: Shop):
    touch(shop.id, "things")
    before = commands(worker)
    for _ in range(1_000):
        touch(shop.id, "things")

    assert commands(worker) - before < 20


def test_a_worker_that_could_not_tell_tells_later(worker: Flask, ask: Ask, shop: Shop):
    ask()
    shelf = worker.extensions["astronote.cache"]
    here, shelf.redis = shelf.redis, redis.Redis.from_url(closed_port())
    touch(shop.id, "things")
    shelf.redis = here

    assert ask().headers["X-Cache"] == "miss"


def test_a_makeshift_answer_is_not_kept(ask: Ask, work: Work):
    work.is_makeshift = True
    ask()
    work.is_makeshift = False

    assert [ask().headers["X-Cache"] for _ in range(2)] == ["miss", "hit"]


# The routes that are really kept.


def test_contacts_and_audiences_are_kept(thing_app: Flask, ask: Ask):
    for path in ("/contacts?pageSize=5", "/contacts/stats", "/audiences"):
        assert [ask(path).headers["X-Cache"] for _ in range(2)] == ["miss", "hit"]


@pytest.mark.parametrize("path", ["/billing/balance", "/campaigns", "/campaigns/stats/summary"])
def test_money_and_campaigns_are_never_kept(ask: Ask, path: str):
    assert "X-Cache" not in ask(path).headers


def test_a_written_contact_shows_at_once(thing_app: Flask, ask: Ask, shop: Shop):
    client, headers = thing_app.test_client(), build.auth(shop)

    def shown() -> tuple[int, int, int]:
        listed, stats, audiences = (
            ask(path).json["data"] for path in ("/contacts", "/contacts/stats", "/audiences")
        )
        return listed["total"], stats["total"], audiences["audiences"][0]["contactCount"]

    assert shown() == (0, 0, 0)
    given = {"phoneE164": PHONE, "smsConsent": "opted_in"}
    contact = client.post("/contacts", headers=headers, json=given).json["data"]
    assert shown() == (1, 1, 1)
    client.delete(f"/contacts/{contact['id']}", headers=headers)
    assert shown() == (0, 0, 0)


def test_an_opt_out_by_phone_shows_at_once(thing_app: Flask, ask: Ask, shop: Shop):
    given = {"phoneE164": PHONE, "smsConsent": "opted_in"}
    thing_app.test_client().post("/contacts", headers=build.auth(shop), json=given)
    assert ask("/contacts/stats").json["data"]["optedOut"] == 0

    with unit_of_work(shop.id):
        consent.withdraw_by_phone(shop.id, PHONE, source=ConsentSource.MANUAL)

    assert ask("/contacts/stats").json["data"]["optedOut"] == 1


def test_imported_contacts_show_at_once(thing_app: Flask, ask: Ask, shop: Shop):
    assert ask("/contacts").json["data"]["total"] == 0
    rows = {"contacts": [{"phone": PHONE}]}
    thing_app.test_client().post("/contacts/import", headers=build.auth(shop), json=rows)

    assert ask("/contacts").json["data"]["total"] == 1


def test_a_new_segment_is_an_audience_at_once(thing_app: Flask, ask: Ask, shop: Shop):
    client, headers = thing_app.test_client(), build.auth(shop)
    before = len(ask("/audiences").json["data"]["audiences"])
    made = client.post("/audiences/segments", headers=headers, json={"name": "VIPs", "contactIds": []})
    assert len(ask("/audiences").json["data"]["audiences"]) == before + 1

    client.delete(f"/audiences/segments/{made.json['data']['id']}", headers=headers)

    assert len(ask("/audiences").json["data"]["audiences"]) == before


def in_a_thread(ask: Ask) -> Callable[[], Any]:
    """Start asking; call the result to wait for the answer."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(ask()))
    thread.start()

    def wait() -> Any:
        thread.join(20)
        return answers[0]

    return wait


def ask_in_a_thread(ask: Ask) -> Any:
    return in_a_thread(ask)()
