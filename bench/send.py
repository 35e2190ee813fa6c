"""Sending with two worker processes and a carrier that takes 50 ms for every call.

Two limits: the same SQL statements without the carrier, and the same bodies posted without SQL.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.campaigns.service import sending
from bench.arena import PERSONAL, Arena
from bench.measuring import peak_memory, wait_until
from bench.results import Result, Results, Target

WORKERS = 2
WARM_UP = 2_000  # messages; a worker's first batch opens its connections
PATIENCE_SECONDS = 600
RATE = Target("value", ">=", 10_000)
JUDGED_FROM = 100_000  # messages; below, the carrier's first and last 50 ms are a fifth of the whole
SHARE_OF_SQL = Target("ratio", ">=", 0.6)
UNSETTLED = sa.text("SELECT pending + claimed + unknown FROM message_runs WHERE id = :run_id")
SPAN = sa.text("""
    SELECT extract(epoch FROM max(finished_at) - min(started_at))::float8 AS seconds,
           (SELECT sent FROM message_runs WHERE id = :run_id) AS sent,
           (SELECT sum(amount)::bigint FROM ledger_transfers
            WHERE run_id = :run_id AND kind = 'capture') AS captured,
           (SELECT sum(parts)::bigint FROM messages WHERE run_id = :run_id AND state = 'sent') AS parts
    FROM send_attempts WHERE run_id = :run_id""")


def bench_send(arena: Arena, results: Results, size: int) -> None:
    """The workers beside their two limits, in turns; each time with fresh workers, warmed up."""
    arena.shop_of(size), arena.shop_of(WARM_UP)  # made before anything is measured
    tried = [_try_once(arena, size) for _ in range((arena.turns(size) + 1) // 2)]
    n = len(tried)
    share = SHARE_OF_SQL if size >= JUDGED_FROM else None
    workers, sql, http = (
        statistics.median(getattr(one, rate) for one in tried) for rate in ("workers", "sql", "http")
    )
    results.add(
        Result("send.two_workers", size, workers, "messages/s", target=RATE, n=n),
        Result("send.share_of_sql", size, workers, "messages/s", sql, share, n),
        Result("send.share_of_http", size, workers, "messages/s", http, n=n),
        Result("send.statements", size, tried[0].statements, "per message"),
        Result("memory.sender_peak", size, max(one.peak_mb for one in tried), "MB", n=n),
    )


@dataclass(frozen=True)
class Try:
    """Messages a second by the workers, by the same SQL alone, by the same posts alone; what it took."""

    workers: float
    sql: float
    http: float
    statements: float
    peak_mb: float


def _try_once(arena: Arena, size: int) -> Try:
    with arena.running("worker-sending") as pids, peak_memory(pids) as memory:
        _send(arena, WARM_UP)
        workers = _send(arena, size)
    sql, statements = _without_the_carrier(arena, size)
    return Try(workers, sql, _without_the_database(arena, size), statements, memory.peak_mb)


def _start(arena: Arena, shop_id: int) -> int:
    campaign_id = arena.a_campaign(shop_id, PERSONAL)
    sending.enqueue(shop_id, campaign_id)
    return arena.run_of(shop_id, campaign_id)


def _send(arena: Arena, size: int) -> float:
    """Messages a second from the first claim to the last settlement, by the database's clock."""
    arena.empty_messages()
    run_id = _start(arena, arena.shop_of(size))
    with arena.owner.connect() as connection:
        wait_until(lambda: connection.scalar(UNSETTLED, {"run_id": run_id}) == 0, PATIENCE_SECONDS, "sending")
    return _rate_of(arena, run_id)


def _rate_of(arena: Arena, run_id: int) -> float:
    with arena.owner.connect() as connection:
        row = connection.execute(SPAN, {"run_id": run_id}).one()
    assert row.captured == row.parts, "every message that was sent is paid for"
    return float(row.sent / row.seconds)


def _without_the_carrier(arena: Arena, size: int) -> tuple[float, float]:
    arena.empty_messages()
    shop_id = arena.shop_of(size)
    run_id = _start(arena, shop_id)
    counts = _two_processes("bench.settling", [str(shop_id), str(run_id)], arena.world.env)
    statements = sum(count["statements"] for count in counts) / sum(count["messages"] for count in counts)
    return _rate_of(arena, run_id), statements


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
