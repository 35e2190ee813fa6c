"""One JSON line per event, with no personal data by construction.

Numbers and flags pass. A string passes only under a key that cannot carry personal data; everything else
becomes
"[redacted]". Exceptions are logged as type and frames, never with their text: a database error quotes the
row.
Lines of other libraries keep their text with everything that looks like a phone, e-mail or token cut out.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

SAFE_KEYS = frozenset(
    [
        "event",
        "level",
        "logger",
        "timestamp",
        "request_id",
        "method",
        "route",
        "status",
        "code",
        "topic",
        "queue",
        "error",
        "job",
        "task",
        "state",
        "outcome",
        "source",
        "provider",
        "scope",
        "name",
        "version",
        "reason",
        "kind",
        "check",
        "result",
        "runbook",
    ]
)
REDACTED = "[redacted]"
PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.-]+"  # e-mail
    r"|\+?\d[\d\s().-]{7,}\d"  # phone, however written
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]*"  # JWT
    r"|(?<=/r/)[\w-]+|(?<=/unsubscribe/)[\w.-]+|(?<=/opt-out/)[\w.-]+"  # link tokens
)
Event = MutableMapping[str, Any]


def redact(_logger: Any, _method: str, event: Event) -> Event:
    """Let through what cannot be personal; see the module's text."""
    for key, value in event.items():
        if key.startswith("_") or key in SAFE_KEYS or isinstance(value, bool | int | float | None):
            continue
        if isinstance(value, list | tuple) and all(isinstance(item, int) for item in value):
            continue
        event[key] = value if key == "frames" else REDACTED
    return event


def cut_personal_data(_logger: Any, _method: str, event: Event) -> Event:
    """For lines that other libraries wrote as free text."""
    # Only the first line: further ones are tracebacks, and those of the database quote rows.
    event["event"] = PERSONAL.sub(REDACTED, str(event["event"]).partition("\n")[0])
    return event


def exception_as_frames(_logger: Any, _method: str, event: Event) -> Event:
    """Replace exc_info by the exception's type and where it happened."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if info and info[0]:
        event["error"] = info[0].__name__
        event["frames"] = [
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(info[2])
        ][-12:]
    return event


def configure_logging(level: str = "INFO") -> None:
    """Send this process's logs, ours and the libraries', to stdout as JSON. Safe to call twice."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        exception_as_frames,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, cut_personal_data],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("rq.worker", "rq.scheduler", "rq_scheduler", "urllib3", "alembic"):
        logging.getLogger(noisy).setLevel("WARNING")
