"""Carries posts to somebody's webhooks: in order while all goes well, else again with growing pauses.

What is posted, how it is signed and who counts the failures is its user's business: this knows threads and
time.
"""

import heapq
import itertools
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from zlib import crc32

from app.sandbox.posting import was_taken

LANES = 8
REORDER_SECONDS = 1.0  # a held-back handful leaves after this, complete or not


class Parcel(Protocol):
    """One thing to post. `statuses` are the answers so far, None for no answer."""

    state: str  # waiting; then taken, given up or lost
    statuses: list[int | None]

    @property
    def lane(self) -> str:
        """What has the same lane is posted one after the other."""
        ...


@dataclass(frozen=True)
class Pace:
    """How stubborn the sender is: the pause doubles after each refusal."""

    retries: int
    retry_seconds: float


@dataclass(frozen=True)
class Journey:
    """How a parcel travels when all does not go well."""

    copies: int = 1
    delay_seconds: float = 0.0
    reorder: int = 0  # this one and the next leave together, in another order


P = TypeVar("P", bound=Parcel)


class Dispatch(Generic[P]):
    """`send` returns at once; threads call `post`, `answered` hears of each answer. Close it to stop them."""

    def __init__(
        self,
        name: str,
        post: Callable[[P], int | None],
        pace: Callable[[], Pace],
        answered: Callable[[P, bool], None] = lambda parcel, taken: None,
    ) -> None:
        self._call, self._pace, self._answered = post, pace, answered
        self._lanes = [ThreadPoolExecutor(1, thread_name_prefix=f"{name}-{n}") for n in range(LANES)]
        self._waiting = 0
        self._held: list[P] = []
        self._to_hold = 0
        self._later: list[tuple[float, int, P | None]] = []
        self._order = itertools.count()
        self._random = random.Random(1)
        self._is_closed = False
        self._changed = threading.Condition()
        self._timer = threading.Thread(target=self._keep_time, name=f"{name}-timer", daemon=True)
        self._timer.start()

    def send(self, parcel: P, journey: Journey) -> None:
        """Post it until it is taken or given up."""
        if journey.reorder:
            self._hold_next(max(2, journey.reorder))
        with self._changed:
            self._waiting += journey.copies
        for _ in range(journey.copies):
            if journey.delay_seconds:
                self._at(journey.delay_seconds, parcel)
            elif not self._hold(parcel):
                self._submit(parcel)

    def again(self, parcel: P) -> None:
        """Post it once more, whatever has become of it."""
        self._submit(parcel, counted=True)

    def outstanding(self) -> int:
        """Posts that are neither taken nor given up."""
        with self._changed:
            return self._waiting

    def forget_everything(self) -> None:
        """What is still under way is not repeated."""
        with self._changed:
            self._waiting -= len(self._held) + sum(one is not None for _, _, one in self._later)
            self._later.clear()
            self._held, self._to_hold = [], 0

    def close(self) -> None:
        """Stop posting."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._timer.join()
        for lane in self._lanes:
            lane.shutdown(wait=True, cancel_futures=True)

    def _hold_next(self, count: int) -> None:
        with self._changed:
            self._to_hold = count
        self._at(REORDER_SECONDS, None)

    def _hold(self, parcel: P) -> bool:
        with self._changed:
            if not self._to_hold:
                return False
            self._held.append(parcel)
            self._to_hold -= 1
            is_complete = not self._to_hold
        if is_complete:
            self._release()
        return True

    def _release(self) -> None:
        with self._changed:
            held, self._held, self._to_hold = self._held, [], 0
        first = list(held)
        while len(held) > 1 and held == first:
            self._random.shuffle(held)
        for parcel in held:
            self._submit(parcel)

    def _submit(self, parcel: P, *, counted: bool = False) -> None:
        lane = self._lanes[crc32(parcel.lane.encode()) % LANES]
        with self._changed:
            if self._is_closed:
                return
            self._waiting += counted
            lane.submit(self._post, parcel)

    def _post(self, parcel: P) -> None:
        status, pace = self._call(parcel), self._pace()
        parcel.statuses.append(status)
        taken = was_taken(status)
        self._answered(parcel, taken)  # first: who waits for the end shall find this done
        if taken:
            self._settle(parcel, "taken")
        elif len(parcel.statuses) > pace.retries:
            self._settle(parcel, "given up")
        else:
            self._at(pace.retry_seconds * 2 ** (len(parcel.statuses) - 1), parcel)

    def _settle(self, parcel: P, state: str) -> None:
        if parcel.state != "taken":
            parcel.state = state
        with self._changed:
            self._waiting -= 1
            self._changed.notify_all()

    def _at(self, seconds: float, parcel: P | None) -> None:
        with self._changed:
            heapq.heappush(self._later, (time.monotonic() + seconds, next(self._order), parcel))
            self._changed.notify_all()

    def _keep_time(self) -> None:
        while True:
            with self._changed:
                if self._is_closed:
                    return
                pause = self._later[0][0] - time.monotonic() if self._later else None
                if pause is None or pause > 0:
                    self._changed.wait(pause)
                    continue
                _, _, parcel = heapq.heappop(self._later)
            if parcel is None:
                self._release()
            else:
                self._submit(parcel)
