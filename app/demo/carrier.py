"""The carrier's side: what it accepted, what became of it, and the phones that it serves."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import requests

from app.demo.errors import DemoStopped
from app.demo.waiting import wait_for

PAGE = 1000
LINK = re.compile(r"https?://\S+/r/[A-Za-z0-9_-]+")
TIMEOUT_SECONDS = 30
CALL_SECONDS = 30


@dataclass(frozen=True)
class Text:
    """One text as the carrier accepted it. `took_seconds`: from acceptance to the last news."""

    id: str
    phone: str
    sender: str
    body: str
    parts: int
    status: str
    took_seconds: float

    @property
    def links(self) -> list[str]:
        """The short links, in the order of reading; the last is the opt-out link."""
        return LINK.findall(self.body)


class Carrier:
    """The pretend carrier's records, from the moment this object is made."""

    def __init__(self, url: str) -> None:
        self._url = url + "/_sandbox"
        self._since = time.time()
        self._session = requests.Session()
        self._session.trust_env = False

    def texts(self, sender: str) -> list[Text]:
        """All that was accepted from `sender`, the oldest first."""
        found: list[Text] = []
        after: int | None = 0
        while after is not None:
            page = self._call(
                "GET", "/messages", params={"since": self._since, "after": after, "limit": PAGE}
            )
            found += map(_text, page["messages"])
            after = page["next"]
        return [text for text in found if text.sender == sender]

    def repeated(self, sender: str) -> int:
        """How many texts too many it has accepted from `sender`: the same words to the same phone."""
        texts = self.texts(sender)
        return len(texts) - len({(text.phone, text.body) for text in texts})

    def untold(self) -> int:
        """Reports and replies that it has not got rid of yet."""
        return int(self._call("GET", "/outstanding")["outstanding"])

    def hold_back_reports(self, milliseconds: int) -> None:
        """Let every report from now on take so much longer."""
        self._call("PUT", "/reports", json={"delay_ms": milliseconds})

    def misbehave(self, kind: str, **details: float) -> None:
        """Let one send call go wrong; returns when it has. Raises DemoStopped when no call comes."""
        self._call("POST", "/faults", json={"kind": kind, **details})
        wait_for(
            lambda: self._call("GET", "/faults")["faults"],
            lambda waiting: not waiting,
            seconds=CALL_SECONDS,
            otherwise="No call of the senders has reached the carrier: see worker-sending.log.",
            poll_seconds=0.02,
        )

    def reply(self, phone: str, words: str) -> None:
        """Type an answer on a phone."""
        self._call("POST", "/reply", json={"phone": phone, "text": words})

    def _call(self, method: str, path: str, **what: Any) -> Any:
        answer = self._session.request(method, self._url + path, timeout=TIMEOUT_SECONDS, **what)
        if not answer.ok:
            raise DemoStopped(
                f"The carrier answered {method} {path} with {answer.status_code}: {answer.text[:200]}"
            )
        return answer.json()


def _text(record: dict[str, Any]) -> Text:
    created, updated = (datetime.fromisoformat(record[name]) for name in ("createdAt", "updatedAt"))
    return Text(
        id=record["messageId"],
        phone=record["phone"],
        sender=record["sender"]["name"],
        body=record["text"],
        parts=record["messageParts"],
        status=record["deliveryStatus"],
        took_seconds=(updated - created).total_seconds(),
    )
