"""A pretend VIES, the EU's register of VAT numbers.

`GET /vies/ms/{CC}/vat/{number}` answers as the real one does: outages are HTTP 200 with `isValid` false and
the reason in `userError`. Every well-formed number is valid, but those that end in 000. `PUT /vies/sandbox`
makes it behave otherwise, for all numbers or for one; `DELETE` ends that, and `GET` shows what was asked.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from flask import Blueprint, Response, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue

vies = Blueprint("vies", __name__, url_prefix="/vies")

MEMBERS = frozenset(
    "AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK XI".split()  # noqa: SIM905
)
FORM = re.compile(r"[0-9A-Z+*]{2,12}")
# Outcome: the word that the register gives as `userError`.
OUTAGES = {
    "member_state_unavailable": "MS_UNAVAILABLE",
    "too_many": "MS_MAX_CONCURRENT_REQ",
    "service_unavailable": "SERVICE_UNAVAILABLE",
    "timeout": "TIMEOUT",
}
LONGEST_SLOWNESS_SECONDS = 120.0


class Register:
    """What was asked, and how the register behaves: for one number, else for all."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self.lock:
            self.asked: list[dict[str, str]] = []
            self.outcomes: dict[str, str] = {}
            self.slowness_seconds = 0.0

    def outcome_of(self, country: str, number: str) -> str:
        with self.lock:
            self.asked.append({"country": country, "number": number, **request.args.to_dict()})
            return self.outcomes.get(country + number) or self.outcomes.get("") or _usual(country, number)


@vies.get("/ms/<country>/vat/<number>")
def look_up(country: str, number: str) -> ResponseReturnValue:
    register = _register()
    outcome = register.outcome_of(country, number)
    time.sleep(register.slowness_seconds)
    return ANSWERS.get(outcome, _outage(outcome))(country, number)


@vies.get("/sandbox")
def show() -> Response:
    register = _register()
    return jsonify(asked=register.asked, outcomes=register.outcomes, slow=register.slowness_seconds)


@vies.put("/sandbox")
def change() -> Response:
    """`outcome`: valid, invalid, malformed, broken or one of OUTAGES; `number`: else all; `slow`."""
    wish = request.get_json()
    register = _register()
    outcome = wish.get("outcome")
    if outcome is not None and outcome not in {*ANSWERS, *OUTAGES}:
        abort(400, "unknown outcome")
    with register.lock:
        if outcome is not None:
            register.outcomes[wish.get("number", "")] = outcome
        if "slow" in wish:
            register.slowness_seconds = min(float(wish["slow"]), LONGEST_SLOWNESS_SECONDS)
    return show()


@vies.delete("/sandbox")
def reset() -> Response:
    _register().reset()
    return show()


def _register() -> Register:
    found = current_app.extensions.setdefault("vies", Register())
    assert isinstance(found, Register)  # noqa: S101
    return found


def _usual(country: str, number: str) -> str:
    if country not in MEMBERS or FORM.fullmatch(number) is None:
        return "not_a_number"
    return "invalid" if number.endswith("000") else "valid"


def _told(country: str, number: str, *, is_valid: bool, reason: str) -> dict[str, Any]:
    says_who_asks = {"requesterMemberStateCode", "requesterNumber"} <= request.args.keys()
    return {
        "isValid": is_valid,
        "requestDate": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "userError": reason,
        "name": "ΔΟΚΙΜΑΣΤΙΚΗ ΕΤΑΙΡΕΙΑ Α.Ε." if is_valid else "---",
        "address": "---",
        "requestIdentifier": f"WAPIAAAA{uuid4().hex[:8].upper()}" if says_who_asks and is_valid else "",
        "originalVatNumber": number,
        "vatNumber": number,
        "viesApproximate": {"name": "---", "street": "---", "postalCode": "---", "city": "---"},
    }


def _valid(country: str, number: str) -> ResponseReturnValue:
    return jsonify(_told(country, number, is_valid=True, reason="VALID"))


def _invalid(country: str, number: str) -> ResponseReturnValue:
    return jsonify(_told(country, number, is_valid=False, reason="INVALID"))


def _not_a_number(country: str, number: str) -> ResponseReturnValue:
    return jsonify(_told(country, number, is_valid=False, reason="INVALID_INPUT"))


def _malformed(_country: str, _number: str) -> ResponseReturnValue:
    return Response("<html>Service maintenance</html>", content_type="text/html")


def _broken(_country: str, _number: str) -> ResponseReturnValue:
    refused = {"actionSucceed": False, "errorWrappers": [{"error": "INTERNAL_SERVER_ERROR"}]}
    return jsonify(refused), 500


def _outage(outcome: str) -> Callable[[str, str], ResponseReturnValue]:
    reason = OUTAGES.get(outcome, "SERVICE_UNAVAILABLE")
    return lambda country, number: jsonify(_told(country, number, is_valid=False, reason=reason))


ANSWERS: dict[str, Callable[[str, str], ResponseReturnValue]] = {
    "valid": _valid,
    "invalid": _invalid,
    "not_a_number": _not_a_number,
    "malformed": _malformed,
    "broken": _broken,
}
