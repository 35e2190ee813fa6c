"""Working off the inbox: reports that find their message, reports that must wait, texts that are obeyed."""

from __future__ import annotations

import dataclasses
import http.server
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.core.jobs import JobFailed
from app.core.queue import bell_key
from app.core.redis import redis_client
from app.core.uow import across_shops, unit_of_work
from app.credits import service as credits
from app.messaging import provider
from app.webhooks import jobs
from app.webhooks.service import reports
from tests.links.rows import PHONE, SentText, a_contact, a_shop_id, a_text, rows, value
from tests.webhooks.posts import DLR, INBOUND, a_report, inbox, post, statements


class Carrier:
    """A carrier that answers look-ups: `texts` by message id, 404 for others, 503 while `is_away`."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.asked: list[str] = []
        self.is_away = False

    def answer(self, message_id: str) -> tuple[int, dict[str, object]]:
        self.asked.append(message_id)
        if self.is_away:
            return 503, {}
        if message_id not in self.texts:
            return 404, {}
        return 200, {"messageId": message_id, "text": self.texts[message_id], "deliveryStatus": "Sent"}


@pytest.fixture
def carrier(app: Flask) -> Iterator[Carrier]:
    """A carrier on a real port, and the app talking to it."""
    pretend = Carrier()

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = pretend.answer(self.path.rpartition("/")[2])
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    before = app.config["SETTINGS"]
    address = f"http://127.0.0.1:{server.server_address[1]}"
    app.config["SETTINGS"] = dataclasses.replace(before, mitto_api_base=address)
    known = app.extensions.pop(provider.EXTENSION, None)
    yield pretend
    app.extensions.pop(provider.EXTENSION).close() if provider.EXTENSION in app.extensions else None
    if known is not None:
        app.extensions[provider.EXTENSION] = known
    app.config["SETTINGS"] = before
    server.shutdown()
    server.server_close()
    thread.join()


def state_of(message: SentText) -> Any:
    return value("SELECT state FROM messages WHERE id = :id", id=message.message_id)


def let_time_pass() -> None:
    """Every wait in the inbox is over."""
    with across_shops("a test lets time pass") as session:
        session.execute(text("UPDATE webhook_inbox SET available_at = now() - interval '1 second'"))


def miss(times: int) -> None:
    for _ in range(times):
        let_time_pass()
        jobs.apply_reports()


def test_a_report_moves_its_message_and_is_done(client: FlaskClient, sent: SentText) -> None:
    post(client, DLR, [a_report("m-1", "Sent"), a_report("m-1", "Delivered")])

    jobs.apply_reports()

    assert state_of(sent) == "delivered"
    assert value("SELECT delivered FROM message_runs") == 1
    assert {event["outcome"] for event in inbox()} == {"applied"}
    assert all(event["processed_at"] for event in inbox())


def test_a_late_report_does_not_undo_a_delivery(client: FlaskClient, sent: SentText) -> None:
    for status in ("Delivered", "Sent", "Failure"):
        post(client, DLR, a_report("m-1", status))
        jobs.apply_reports()

    assert state_of(sent) == "delivered"


def test_a_full_inbox_is_applied_in_a_few_statements(app: Flask, client: FlaskClient) -> None:
    shop_id = a_shop_id()
    sent = a_text(shop_id, provider_message_id="m-0")
    with across_shops("a test sends") as session:
        session.execute(
            text("""
                INSERT INTO messages (shop_id, run_id, phone, state, parts, provider_message_id)
                SELECT :shop_id, :run_id, '+3069' || n, 'sent', 1, 'm-' || n
                FROM generate_series(1, 4999) n"""),
            {"shop_id": shop_id, "run_id": sent.run_id},
        )
        session.execute(text("UPDATE message_runs SET sent = 5000"))
    for start in range(0, 5000, 1000):
        post(client, DLR, [a_report(f"m-{number}") for number in range(start, start + 1000)])

    with statements() as seen:
        jobs.apply_reports()

    assert value("SELECT delivered FROM message_runs") == 5000
    assert len(seen) < 20


def test_two_workers_apply_every_report_once(app: Flask, client: FlaskClient) -> None:
    shop_id = a_shop_id()
    for number in range(40):
        a_text(shop_id, phone=f"+3069000000{number:02}", provider_message_id=f"m-{number}")
    post(
        client,
        DLR,
        [a_report(f"m-{number}", status) for number in range(40) for status in ("Sent", "Delivered")],
    )

    def work(_: int) -> None:
        with app.app_context():
            reports.apply_reports()

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(work, range(4)))

    assert value("SELECT sum(delivered) FROM message_runs") == 40
    assert value("SELECT sum(sent) FROM message_runs") == 0
    assert {(event["outcome"], event["attempts"]) for event in inbox()} == {("applied", 0)}


def test_a_report_that_overtook_our_own_call_waits_and_is_applied(client: FlaskClient, app: Flask) -> None:
    post(client, DLR, a_report("m-1"))
    jobs.apply_reports()
    (waiting,) = inbox()
    assert waiting["processed_at"] is None
    assert waiting["attempts"] == 1
    assert 1 < (waiting["available_at"] - waiting["received_at"]).total_seconds() < 60

    sent = a_text(a_shop_id(), provider_message_id="m-1")
    jobs.apply_reports()
    assert state_of(sent) == "sent", "its time has not come"
    miss(1)

    assert state_of(sent) == "delivered"


def test_after_three_misses_the_carrier_is_asked_and_the_text_names_the_message(
    client: FlaskClient, carrier: Carrier, app: Flask
) -> None:
    lost = a_text(a_shop_id(), provider_message_id="m-other")
    carrier.texts["m-1"] = f"Hello\n\nUnsubscribe: https://sms.example.com/r/{lost.token()}"
    post(client, DLR, a_report("m-1"))

    miss(2)
    assert carrier.asked == []
    miss(1)

    assert carrier.asked == ["m-1"]
    (event,) = inbox()
    assert event["outcome"] == "looked_up"


def test_a_message_whose_answer_was_lost_is_found_by_its_text_charged_and_delivered(
    client: FlaskClient, carrier: Carrier, app: Flask
) -> None:
    lost = a_text(a_shop_id(), state="unknown", parts=2)
    with unit_of_work(lost.shop_id):
        credits.hold(lost.shop_id, lost.run_id, 2, key=f"run:{lost.run_id}:hold")
    carrier.texts["m-1"] = f"Hello\n\nUnsubscribe: https://sms.example.com/r/{lost.token()}"
    post(client, DLR, [a_report("m-1", "Sent"), a_report("m-1", "Delivered")])

    miss(3)
    assert state_of(lost) == "sent"
    assert redis_client().exists(bell_key("webhooks.apply_reports")), "the report is due at once"
    jobs.apply_reports()

    assert state_of(lost) == "delivered"
    assert {event["outcome"] for event in inbox()} == {"applied"}
    assert carrier.asked == ["m-1"]
    with unit_of_work(lost.shop_id):
        assert credits.balance_of(lost.shop_id).spent == 2


def test_a_stranger_is_looked_up_once_and_given_up_after_eight_misses(
    client: FlaskClient, carrier: Carrier
) -> None:
    post(client, DLR, a_report("m-1"))

    miss(7)
    assert inbox()[0]["processed_at"] is None
    miss(1)

    (event,) = inbox()
    assert (event["outcome"], event["attempts"]) == ("orphan", 8)
    assert event["processed_at"] is not None
    assert carrier.asked == ["m-1"]


def test_a_carrier_that_is_away_is_asked_again(client: FlaskClient, carrier: Carrier) -> None:
    post(client, DLR, [a_report("m-1"), a_report("m-2")])
    carrier.is_away = True
    miss(3)
    assert len(carrier.asked) == 1, "one refusal is enough for this time"
    assert {event["outcome"] for event in inbox()} == {None}

    carrier.is_away = False
    miss(1)

    assert {event["outcome"] for event in inbox()} == {"looked_up"}


def test_at_most_fifty_strangers_are_looked_up_at_a_time(client: FlaskClient, carrier: Carrier) -> None:
    post(client, DLR, [a_report(f"m-{number}") for number in range(60)])

    miss(3)
    assert len(carrier.asked) == 50
    (waiting,) = rows(
        "SELECT count(*) AS due FROM webhook_inbox WHERE attempts = 2 AND available_at <= now()"
    )
    assert waiting == {"due": 10}, "the others have lost no try and are due at once"
    jobs.apply_reports()

    assert len(set(carrier.asked)) == 60


def test_one_report_that_cannot_be_applied_does_not_stop_the_others(
    client: FlaskClient, sent: SentText
) -> None:
    unpaid = a_text(sent.shop_id, phone="+306900000000", provider_message_id="m-unpaid")
    others = [f"stranger-{number}" for number in range(20)]
    post(client, DLR, [a_report("m-unpaid", "Failure"), a_report("m-1"), *map(a_report, others)])

    jobs.apply_reports()

    assert state_of(sent) == "delivered"
    assert state_of(unpaid) == "sent", "there is no hold to give its credits back from"
    waiting = {event["payload"]["messageId"] for event in inbox() if event["processed_at"] is None}
    assert waiting == {"m-unpaid", *others}
    miss(7)
    (event,) = rows("SELECT outcome, attempts FROM webhook_inbox WHERE external_id LIKE 'm-unpaid:%'")
    assert event == {"outcome": "refused", "attempts": 8}


def test_one_text_that_cannot_be_read_does_not_stop_the_others(client: FlaskClient, app: Flask) -> None:
    a_text(a_shop_id())
    for number in range(2):
        post(client, INBOUND, {"from": PHONE, "text": "STOP", "id": f"in-{number}"})
    with across_shops("a test damages an event") as session:
        session.execute(
            text("""
                UPDATE webhook_inbox SET payload = jsonb_set(payload, '{text}', 'null')
                WHERE external_id = 'inbound:in-0'""")
        )

    with pytest.raises(JobFailed, match="TypeError"):
        jobs.receive_replies()
    jobs.receive_replies()

    assert {event["external_id"]: event["outcome"] for event in inbox()} == {
        "inbound:in-0": None,
        "inbound:in-1": "stop",
    }


def test_a_stop_posted_by_the_carrier_ends_the_texts(client: FlaskClient, app: Flask) -> None:
    shop_id = a_shop_id()
    a_contact(shop_id)
    a_text(shop_id)

    post(client, INBOUND, {"from": PHONE, "text": "stop", "id": "in-1"})
    jobs.receive_replies()
    jobs.receive_replies()

    assert value("SELECT consent FROM contacts") == "opted_out"
    (event,) = inbox()
    assert event["outcome"] == "stop"


def test_texts_of_two_people_are_obeyed_by_two_workers_once_each(app: Flask, client: FlaskClient) -> None:
    shop_id = a_shop_id()
    for number in range(20):
        a_text(shop_id, phone=f"+3069000000{number:02}")
        post(client, INBOUND, {"from": f"+3069000000{number:02}", "text": "STOP", "id": f"in-{number}"})

    def work(_: int) -> None:
        with app.app_context():
            jobs.receive_replies()

    with ThreadPoolExecutor(3) as workers:
        list(workers.map(work, range(3)))

    assert value("SELECT count(*) FROM suppressions") == 20
    assert value("SELECT sum(opted_out) FROM message_runs") == 20
    assert value("SELECT count(*) FROM inbound_messages") == 20
