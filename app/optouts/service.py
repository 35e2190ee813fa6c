"""Opting out: by the link in a text, or by a reply to it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from app.contacts import consent
from app.contacts.consent import ConsentSource
from app.core.phones import NotAPhone, parse_phone
from app.core.settings import settings
from app.core.uow import across_shops, require_unit_of_work, unit_of_work, within_shop
from app.integrations.mitto.reports import InboundText
from app.messaging.service import links, replies
from app.messaging.service.replies import Answered, ReadReply
from app.optouts import queries
from app.optouts.errors import InvalidOptOutLink
from app.optouts.legacy_tokens import read_legacy_token
from app.optouts.words import ReplyIntent, read_reply
from app.shops import service as shops

OPTED_OUT = "opted_out"
MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class OptOutLink:
    """Whom an opt-out link concerns. An old token names no message, and maybe no contact."""

    shop_id: int
    phone: str
    run_id: int | None = None
    message_id: int | None = None
    contact_id: int | None = None
    first_name: str | None = None
    last_name: str | None = None
    consent: str = "unknown"
    shop_name: str = ""
    shop_domain: str = ""

    @property
    def is_opted_out(self) -> bool:
        return self.consent == OPTED_OUT


def open_link(token: str) -> OptOutLink:
    """What an opt-out link is about; changes nothing. Raises InvalidOptOutLink."""
    link = _read(token)
    with unit_of_work(link.shop_id):
        return _described(link)


def opt_out(token: str) -> OptOutLink:
    """Withdraw the consent of the link's number for its shop. Doing it again changes nothing.

    The message's run counts one opt-out, the first time. Raises InvalidOptOutLink.
    """
    link = _read(token)
    with unit_of_work(link.shop_id):
        _withdraw(
            link.shop_id,
            link.phone,
            link.run_id,
            source=ConsentSource.UNSUBSCRIBE_LINK,
            evidence={"run_id": link.run_id, "message_id": link.message_id},
        )
        return _described(link)


def receive_reply(text: InboundText, inbox_id: int) -> str:
    """Keep a text that a person sent, and obey it. A step across shops, once per `inbox_id`.

    STOP ends the texts of the shop that texted the number last. START undoes only what a STOP has done: who
    left by the link or through the shop comes back the same way. Gives a word for what was done.
    """
    require_unit_of_work()
    meaning = read_reply(text.text)
    phone = _e164(text.phone_raw)
    answered = replies.last_message_to(phone, senders=_spellings(text.sent_to))
    reply = ReadReply(phone, text.sent_to, text.text, meaning.intent, meaning.needs_review)
    if not replies.store_reply(inbox_id, reply, answered):
        return "known"
    if answered is None:
        return "no_shop"
    with within_shop(answered.shop_id):
        _obey(meaning.intent, phone, answered, inbox_id)
    return str(meaning.intent)


def _obey(intent: ReplyIntent, phone: str, answered: Answered, inbox_id: int) -> None:
    shop_id = answered.shop_id
    evidence = {"inbox_id": inbox_id, "run_id": answered.run_id, "message_id": answered.message_id}
    if intent == ReplyIntent.STOP:
        _withdraw(shop_id, phone, answered.run_id, source=ConsentSource.SMS_REPLY, evidence=evidence)
    elif intent == ReplyIntent.START:
        consent.take_turn(shop_id)  # the reason is read in the same turn that undoes it
        if queries.suppressed_by(shop_id, phone) == ConsentSource.SMS_REPLY:
            consent.lift_suppression(shop_id, phone, source=ConsentSource.SMS_REPLY)
            consent.grant_by_phones(shop_id, [phone], source=ConsentSource.SMS_REPLY, evidence=evidence)


def _withdraw(
    shop_id: int, phone: str, run_id: int | None, *, source: ConsentSource, evidence: consent.Evidence
) -> None:
    changed = consent.withdraw_by_phone(shop_id, phone, source=source, evidence=evidence)
    if changed and run_id is not None:
        links.count_opt_out(run_id)


def _read(token: str) -> OptOutLink:
    found = links.find_link(token)
    if found is None:
        return _read_legacy(token)
    # A message of somebody who asked to be forgotten has no number left to opt out.
    if not found.is_opt_out or not found.phone:
        raise InvalidOptOutLink
    return OptOutLink(
        shop_id=found.shop_id,
        phone=found.phone,
        run_id=found.run_id,
        message_id=found.message_id,
        contact_id=found.contact_id,
    )


def _read_legacy(token: str) -> OptOutLink:
    legacy = read_legacy_token(token, (*settings().link_secrets, settings().jwt_secret))
    if legacy is None:
        raise InvalidOptOutLink
    with across_shops("an old token names its shop in the old system's words"):
        shop_id = _legacy_shop(legacy.shop, legacy.phone)
    if shop_id is None:
        raise InvalidOptOutLink
    return OptOutLink(shop_id=shop_id, phone=legacy.phone)


def _legacy_shop(named: str, phone: str) -> int | None:
    """A shop is found by our id; by an older one only if no other shop knows the number."""
    if named.isascii() and named.isdigit() and int(named) <= MAX_ID:
        return int(named) if queries.shop_exists(int(named)) else None
    return queries.only_shop_that_knows(phone)


def _described(link: OptOutLink) -> OptOutLink:
    person = queries.person(link.shop_id, link.phone)
    shop = shops.known_shop(link.shop_id)  # one that has left is still the one that texted
    return replace(
        link,
        contact_id=person.contact_id or link.contact_id,
        first_name=person.first_name,
        last_name=person.last_name,
        consent=OPTED_OUT if person.is_suppressed else person.consent,
        shop_name=shop.display_name,
        shop_domain=shop.domain,
    )


def _e164(raw: str) -> str:
    """The carrier writes the country code after a plus, 00 or nothing; other numbers are kept as they are."""
    digits = re.sub(r"[^0-9]", "", raw).removeprefix("00")
    for spelling in (f"+{digits}", raw):
        try:
            return parse_phone(spelling).e164
        except NotAPhone:
            continue
    return f"+{digits}" if digits else raw


def _spellings(sent_to: str | None) -> list[str]:
    if not sent_to:
        return []
    digits = re.sub(r"[^0-9]", "", sent_to).removeprefix("00")
    return [sent_to, digits, f"+{digits}"] if digits else [sent_to]
