"""Who filled in a form, as far as can be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Visit:
    """One request of a person: what is kept as evidence of consent, and the language to answer in."""

    ip: str | None
    user_agent: str | None
    page_url: str | None
    language: str | None
