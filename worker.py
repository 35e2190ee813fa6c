"""The background processes: `python worker.py sending|events|imports` and `python worker.py scheduler`."""

import sys

from app import create_app
from app.background import run_scheduler, run_worker
from app.config import ConfigError

if __name__ == "__main__":
    try:
        app = create_app()
    except ConfigError as unusable:
        sys.exit(str(unusable))
    with app.app_context():
        run_scheduler() if sys.argv[1:] == ["scheduler"] else run_worker(sys.argv[1:])
