"""The end of any interleaving of consent events: the newest word, and the opt-out of two in one second."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from app.contacts import consent as consents
from app.contacts.models import ConsentSource, Contact
from app.core import clock
from app.core.uow import unit_of_work
from app.customers.service.events import consent_changed, customer_changed
from app.shops.models import Shop
from tests.build_contacts import a_phone, suppressed_phones
from tests.build_customers import NOON, at, consent, consent_payload, customer, deliver

STORIES = 60
STATES = {"subscribed": "opted_in", "unsubscribed": "opted_out"}


class Word(NamedTuple):
    """Something that was said `seconds` after noon; ours is a STOP that was obeyed at that moment."""

    seconds: int
    state: str
    is_ours: bool = False


def end_of(words: Sequence[Word]) -> str:
    """The promise, in one line."""
    return STATES[max(words, key=lambda word: (word.seconds, word.state == "unsubscribed")).state]


def a_story(chance: random.Random) -> list[Word]:
    """Words in the order in which they reach us: Shopify's any time after they were said, perhaps twice."""
    said = [Word(chance.randrange(12), chance.choice(list(STATES))) for _ in range(chance.randrange(1, 7))]
    said += chance.choices(said, k=chance.randrange(3))
    stops = [Word(chance.randrange(12), "unsubscribed", True) for _ in range(chance.randrange(2))]
    reach_us = [
        (word.seconds + (0 if word.is_ours else chance.choice((0, 0, 1, 5, 20))), word) for word in said
    ]
    reach_us += [(stop.seconds, stop) for stop in stops]
    chance.shuffle(reach_us)
    return [word for _, word in sorted(reach_us, key=lambda one: one[0])]


def tell(shop: Shop, shopify_id: int, phone: str, word: Word, chance: random.Random) -> None:
    if word.is_ours:
        then = NOON + timedelta(seconds=word.seconds)
        with clock.moved(then - clock.now()), unit_of_work(shop.id):
            consents.withdraw_by_phone(shop.id, phone, source=ConsentSource.SMS_REPLY)
    elif chance.random() < 0.5:
        payload = consent_payload(word.state, word.seconds, phone=phone, shopify_id=shopify_id)
        deliver(shop, consent_changed, payload)
    else:
        stated = consent(word.state, word.seconds)
        who = customer(shopify_id, phone=phone, sms_marketing_consent=stated, updated_at=at(word.seconds))
        deliver(shop, customer_changed, who | {"email": None})


@pytest.mark.parametrize("seed", range(5))
def test_the_newest_word_stands_whatever_the_order_of_arrival(shop, seed):
    chance = random.Random(seed)  # noqa: S311 (not a secret)
    for shopify_id in range(1, STORIES + 1):
        phone, story = a_phone(), a_story(chance)
        for word in story:
            tell(shop, shopify_id, phone, word, chance)

        with unit_of_work(shop.id) as session:
            stands = session.scalars(sa.select(Contact.consent).where(Contact.phone == phone)).one_or_none()
        told_by_shopify = any(not word.is_ours for word in story)
        assert stands == (end_of(story) if told_by_shopify else None), story
        assert (phone in suppressed_phones(shop)) == (end_of(story) == "opted_out"), story


def test_every_order_of_the_same_words_ends_alike(shop):
    words = [Word(1, "subscribed"), Word(3, "unsubscribed"), Word(3, "subscribed"), Word(2, "subscribed")]
    chance = random.Random(0)  # noqa: S311 (not a secret)
    for shopify_id in range(1, 25):
        phone = a_phone()
        chance.shuffle(words)
        for word in words:
            tell(shop, shopify_id, phone, word, chance)

        assert phone in suppressed_phones(shop), words
