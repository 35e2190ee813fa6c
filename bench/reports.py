"""Delivery reports: posted over kept-alive HTTP to the real web process, applied by the real events worker.

Single posts are limited by what the same server answers on a route that does nothing, arrays by the
bare INSERT of the same rows into a table like the inbox. Every report names a message of its own, in a
table of the size at hand.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.campaigns.service import sending
from bench.arena import LITERAL, Arena
from bench.measuring import seconds, wait_until
from bench.results import Result, Results, Target

SINGLE_POSTS = 5_000
ARRAY = 500
ARRAY_REPORTS = 100_000
CONNECTIONS = 16
PATIENCE_SECONDS = 300
SINGLE = Target("value", ">=", 1_000)
ARRAYS = Target("value", ">=", 10_000)
QUIET_ROUTE = "/healthz"

# As after a send, but quicker: the workers' own way is measured by `bench.send`.
MARK_SENT = sa.text("""
    UPDATE messages SET state = 'sent', provider_message_id = 'bench-' || id, sent_at = now()
    WHERE run_id = :run_id""")
COUNT_SENT = sa.text("UPDATE message_runs SET sent = pending, pending = 0 WHERE id = :run_id")
SENT_IDS = sa.text("""
    SELECT provider_message_id FROM messages WHERE run_id = :run_id AND state = 'sent'
    ORDER BY id LIMIT :most""")
WAITING = sa.text("SELECT EXISTS (SELECT FROM webhook_inbox WHERE processed_at IS NULL)")
LAST_APPLIED = sa.text("SELECT extract(epoch FROM max(processed_at))::float8 FROM webhook_inbox")
MAKE_TWIN = "CREATE TABLE IF NOT EXISTS bench_inbox (LIKE webhook_inbox INCLUDING ALL)"
BARE = sa.text("""
    INSERT INTO bench_inbox (provider, topic, external_id, payload)
    SELECT 'mitto', 'report', event.external_id, event.payload
    FROM unnest(CAST(:external_ids AS text[]), CAST(:payloads AS jsonb[])) AS event (external_id, payload)""")


def bench_reports(arena: Arena, results: Results, size: int) -> None:
    """Singles and arrays of 500; how fast they are answered, and how fast they are applied."""
    run_id = _sent_run(arena, size)
    quiet = _quiet_route(arena)
    posts = SINGLE_POSTS // 5 if arena.is_quick else SINGLE_POSTS
    answered, applied = _post(arena, _bodies(_sent_ids(arena, run_id, posts), 1))
    results.add(
        Result("reports.single", size, answered, "reports/s", quiet, SINGLE),
        Result("reports.single_applied", size, applied, "reports/s"),
    )
    ids = _sent_ids(arena, run_id, ARRAY_REPORTS)
    bare = _bare_rate(arena, ids)
    answered, applied = _post(arena, _bodies(ids, ARRAY))
    results.add(
        Result("reports.array_500", size, answered, "reports/s", bare, ARRAYS),
        Result("reports.array_500_applied", size, applied, "reports/s"),
    )
    arena.empty_messages()


def _sent_run(arena: Arena, size: int) -> int:
    """A campaign of which every message has been sent."""
    shop_id = arena.shop_of(size)
    arena.empty_messages()
    campaign_id = arena.a_campaign(shop_id, LITERAL)
    sending.enqueue(shop_id, campaign_id)
    run_id = arena.run_of(shop_id, campaign_id)
    with arena.owner.connect() as connection:
        connection.execute(MARK_SENT, {"run_id": run_id})
        connection.execute(COUNT_SENT, {"run_id": run_id})
        connection.exec_driver_sql("VACUUM ANALYZE messages")
    return run_id


def _sent_ids(arena: Arena, run_id: int, most: int) -> list[str]:
    with arena.owner.connect() as connection:
        return list(connection.scalars(SENT_IDS, {"run_id": run_id, "most": most}))


def _bodies(ids: Sequence[str], reports_each: int) -> list[str]:
    reports = [
        {"messageId": one, "deliveryStatus": "Delivered", "updatedAt": "2026-01-01T10:00:00.0000000Z"}
        for one in ids
    ]
    if reports_each == 1:
        return [json.dumps(report) for report in reports]
    return [
        json.dumps(reports[first : first + reports_each]) for first in range(0, len(reports), reports_each)
    ]


def _post(arena: Arena, bodies: Sequence[str]) -> tuple[float, float]:
    """Reports a second until the last answer, and until the last is applied."""
    with arena.owner.connect() as connection:
        connection.exec_driver_sql("TRUNCATE webhook_inbox")
    arena.forget_bells()
    headers = {"X-Webhook-Token": arena.app.config["SETTINGS"].mitto_webhook_secret}
    with arena.running("worker-events"), arena.owner.connect() as connection:
        order = {"post": "/webhooks/mitto/dlr", "bodies": list(bodies), "headers": headers}
        took = _client(arena, order)
        wait_until(lambda: not connection.scalar(WAITING), PATIENCE_SECONDS, "applying reports")
        last_applied = float(connection.scalar(LAST_APPLIED))
    reports = sum(body.count("messageId") for body in bodies)
    return reports / (took["end"] - took["start"]), reports / (last_applied - took["start"])


def _quiet_route(arena: Arena) -> float:
    took = _client(arena, {"get": QUIET_ROUTE, "times": SINGLE_POSTS})
    return SINGLE_POSTS / (took["end"] - took["start"])


def _client(arena: Arena, order: dict[str, Any]) -> dict[str, float]:
    address = {"host": "127.0.0.1", "port": arena.world.web_port, "connections": CONNECTIONS}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({**address, **order}, file)
        file.flush()
        done = subprocess.run(
            [sys.executable, "-m", "bench.http_load", file.name], check=True, capture_output=True, text=True
        )
    took: dict[str, float] = json.loads(done.stdout)
    assert not took["failures"], took
    return took


def _bare_rate(arena: Arena, ids: Sequence[str]) -> float:
    """Rows a second of the bare statement, in transactions as large as a post."""
    payload = {"messageId": "", "status": "delivered", "statusRaw": "Delivered", "reason": None}
    payload["occurredAt"] = "2026-01-01T10:00:00+00:00"
    rows = [(f"bench:{one}", json.dumps({**payload, "messageId": one})) for one in ids]
    with arena.owner.connect() as connection:
        connection.exec_driver_sql(MAKE_TWIN)
        connection.exec_driver_sql("TRUNCATE bench_inbox")

        def insert_all() -> None:
            for first in range(0, len(rows), ARRAY):
                external_ids, payloads = zip(*rows[first : first + ARRAY], strict=True)
                connection.execute(BARE, {"external_ids": list(external_ids), "payloads": list(payloads)})

        return len(rows) / seconds(insert_all)
