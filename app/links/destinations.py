"""Where we may send a visitor. Checked when the link is followed, so that a new rule holds for old texts."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from app.core.settings import settings

URL_MAX = 2048
# A browser reads a backslash as a slash and drops control characters, so it opens another host than judged.
DECEPTIVE = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


def is_allowed(url: str) -> bool:
    """Whether `url` is a web address that the deployment lets links lead to."""
    parts = _split(url)
    if parts is None or not parts.hostname or "@" in parts.netloc:
        return False
    schemes = {"https"} if settings().is_production else {"http", "https"}
    return parts.scheme in schemes and _host_is_listed(parts.hostname.rstrip("."))


def _split(url: str) -> SplitResult | None:
    if len(url) > URL_MAX or DECEPTIVE.search(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises on a port that is none
    except ValueError:
        return None
    return parts


def _host_is_listed(host: str) -> bool:
    patterns = settings().redirect_allowed_hosts
    return not patterns or any(_matches(host, pattern.lower()) for pattern in patterns)


def _matches(host: str, pattern: str) -> bool:
    """`*.example.com` stands for every name below example.com, not for example.com itself."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return host == pattern
