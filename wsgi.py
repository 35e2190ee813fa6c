"""The web process: `gunicorn wsgi:app`, and `flask --app wsgi …`."""

import gc
import sys

from app import create_app
from app.config import ConfigError

try:
    app = create_app()
    # What was made until here stays: a full collection would look through all of it, a tenth of a second in
    # the middle of somebody's request.
    gc.freeze()
except ConfigError as unusable:
    sys.exit(str(unusable))
