"""When outcomes become known, and how they are told: a heap of due times and one thread that watches it."""

import heapq
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from app.sandbox.config import SandboxConfig
from app.sandbox.outcomes import DeliveryStatus, Outcome
from app.sandbox.postman import REPLY_TRIGGER, REPORT_TRIGGER, AddressBook, Delivery, Postman
from app.sandbox.store import NewMessage, Settlement, Store
from app.sandbox.ticks import now_ticks, to_text
from app.sandbox.ulid import new_ulids

GATHER_SECONDS = 0.03  # outcomes that fall due within this time travel in one array
LONGEST_PAUSE_SECONDS = 30.0


class BadSwitch(ValueError):
    """A switch was described wrongly."""


@dataclass(frozen=True)
class ReportSwitches:
    """Bad habits of real carriers, all off by default. They may be changed while the sandbox runs."""

    paused: bool = False  # outcomes wait until this is off again
    lost: bool = False  # outcomes happen, but are never posted: only the status lookup tells
    single: bool = False  # one object per post instead of arrays
    doubled: bool = False  # every post is made twice
    reordered: bool = False  # newest first, and a stale `Sent` after each final status
    early: bool = False  # reported before the send call is answered
    wrong_secret: bool = False
    unknown_ids: bool = False  # each post also carries an id that nobody was given
    delay_ms: int = 0  # added to every outcome accepted from now on

    def changed(self, wish: dict[str, Any]) -> "ReportSwitches":
        """A copy with some switches set. Raises BadSwitch."""
        kinds = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        for name, value in wish.items():
            if name not in kinds or type(value) is not kinds[name]:
                raise BadSwitch(
                    f"{name}: expected one of {', '.join(kinds)} with true, false or milliseconds"
                )
        return replace(self, **wish)


