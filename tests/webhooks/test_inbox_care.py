"""Looking after the inbox: what is rung for, forgotten, shown and replayed."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app.core.queue import bell_key
from app.core.redis import redis_client
from app.core.uow import across_shops
from app.webhooks import jobs, queries
from app.webhooks.service import inbox as inbox_service
from tests.links.rows import PHONE, SentText, rows, value
from tests.webhooks.posts import DLR, INBOUND, a_report, inbox, post, statements


def test_the_sweep_rings_for_what_waits_and_only_for_that(client: FlaskClient, sent: SentText) -> None:
    post(client, DLR, a_report("m-1"))
    redis_client().flushdb()

    inbox_service.ring_for_waiting()

    assert redis_client().exists(bell_key("webhooks.apply_reports"))
    assert not redis_client().exists(bell_key("webhooks.receive_replies"))
    jobs.apply_reports()
    inbox_service.ring_for_waiting()
    assert not redis_client().exists(bell_key("webhooks.apply_reports"))


def test_what_was_done_a_month_ago_is_forgotten_and_what_waits_is_not(
    client: FlaskClient, sent: SentText
) -> None:
    post(client, DLR, [a_report("m-1"), a_report("stranger")])
    jobs.apply_reports()
    post(client, DLR, a_report("m-1", "Sent"))
    jobs.apply_reports()
    with across_shops("a test lets time pass") as session:
        session.execute(
            text("""
                UPDATE webhook_inbox SET received_at = received_at - interval '31 days',
                  processed_at = processed_at - interval '31 days'
                WHERE external_id <> 'm-1:sent'""")
        )

    jobs.forget()

    assert [event["external_id"] for event in inbox()] == ["stranger:delivered", "m-1:sent"]


def test_forgetting_walks_through_the_inbox_in_chunks(client: FlaskClient, app: Flask) -> None:
    with across_shops("a test fills the inbox") as session:
        session.execute(
            text("""
                INSERT INTO webhook_inbox (provider, topic, external_id, payload, received_at, processed_at)
                SELECT 'mitto', 'dlr', 'old-' || n, '{}', old, old
                FROM generate_series(1, 12000) n, CAST(now() - interval '40 days' AS timestamptz) old""")
        )
    with statements() as seen:
        inbox_service.forget_processed()

    assert inbox() == []
    assert len(seen) == 12_000 // inbox_service.CHUNK + 2


def test_an_operator_sees_events_without_personal_data(client: FlaskClient, app: Flask) -> None:
    post(client, INBOUND, {"from": PHONE, "to": "+306900000001", "text": "stop, says Maria", "id": "in-1"})
    post(client, DLR, a_report("m-1", "Failure", error=f"no route to {PHONE}"))
    commands = app.test_cli_runner()

    listed = commands.invoke(args=["webhooks", "list"]).output
    shown = "".join(commands.invoke(args=["webhooks", "show", str(event["id"])]).output for event in inbox())

    assert "inbound" in listed and "dlr" in listed
    for private in (PHONE, PHONE[1:], "Maria"):
        assert private not in listed + shown
    assert "m-1" in shown
    assert commands.invoke(args=["webhooks", "show", "999"]).exit_code == 1


def test_an_operator_replays_an_event_without_doing_it_twice(
    client: FlaskClient, sent: SentText, app: Flask
) -> None:
    post(client, DLR, a_report("m-1"))
    post(client, INBOUND, {"from": PHONE, "text": "stop", "id": "in-1"})
    jobs.apply_reports()
    jobs.receive_replies()
    before = rows("SELECT delivered, opted_out FROM message_runs")
    ids = [str(event["id"]) for event in inbox()]

    output = app.test_cli_runner().invoke(args=["webhooks", "replay", *ids, "999"]).output
    assert "2 events" in output
    assert {event["processed_at"] for event in inbox()} == {None}
    jobs.apply_reports()
    jobs.receive_replies()

    assert rows("SELECT delivered, opted_out FROM message_runs") == before
    assert {event["outcome"] for event in inbox()} == {"applied", "known"}
    assert value("SELECT count(*) FROM inbound_messages") == 1


def test_the_waits_grow_and_end(app: Flask) -> None:
    assert list(queries.WAITS) == sorted(queries.WAITS)
    assert queries.MISSES_MAX == 8
