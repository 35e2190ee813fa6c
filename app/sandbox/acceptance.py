"""Accepting messages: judge each, remember the good ones in one transaction, plan what becomes of them."""

import re
from collections.abc import Sequence
from typing import Any

from app.sandbox.outcomes import REFUSED_SUFFIX, outcome_for
from app.sandbox.reports import Outlook
from app.sandbox.state import Sandbox
from app.sandbox.store import NewMessage
from app.sandbox.ulid import new_ulids

DESTINATION = re.compile(r"\+[1-9]\d{6,14}")
LONGEST_SENDER = 16

Answer = dict[str, Any]


def accept(sandbox: Sandbox, items: Sequence[dict[str, Any]], *, refused_share: float = 0.0) -> list[Answer]:
    """Accept what can be accepted and answer every item in its place: with a `messageId`, or with an `error`.

    `refused_share` of the items, evenly spread, is refused although nothing is wrong with them.
    Nothing is recognised as a repetition: the same items posted twice are two sets of messages,
    as at the real carrier.
    """
    answers: list[Answer] = []
    messages: list[NewMessage] = []
    for place, (item, message_id) in enumerate(zip(items, new_ulids(len(items)), strict=True)):
        account = item.get("trafficAccountId")
        error = _objection(item) or _bad_luck(place, refused_share)
        if error:
            answers.append({"trafficAccountId": account, "error": error})
            continue
        sms = item["sms"]
        messages.append(
            NewMessage(message_id, item["destination"], sms["sender"], sms["text"], account or "")
        )
        answers.append({"trafficAccountId": account, "messageId": message_id})
    if messages:
        sandbox.store.accept(messages)
        _plan(sandbox, messages)
    return answers


def _objection(item: dict[str, Any]) -> str | None:
    """What is wrong with one item; None if nothing is."""
    sms = item.get("sms")
    if not isinstance(sms, dict):
        return "sms is missing"
    destination, sender, text = item.get("destination"), sms.get("sender"), sms.get("text")
    if not isinstance(destination, str) or not DESTINATION.fullmatch(destination):
        return "Invalid destination"
    if not isinstance(text, str) or not text.strip():
        return "Text is empty"
    if not isinstance(sender, str) or not 1 <= len(sender) <= LONGEST_SENDER:
        return "Invalid sender"
    if not isinstance(item.get("trafficAccountId"), str):
        return "trafficAccountId is missing"
    return "Destination is blocked" if destination.endswith(REFUSED_SUFFIX) else None


def _bad_luck(place: int, share: float) -> str | None:
    # Even spread without chance: the running total of shares passes a whole number at this place.
    return "Refused by a fault" if int((place + 1) * share) > int(place * share) else None


def _plan(sandbox: Sandbox, messages: Sequence[NewMessage]) -> None:
    if not sandbox.config.reports:
        return
    outlooks = [Outlook(m.id, m.phone, m.sender, outcome_for(m.phone, sandbox.config)) for m in messages]
    all_early = sandbox.reporter.switches.early
    early = [one for one in outlooks if all_early or one.outcome.early]
    later = [one for one in outlooks if not (all_early or one.outcome.early)]
    if later:
        sandbox.reporter.schedule(later)
    if early:
        sandbox.reporter.report_now(early)