@dataclass(frozen=True, slots=True)
class Outlook:
    """An accepted message and what will become of it."""

    message_id: str
    phone: str
    sender: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Reply:
    """A text on its way from a phone to the shop."""

    message_id: str
    phone: str
    sender: str
    text: str

    @classmethod
    def to(cls, outlook: Outlook, text: str) -> "Reply":
        """An answer to an accepted message."""
        return cls(new_ulids(1)[0], outlook.phone, outlook.sender, text)

    @property
    def body(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return {"from": self.phone, "to": self.sender, "text": self.text, "messageId": self.message_id}


class Reporter:
    """Settles outcomes in the store when their time comes, and posts them until somebody takes them."""

    def __init__(self, config: SandboxConfig, store: Store) -> None:
        self.switches = ReportSwitches()
        self._config = config
        self._store = store
        self._addresses = AddressBook(config, store)
        self._postman = Postman()
        self._heap: list[tuple[float, int, Outlook | Reply | Delivery]] = []
        self._tie = itertools.count()
        self._changed = threading.Condition()
        self._travelling = 0  # reports that left the heap and are not yet taken or given up
        self._tallies: Counter[str] = Counter()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="sandbox-reports", daemon=True)
        self._thread.start()

    def schedule(self, outlooks: Iterable[Outlook]) -> None:
        """Let these outcomes happen in their time."""
        start = time.monotonic() + self.switches.delay_ms / 1000
        self._push((start + one.outcome.after_seconds, one) for one in outlooks)

    def report_now(self, outlooks: Sequence[Outlook]) -> None:
        """Let these outcomes happen at once, and return when the receiver has had its chance to hear."""
        deliveries = self._settled(outlooks)
        with self._changed:
            self._travelling += sum(delivery.reports for delivery in deliveries)
        for delivery in deliveries:
            self._carry(delivery)

    def reply(self, phone: str, sender: str, text: str) -> str:
        """Write `text` on a phone: it is in the inbox at once, and on its way to the shop.

        Returns the message id.
        """
        reply = Reply(new_ulids(1)[0], phone, sender, text)
        deliveries = self._arrived([reply])
        with self._changed:
            self._travelling += len(deliveries)
        for delivery in deliveries:
            self._postman.submit(self._carry, delivery)
        return reply.message_id

    def outstanding(self) -> dict[str, Any]:
        """What has not been told yet, and what became of the rest."""
        with self._changed:
            waiting = sum(one.reports if isinstance(one, Delivery) else 1 for _, _, one in self._heap)
            next_due = max(0.0, self._heap[0][0] - time.monotonic()) if self._heap else None
            tallies = Counter(self._tallies)
            travelling = self._travelling
        return {
            "outstanding": waiting + travelling,
            "waiting": waiting,
            "travelling": travelling,
            "nextDueSeconds": next_due,
            "taken": tallies["taken"],
            "givenUp": tallies["given_up"],
            "postsRefused": tallies["refused"],
            "switches": asdict(self.switches),
        }

    def switch(self, wish: dict[str, Any]) -> ReportSwitches:
        """Change switches while running. Raises BadSwitch."""
        with self._changed:
            self.switches = self.switches.changed(wish)
            self._changed.notify_all()
        return self.switches

    def forget_everything(self) -> None:
        """Drop what is waiting, and every bad habit."""
        with self._changed:
            self._heap.clear()
            self._tallies.clear()
            self.switches = ReportSwitches()

    def close(self) -> None:
        """Stop the thread. What is still waiting is planned again from the store at the next start."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        self._postman.close()

    def _push(self, entries: Iterable[tuple[float, Outlook | Reply | Delivery]]) -> None:
        with self._changed:
            for due, entry in entries:
                heapq.heappush(self._heap, (due, next(self._tie), entry))
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            due = self._wait_for_due()
            if due is None:
                return
            outlooks = [one for one in due if isinstance(one, Outlook)]
            replies = [one for one in due if isinstance(one, Reply)]
            retries = [one for one in due if isinstance(one, Delivery)]
            deliveries = [*retries, *self._settled(outlooks), *self._arrived(replies)]
            with self._changed:
                self._travelling += sum(one.reports for one in deliveries) - len(due)
            for delivery in deliveries:
                self._postman.submit(self._carry, delivery)

    def _wait_for_due(self) -> list[Outlook | Reply | Delivery] | None:
        """Everything whose time has come, counted as travelling; None when the sandbox closes."""
        with self._changed:
            while not self._closed:
                pause = self._heap[0][0] - time.monotonic() if self._heap else None
                if pause is not None and pause <= 0 and not self.switches.paused:
                    break
                self._changed.wait(None if pause is None or self.switches.paused else pause)
            if self._closed:
                return None
            latest = time.monotonic() + GATHER_SECONDS
            due = []
            while self._heap and self._heap[0][0] <= latest:
                due.append(heapq.heappop(self._heap)[2])
            self._travelling += len(due)
            return due

    def _settled(self, outlooks: Sequence[Outlook]) -> list[Delivery]:
        self._store.settle(
            Settlement(o.message_id, o.outcome.status, o.outcome.description) for o in outlooks
        )
        self._push(
            (
                time.monotonic() + o.outcome.after_seconds / 2,
                Reply.to(o, o.outcome.reply),
            )
            for o in outlooks
            if o.outcome.reply
        )
        if not outlooks or self.switches.lost:
            return []
        size = 1 if self.switches.single else self._config.report_array_max
        reports = self._written(outlooks)
        batches = [reports[at : at + size] for at in range(0, len(reports), size)]
        return [
            Delivery(url, headers, batch[0] if self.switches.single else batch, len(batch))
            for url, headers in self._addresses.of(REPORT_TRIGGER, wrong_secret=self.switches.wrong_secret)
            for batch in batches
            for _ in range(2 if self.switches.doubled else 1)
        ]

    def _written(self, outlooks: Sequence[Outlook]) -> list[dict[str, Any]]:
        """Reports as they go over the wire, with today's bad habits."""
        moment = to_text(now_ticks())
        first, repeats, stale = [], [], []
        for one in outlooks:
            report = {
                "messageId": one.message_id,
                "deliveryStatus": one.outcome.status.value,
                "updatedAt": moment,
            }
            if one.outcome.description:
                report["description"] = one.outcome.description
            first.append(report)
            repeats.extend([report] * (one.outcome.times - 1))
            if self.switches.reordered:
                stale.append(report | {"deliveryStatus": DeliveryStatus.SENT.value})
        if self.switches.unknown_ids:
            stale.append({"messageId": new_ulids(1)[0], "deliveryStatus": "Delivered", "updatedAt": moment})
        return (first[::-1] if self.switches.reordered else first) + repeats + stale

    def _arrived(self, replies: Sequence[Reply]) -> list[Delivery]:
        if not replies:
            return []
        self._store.accept(
            [NewMessage(r.message_id, r.phone, r.sender, r.text, "", is_reply=True) for r in replies]
        )
        return [
            Delivery(url, headers, r.body, 1)
            for url, headers in self._addresses.of(REPLY_TRIGGER, wrong_secret=self.switches.wrong_secret)
            for r in replies
        ]

    def _carry(self, delivery: Delivery) -> None:
        """Post once; plan the next attempt, with a growing pause, or give up."""
        taken = self._postman.post(delivery)
        last = delivery.attempt >= self._config.report_attempts
        with self._changed:
            self._travelling -= delivery.reports
            self._tallies["taken"] += delivery.reports if taken else 0
            self._tallies["refused"] += 0 if taken else 1
            self._tallies["given_up"] += delivery.reports if last and not taken else 0
            if not taken and not last:
                pause = min(self._config.retry_seconds * 2 ** (delivery.attempt - 1), LONGEST_PAUSE_SECONDS)
                heapq.heappush(self._heap, (time.monotonic() + pause, next(self._tie), delivery.again()))
                self._changed.notify_all()
