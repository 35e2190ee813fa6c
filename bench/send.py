"""Sending with two worker processes and a carrier that takes 50 ms for every call.

Two limits: the same SQL statements without the carrier, and the same bodies posted without SQL.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from app.campaigns.service import sending
from bench.arena import PERSONAL, Arena
from bench.measuring import peak_memory, wait_until
from bench.results import Result, Results, Target

WORKERS = 2
PATIENCE_SECONDS = 600
RATE = Target("value", ">=", 10_000)
SHARE_OF_SQL = Target("ratio", ">=", 0.6)
GROWTH = Target("value", "<=", 20)
UNSETTLED = sa.text("SELECT pending + claimed + unknown FROM message_runs WHERE id = :run_id")
SPAN = sa.text("""
    SELECT extract(epoch FROM max(finished_at) - min(started_at))::float8 AS seconds,
           (SELECT sent FROM message_runs WHERE id = :run_id) AS sent,
           (SELECT sum(amount)::bigint FROM ledger_transfers
            WHERE run_id = :run_id AND kind = 'capture') AS captured,
           (SELECT sum(parts)::bigint FROM messages WHERE run_id = :run_id AND state = 'sent') AS parts
    FROM send_attempts WHERE run_id = :run_id""")


def bench_send(arena: Arena, results: Results, size: int) -> None:
    """Each size has fresh workers, so that their memory can be compared."""
    shop_id = arena.shop_of(size)
    arena.empty_messages()
    by_sql = _without_the_carrier(arena, shop_id)
    arena.empty_messages()
    with arena.running("worker-sending") as pids, peak_memory(pids) as memory:
        by_workers = _send(arena, shop_id)
    by_http = _without_the_database(arena, size)
    results.add(
        Result("send.two_workers", size, by_workers, "messages/s", target=RATE),
        Result("send.share_of_sql", size, by_workers, "messages/s", by_sql["rate"], SHARE_OF_SQL),
        Result("send.share_of_http", size, by_workers, "messages/s", by_http),
        Result("send.statements", size, by_sql["statements"], "per message"),
        Result("memory.sender_peak", size, memory.peak_mb, "MB"),
    )


def _start(arena: Arena, shop_id: int) -> int:
    campaign_id = arena.a_campaign(shop_id, PERSONAL)
    sending.enqueue(shop_id, campaign_id)
    return arena.run_of(shop_id, campaign_id)


def _send(arena: Arena, shop_id: int) -> float:
    """Messages a second from the first claim to the last settlement, by the database's clock."""
    run_id = _start(arena, shop_id)
    with arena.owner.connect() as connection:
        wait_until(lambda: connection.scalar(UNSETTLED, {"run_id": run_id}) == 0, PATIENCE_SECONDS, "sending")
    return _rate_of(arena, run_id)


def _rate_of(arena: Arena, run_id: int) -> float:
    with arena.owner.connect() as connection:
        row = connection.execute(SPAN, {"run_id": run_id}).one()
    assert row.captured == row.parts, "every message that was sent is paid for"
    return float(row.sent / row.seconds)


def _without_the_carrier(arena: Arena, shop_id: int) -> dict[str, float]:
    run_id = _start(arena, shop_id)
    arguments = [str(shop_id), str(run_id)]
    counts = _two_processes("bench.settling", arguments, arena.world.env)
    statements = sum(count["statements"] for count in counts) / sum(count["messages"] for count in counts)
    return {"rate": _rate_of(arena, run_id), "statements": statements}


def _without_the_database(arena: Arena, size: int) -> float:
    counts = _two_processes("bench.posting", [str(size // WORKERS)], arena.world.env)
    first, last = min(count["start"] for count in counts), max(count["end"] for count in counts)
    return float(sum(count["messages"] for count in counts) / (last - first))


def _two_processes(module: str, arguments: list[str], env: Mapping[str, str]) -> list[dict[str, Any]]:
    """Run `module` twice side by side, started together by a line of input; what each of them printed."""
    running = [
        subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(WORKERS)
    ]
    for process in running:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=PATIENCE_SECONDS)[0] for process in running]
    return [json.loads(answer) for answer in answers]
