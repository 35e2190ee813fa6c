"""What happens when somebody opens a link of a text."""

from __future__ import annotations

import re

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.core.urls import public_base_url
from app.links.destinations import is_allowed
from app.links.errors import LinkMalformed, LinkNotAvailable
from app.messaging.service import links
from app.messaging.service.links import FoundLink

log = structlog.get_logger(__name__)
TOKEN = re.compile(r"[A-Za-z0-9_-]{6,16}")


def open_link(token: str) -> FoundLink:
    """The link that a token names. Raises LinkMalformed, and LinkNotAvailable also for a forbidden target."""
    if not TOKEN.fullmatch(token):
        raise LinkMalformed
    found = links.find_link(token)
    if found is None:
        raise LinkNotAvailable
    if found.destination is not None and not is_allowed(found.destination):
        log.warning("link_target_refused", shop_id=found.shop_id, run_id=found.run_id, link_no=found.link_no)
        raise LinkNotAvailable
    return found


def target_of(found: FoundLink, token: str) -> str:
    """Where the visitor goes: the URL of the text, or our opt-out page."""
    return found.destination or f"{public_base_url()}/opt-out/{token}"


def count_click(found: FoundLink) -> None:
    """Count a click, if the database can take it at once: a visitor does not pay for our statistics."""
    try:
        links.count_click(found)
    except SQLAlchemyError as failed:
        log.error(
            "click_not_counted",
            message_id=found.message_id,
            link_no=found.link_no,
            error=type(failed).__name__,
        )
