"""A worker that goes on with a shop's import and, if told so, dies in front of its n-th statement or commit.

python -m tests.customers.importing_worker <shop id> <lines a batch> <n, 0 for never> <minutes from now>
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from datetime import timedelta

import sqlalchemy as sa

from app import create_app
from app.config import Settings
from app.core import clock
from app.core.database import db
from app.customers.service import importing


def main(shop_id: int, batch_lines: int, dies_at: int, minutes: int) -> None:
    app = create_app(Settings.from_env())
    importing.BATCH_LINES = batch_lines
    with app.app_context(), clock.moved(timedelta(minutes=minutes)):
        die_in_front_of(dies_at)
        importing.import_all(shop_id)


def die_in_front_of(number: int) -> None:
    """Count statements and commits, and be killed in front of one of them."""
    places = itertools.count(1)

    def pass_a_place(*_args: object) -> None:
        if next(places) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(db.engine, "before_cursor_execute", pass_a_place)
    sa.event.listen(db.engine, "commit", pass_a_place)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
