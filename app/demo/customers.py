"""The people who get the texts. They know what is on their phone, and nothing else."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import requests
from requests.adapters import HTTPAdapter

from app.demo.carrier import Carrier, Text
from app.demo.errors import DemoStopped

AT_ONCE = 8
TIMEOUT_SECONDS = 20
CLICK_SHARE, LEAVE_SHARE, STOP_SHARE = 0.18, 0.03, 0.03
MOST_PEOPLE = 300  # each taps, opens and types for real; a large list would take minutes
STOP_WORDS = ("STOP", "Stop please", "ΣΤΟΠ", "στοπ!!", "unsubscribe", "Μη μου στέλνετε άλλα μηνύματα")
BROWSER = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"


@dataclass(frozen=True)
class Behaviour:
    """Who does what with which text. Nobody leaves in two ways; whoever leaves may have clicked before."""

    clickers: list[Text]
    leavers: list[Text]
    stoppers: list[Text]

    @property
    def gone(self) -> set[str]:
        """The phones of those who want no more texts."""
        return {text.phone for text in self.leavers + self.stoppers}


def decide(delivered: Sequence[Text], seed: int) -> Behaviour:
    """Who clicks, who presses the opt-out button, who answers STOP; always the same of the same phones."""
    chance = random.Random(seed)
    people = sorted(delivered, key=lambda text: text.phone)
    gone = chance.sample(people, _count(people, LEAVE_SHARE) + _count(people, STOP_SHARE))
    leavers = _count(people, LEAVE_SHARE)
    return Behaviour(chance.sample(people, _count(people, CLICK_SHARE)), gone[:leavers], gone[leavers:])


def act(behaviour: Behaviour, carrier: Carrier) -> str:
    """Let them all do it, some at a time. Returns the address to which the links led. Raises DemoStopped."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        destinations = set(pool.map(open_link, behaviour.clickers))
        list(pool.map(press_the_button, behaviour.leavers))
        words = (STOP_WORDS[place % len(STOP_WORDS)] for place in range(len(behaviour.stoppers)))
        list(pool.map(carrier.reply, [text.phone for text in behaviour.stoppers], words))
    if len(destinations) != 1:
        raise DemoStopped(
            f"The short links of one campaign led to {len(destinations)} places instead of one."
        )
    return destinations.pop()


def open_link(text: Text) -> str:
    """Tap the link of a text; the address that it leads to. Taps twice, as people do."""
    with _phone(text) as phone:
        for _ in range(2):
            answer = phone.get(text.links[0], allow_redirects=False, timeout=TIMEOUT_SECONDS)
            if answer.status_code != 302:
                raise DemoStopped(
                    f"A short link was answered with {answer.status_code} instead of a redirect."
                )
    return answer.headers["Location"]


def press_the_button(text: Text) -> None:
    """Follow the opt-out link and press the button of the page. Opening the page must not be enough."""
    with _phone(text) as phone:
        page = phone.get(text.links[-1], timeout=TIMEOUT_SECONDS)
        if not page.ok or "<form" not in page.text:
            raise DemoStopped(f"The opt-out page of a text has no button (status {page.status_code}).")
        answer = phone.post(urljoin(page.url, ""), timeout=TIMEOUT_SECONDS)
        if not answer.ok:
            raise DemoStopped(f"The opt-out button was answered with {answer.status_code}.")


def _count(people: Sequence[Text], share: float) -> int:
    return min(MOST_PEOPLE, max(1, round(len(people) * share)))


def _phone(text: Text) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["User-Agent"] = BROWSER
    session.mount("http://", _OwnAddress(text.phone))
    return session


class _OwnAddress(HTTPAdapter):
    """Every phone has an address of its own, as in life: limits per address see many visitors, not one."""

    def __init__(self, phone: str) -> None:
        number = int(phone[-6:])
        self._address = f"127.{1 + number % 200}.{number // 200 % 250}.{1 + number // 50_000}"
        super().__init__()

    def init_poolmanager(self, *sizes: Any, **settings: Any) -> None:
        if sys.platform == "linux":  # elsewhere the loopback has one address only
            settings["source_address"] = (self._address, 0)
        super().init_poolmanager(*sizes, **settings)  # type: ignore[no-untyped-call]
