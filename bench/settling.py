"""A process that claims and settles a run with ready-made answers: the pipeline's SQL without the carrier."""

from __future__ import annotations

import itertools
import json
import os
import sys
import time
from collections.abc import Sequence

import sqlalchemy as sa

from app import create_app
from app.core.database import db
from app.integrations.mitto.types import Accepted
from app.messaging.provider import CallResult
from app.messaging.service import sending

numbers = itertools.count()


def settle_all(shop_id: int, run_id: int) -> int:
    """Claim and settle until nothing is left; how many messages."""
    settled = 0
    while (batch := sending.claim(shop_id, run_id)) is not None:
        sending.settle(shop_id, run_id, batch, accepted(len(batch.messages)))
        settled += len(batch.messages)
    return settled


def accepted(size: int) -> CallResult:
    """An answer that accepts everything, with ids as long and as ordered as the carrier's ULIDs."""
    prefix = f"{time.time_ns() // 1_000_000:X}{os.getpid():X}"
    ids = (f"{prefix}{next(numbers):0{26 - len(prefix)}X}" for _ in range(size))
    return CallResult([Accepted(one) for one in ids], "answered")


def main(arguments: Sequence[str]) -> None:
    shop_id, run_id = map(int, arguments)
    with create_app().app_context():
        statements = itertools.count()
        sa.event.listen(db.engine, "before_cursor_execute", lambda *_: next(statements))
        db.session.execute(sa.text("SELECT 1"))  # the connection is made before the clock runs
        db.session.remove()
        print("ready", flush=True)
        sys.stdin.readline()
        settled = settle_all(shop_id, run_id)
    print(json.dumps({"messages": settled, "statements": next(statements)}))


if __name__ == "__main__":
    main(sys.argv[1:])
