"""A worker that goes on with one shop's import and, if told so, dies some seconds after the download began.

python -m tests.customers.importing_worker <shop id> <lines a batch> <seconds, 0 for never>
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import timedelta

from app import create_app
from app.config import Settings
from app.core import clock
from app.customers.service import importing
from tests.conftest import VALUES


def main(shop_id: int, batch_lines: int, seconds: float) -> None:
    app = create_app(Settings.from_env({**VALUES, **os.environ}))
    importing.BATCH_LINES = batch_lines
    if seconds:
        threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()
    with app.app_context(), clock.moved(timedelta(minutes=5)):
        importing.import_all(shop_id)
    os._exit(0)  # the timer must not be waited for


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
