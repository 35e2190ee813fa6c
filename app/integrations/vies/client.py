"""VIES, the EU's register of VAT numbers: one GET, an answer, or a typed outage.

Facts (providers.md §4.6): `GET /ms/{CC}/vat/{number}` answers with `isValid`, `userError`, `requestDate`
and `requestIdentifier`. Greece is EL there. When a member state is out the answer is HTTP 200 with `isValid`
false and the reason in `userError`, so `isValid` alone decides nothing. A consultation number comes only when
the asker says who he is.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol
from urllib.parse import quote

import requests

from app.core.clock import now
from app.core.settings import settings
from app.integrations.vies.errors import VatRegisterUnavailable

CONNECT_SECONDS = 3.0
SILENCE_SECONDS = 15.0
LONGEST_CONSULTATION = 64
# The register's words for a number that it knows not to be one.
NOT_VALID = frozenset({"INVALID", "INVALID_INPUT"})
WORD = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


@dataclass(frozen=True)
class Consultation:
    """What a register said of a number, when, and under which number of its own, if it gave one."""

    is_valid: bool
    at: datetime
    number: str | None = None


class VatRegister(Protocol):
    """Whoever can be asked whether a VAT number exists. Raises VatRegisterUnavailable."""

    def __call__(self, country: str, number: str) -> Consultation: ...


def look_up(country: str, number: str, *, patience_seconds: float = SILENCE_SECONDS) -> Consultation:
    """Ask VIES for a number without its prefix, of a country as two letters (Greece as GR or EL).

    Raises VatRegisterUnavailable for anything that is no clear yes or no, and for a longer silence.
    """
    url = f"{settings().vies_api_base}/ms/{_prefix(country)}/vat/{quote(number, safe='')}"
    try:
        answer = _session().get(
            url, params=_asker(), timeout=(CONNECT_SECONDS, patience_seconds), allow_redirects=False
        )
        told = answer.json()
    except ValueError as broken:  # requests' JSONDecodeError is one of both
        raise VatRegisterUnavailable("MALFORMED") from broken
    except requests.RequestException as trouble:
        raise VatRegisterUnavailable(type(trouble).__name__) from trouble
    if not isinstance(told, dict):
        raise VatRegisterUnavailable("MALFORMED")
    return _understood(answer.status_code, told)


def _understood(status: int, told: dict[str, Any]) -> Consultation:
    reason = _reason(told)
    if status == requests.codes.ok and told.get("isValid") is True and reason in {None, "VALID"}:
        return Consultation(True, _moment(told), _consultation_number(told))
    if status in {requests.codes.ok, requests.codes.bad_request} and reason in NOT_VALID:
        return Consultation(False, _moment(told), _consultation_number(told))
    raise VatRegisterUnavailable(reason or f"HTTP_{status}")


def _reason(told: dict[str, Any]) -> str | None:
    """`userError`, or where the whole call is refused the first of `errorWrappers`."""
    wrapped = told.get("errorWrappers")
    first = wrapped[0] if isinstance(wrapped, list) and wrapped else None
    reason = first.get("error") if isinstance(first, dict) else told.get("userError")
    return reason if isinstance(reason, str) and WORD.fullmatch(reason) else None


def _moment(told: dict[str, Any]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(told.get("requestDate")))
    except ValueError:
        return now()
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _consultation_number(told: dict[str, Any]) -> str | None:
    number = told.get("requestIdentifier")
    return number[:LONGEST_CONSULTATION] if isinstance(number, str) and number.strip() else None


def _asker() -> dict[str, str]:
    ours = settings().seller_vat_number
    return {"requesterMemberStateCode": ours[:2], "requesterNumber": ours[2:]} if ours else {}


def _prefix(country: str) -> str:
    return "EL" if country == "GR" else country


@functools.cache
def _session() -> requests.Session:
    made = requests.Session()
    made.headers.update({"Accept": "application/json"})
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return made
