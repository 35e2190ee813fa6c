"""How fast, and whether at all: token buckets and a circuit breaker that every worker shares through Redis.

Losing Redis must stop sending, not free it, so a question that Redis does not answer raises RateUnknown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from redis import Redis, RedisError
from redis.commands.core import Script

from app.core.redis import redis_client

log = structlog.get_logger(__name__)

MICROSECONDS = 1_000_000

# KEYS: the buckets. ARGV: rate per second, burst, tokens wanted; three for each bucket.
# Answers the microseconds to wait; 0 means that every bucket has given its tokens, else none has given any.
TAKE_ALL = """
local SECOND = 1000000
local clock = redis.call('TIME')
local now = clock[1] * SECOND + clock[2]
local wait = 0
local left = {}
for i, key in ipairs(KEYS) do
  local rate, burst, wanted = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local stored = redis.call('HMGET', key, 'tokens', 'at')
  local tokens, at = tonumber(stored[1]) or burst, tonumber(stored[2]) or now
  -- The bucket's clock only moves forward, or a clock that shakes would fill it twice for one second. But a
  -- server clock that was set back by more than a second is taken as it is: catching up could take hours.
  if at - now > SECOND then at = now end
  local moment = math.max(now, at)
  tokens = math.min(burst, tokens + (moment - at) * rate / SECOND)
  if tokens < wanted then
    wait = math.max(wait, moment - now + (wanted - tokens) / rate * SECOND, 1)
  end
  left[i] = {tokens - wanted, moment, burst / rate}
end
if wait > 0 then return math.ceil(wait) end
for i, key in ipairs(KEYS) do
  local tokens, moment, seconds_to_fill = unpack(left[i])
  redis.call('HSET', key, 'tokens', string.format('%.9f', tokens), 'at', string.format('%.0f', moment))
  redis.call('PEXPIRE', key, math.ceil(seconds_to_fill * 1000) + 2000)  -- full again: nothing to remember
end
return 0
"""

# KEYS: the failures' times, the pause. ARGV: threshold, window and pause in milliseconds.
# Keeps the last `threshold` times only; when the oldest of them is within the window, the pause begins.
NOTE_FAILURE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local threshold, window = tonumber(ARGV[1]), tonumber(ARGV[2])
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('LTRIM', KEYS[1], 0, threshold - 1)
redis.call('PEXPIRE', KEYS[1], window)
local oldest = redis.call('LINDEX', KEYS[1], threshold - 1)
if not oldest or now - oldest > window then return 0 end
redis.call('SET', KEYS[2], 1, 'PX', ARGV[3])
redis.call('DEL', KEYS[1])
return 1
"""


class RateUnknown(Exception):
    """Redis does not answer, so nobody knows how much has been sent: do not send."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A limit shared by everybody who uses its name: `rate_per_second` in the long run, `burst` at once."""

    name: str
    rate_per_second: float
    burst: float
    tokens: float = 1

    def __post_init__(self) -> None:
        if self.rate_per_second <= 0 or not 0 < self.tokens <= self.burst:
            raise ValueError(f"bucket {self.name} can never give {self.tokens} tokens")


def take(connection: Redis, name: str, *, rate_per_second: float, burst: float, tokens: float = 1) -> float:
    """Take `tokens` from one bucket; see `take_all`."""
    return take_all(connection, [Bucket(name, rate_per_second, burst, tokens)])


def take_all(connection: Redis, buckets: Sequence[Bucket]) -> float:
    """Take each bucket's tokens from all of them, or from none.

    Returns 0 when they are taken, else the seconds after which asking again is worth while. A bucket starts
    full. Raises RateUnknown while Redis is away, ValueError for two buckets of one name.
    """
    if len({bucket.name for bucket in buckets}) != len(buckets):
        raise ValueError("a bucket is named twice")
    wishes = [wish for one in buckets for wish in (one.rate_per_second, one.burst, one.tokens)]
    try:
        wait = Script(connection, TAKE_ALL)(keys=[f"rate:{one.name}" for one in buckets], args=wishes)
    except RedisError as away:
        raise RateUnknown from away
    return int(wait) / MICROSECONDS


@dataclass(frozen=True, slots=True)
class Circuit:
    """Pauses a provider, for every worker, after `threshold` failures within `window_seconds`."""

    name: str
    threshold: int
    window_seconds: float
    pause_seconds: float

    def note_failure(self) -> None:
        """Count one failure; the one that reaches the threshold starts the pause and the count begins anew.

        Raises nothing, because it is called between a failed call and its settlement: without Redis nobody
        sends anyway.
        """
        try:
            opened = Script(redis_client(), NOTE_FAILURE)(
                keys=[self._failures, self._pause],
                args=[self.threshold, _milliseconds(self.window_seconds), _milliseconds(self.pause_seconds)],
            )
        except RedisError as away:
            log.warning("circuit_failure_not_noted", provider=self.name, error=type(away).__name__)
            return
        if opened:
            log.error("circuit_opened", provider=self.name, pause_seconds=self.pause_seconds)

    def paused_for(self) -> float:
        """Seconds until the provider may be called again; 0 if it may be called now. Raises RateUnknown."""
        try:
            left = redis_client().pttl(self._pause)
        except RedisError as away:
            raise RateUnknown from away
        return max(0, left) / 1000

    @property
    def _failures(self) -> str:
        return f"circuit:{self.name}:failures"

    @property
    def _pause(self) -> str:
        return f"circuit:{self.name}:pause"


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))
