"""A worker, or a web process, that dies or stands still at a chosen statement.

The product's code knows nothing of this: listeners on SQLAlchemy's own events watch the statements go by.
What runs is what `worker.py` and `wsgi.py` run.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from app.background import run_worker
from app.config import Settings
from app.core.database import db

MOMENTS = ("before", "during", "after", "before_commit", "after_commit")
DURING_SECONDS = 0.02
HOLD_POLL_SECONDS = 0.01


@dataclass(frozen=True)
class CrashPoint:
    """Strike at the `nth` statement that has `words` in it: `kill` this process, or `hold` it until released.

    `moment` is before, during or after the statement, or before or after the commit of its transaction.
    """

    moment: str
    words: str
    nth: int = 1
    action: str = "kill"


@dataclass(frozen=True)
class Order:
    """What a forked process shall be: its role (a queue's name, or web), its own variables, its end."""

    role: str
    log: str
    mark: str  # this file appears when the crash point has been reached
    env: Mapping[str, str]
    port: int = 0
    point: CrashPoint | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Order:
        read = json.loads(text)
        point = read.pop("point")
        return cls(**read, point=CrashPoint(**point) if point else None)


class Striker:
    """Counts the statements that match, and strikes at the right one."""

    def __init__(self, point: CrashPoint, mark: Path) -> None:
        self._point = point
        self._mark = mark
        self._seen = 0
        self._lock = threading.Lock()
        self._of_thread = threading.local()  # a web process has many

    def listen(self) -> None:
        """Watch the current app's engine and its sessions."""
        if self._point.moment in {"before", "during"}:
            event.listen(db.engine, "before_cursor_execute", self._statement)
        else:
            event.listen(db.engine, "after_cursor_execute", self._statement)
        event.listen(db.engine, "commit", self._committing)
        event.listen(Session, "after_commit", self._committed)
        event.listen(db.engine, "rollback", self._rolled_back)

    def _statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self._point.words not in statement or not self._is_the_one():
            return
        if self._point.moment == "during":
            threading.Timer(DURING_SECONDS, self._strike).start()
        elif self._point.moment in {"before", "after"}:
            self._strike()
        else:
            self._of_thread.armed = True

    def _committing(self, _connection: Any) -> None:
        if self._point.moment == "before_commit" and self._take_arms():
            self._strike()

    def _committed(self, _session: Session) -> None:
        if self._point.moment == "after_commit" and self._take_arms():
            self._strike()

    def _rolled_back(self, _connection: Any) -> None:
        self._take_arms()

    def _take_arms(self) -> bool:
        armed = getattr(self._of_thread, "armed", False)
        self._of_thread.armed = False
        return armed

    def _is_the_one(self) -> bool:
        with self._lock:
            self._seen += 1
            return self._seen == self._point.nth

    def _strike(self) -> None:
        self._mark.touch()
        if self._point.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        released = self._mark.with_suffix(".go")
        while not released.exists():
            time.sleep(HOLD_POLL_SECONDS)


def become(order: Order, app: Flask) -> None:
    """Be the process of `order` until it is ended. Called in a fresh fork of who has made `app`."""
    os.environ.update(order.env)
    app.config["SETTINGS"] = Settings.from_env()
    log = os.open(order.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    with app.app_context():
        if order.point:
            Striker(order.point, Path(order.mark)).listen()
        if order.role != "web":
            run_worker([order.role])
            return
    make_server("127.0.0.1", order.port, app, threaded=True).serve_forever()
