"""Answers that are kept for a while, in Redis, for one shop each.

Every family of things (contacts, audiences, …) has a version per shop, and the versions are part of an
answer's key: whoever changes something gives its family another version after the commit, and no older answer
is found again. Nothing is searched or deleted; what is out of date expires.

While Redis is away answers are computed. A change made meanwhile is remembered by its process, which gives
the new version as soon as Redis answers it again; other processes may show the older answer until then, at
most for the seconds that it is kept.

A worker commits thousands of times a second and tells Redis of a family once a second at most. What it tells
holds for two seconds, in which answers about the family are computed and not kept, so nobody sees what it
left out (docs/adr/0021-moving-figures-are-not-kept.md).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial, wraps
from hashlib import sha256
from threading import Lock
from typing import Any, cast
from uuid import uuid4

from flask import Flask, Response, current_app, g, request
from redis import Redis, RedisError

from app.core.clients import is_embedded_client
from app.core.clock import now
from app.core.http.schema import instant
from app.core.metrics import count
from app.core.uow import after_commit

EXTENSION = "astronote.cache"
BODY_MAX = 256 * 1024  # the queue lives in the same Redis
TURN_MILLISECONDS = 10_000  # a computing process that has died is waited for no longer
PATIENCE_SECONDS = 1.0
POLL_SECONDS = 0.02
TELL_SECONDS = 1.0  # a worker tells of one family of one shop no more often
MOVING_MILLISECONDS = 2_000  # and this is how long it counts: longer than it keeps silent
TOLD_MAX = 10_000  # families that a worker remembers having told of
PER_REQUEST = ("requestId", "timestamp")
Route = Callable[..., Any]


@dataclass
class Shelf:
    """The cache's own connection, impatient, and the versions that Redis must still be told to replace."""

    redis: Redis
    is_sparing: bool = False
    _owed: dict[str, str] = field(default_factory=dict)  # version key: who owes it
    _told: dict[str, float] = field(default_factory=dict)  # version key: when it was told last
    _lock: Lock = field(default_factory=Lock)

    def owe(self, keys: Iterable[str]) -> None:
        """Note that these versions are to be replaced, but for what was told within the last second."""
        with self._lock:
            since = time.monotonic() - TELL_SECONDS
            wanted = [key for key in keys if not self.is_sparing or self._told.get(key, since) <= since]
            self._owed.update(dict.fromkeys(wanted, uuid4().hex))

    def settle(self) -> None:
        """Give a new version to all that is owed. Raises RedisError and then still owes it."""
        with self._lock:
            owed = dict(self._owed)
        if not owed:
            return
        began = time.monotonic()
        with self.redis.pipeline(transaction=True) as telling:
            # Random and never used before: a counted version could come back after Redis was emptied, one
            # that is told again after its answer was lost could name what was kept before a later change.
            telling.mset({key: uuid4().hex for key in owed})
            for key in owed if self.is_sparing else ():
                telling.set(_moving(key), 1, px=MOVING_MILLISECONDS)
            telling.execute()
        with self._lock:  # what has been owed anew meanwhile was changed after this telling
            self._owed = {key: owner for key, owner in self._owed.items() if owed.get(key) != owner}
            if len(self._told) > TOLD_MAX:
                self._told.clear()
            self._told.update(dict.fromkeys(owed, began))


def init_cache(app: Flask, url: str) -> None:
    """Attach the cache. It connects when it is first used."""
    connection = Redis.from_url(url, socket_connect_timeout=0.5, socket_timeout=0.5)
    app.extensions[EXTENSION] = Shelf(connection)


def tell_sparingly() -> None:
    """From now on this process tells of a family once a second at most: for workers, which commit often."""
    _shelf().is_sparing = True


def changed(shop_id: int, *families: str) -> None:
    """Let the shop's kept answers about `families` be forgotten once the unit of work commits. A step."""
    after_commit(partial(touch, shop_id, *families))


def touch(shop_id: int, *families: str) -> None:
    """Forget the shop's kept answers about `families` now. Never raises for an absent Redis."""
    shelf = _shelf()
    shelf.owe(_version_key(shop_id, family) for family in families)
    with suppress(RedisError):
        shelf.settle()


def not_to_be_kept() -> None:
    """Say that the answer being computed is makeshift: it is given, and not kept."""
    g.is_makeshift = True


def cached(*families: str, seconds: int) -> Callable[[Route], Route]:
    """Keep the answers of a tenant's GET route for `seconds`, until one of `families` changes.

    Stands directly under the route's `get`, so that a kept answer skips everything else. Answers carry an
    ETag; only successful envelopes are kept, without what belongs to one request.
    """

    def decorate(route: Route) -> Route:
        @wraps(route)
        def kept_or_computed(*args: Any, **kwargs: Any) -> Response:
            place = _place(families)
            kept = _kept_or_my_turn(place) if place else None
            count("cache_lookups_total", families[0], _result(place, kept))
            if kept:
                return _answer(kept, "hit")
            g.is_makeshift = False
            try:
                computed = current_app.make_response(route(*args, **kwargs))
                body = _lasting(computed)
                if body and place and not g.get("is_makeshift"):
                    _keep(place, body, seconds)
            finally:
                if place:
                    _give_up_turn(place)
            return _answer(body, "miss") if body else computed

        return kept_or_computed

    return decorate


def revalidated(route: Route) -> Route:
    """Give a GET route's answer an ETag, and 304 to a client that has it: for what is cheap to compute and
    seldom changes. Stands where `cached` would.
    """

    @wraps(route)
    def answered(*args: Any, **kwargs: Any) -> Response:
        computed = current_app.make_response(route(*args, **kwargs))
        body = _lasting(computed)
        return _answer(body) if body else computed

    return answered


def _shelf() -> Shelf:
    return cast(Shelf, current_app.extensions[EXTENSION])


def _result(place: str | None, kept: bytes | None) -> str:
    """Passed: Redis is away, or the figures move."""
    return "hit" if kept else "miss" if place else "passed"


def _version_key(shop_id: int, family: str) -> str:
    return f"answers:{shop_id}:{family}:version"


def _moving(version_key: str) -> str:
    return f"{version_key}:moving"


def _place(families: tuple[str, ...]) -> str | None:
    """The key of this request's answer: shop, route and its arguments, full query, client, versions.

    None without Redis, and while a worker changes one of the families.

    Versions are read before the database is: an answer computed across a change is kept where nobody looks.
    """
    keys = [_version_key(g.shop_id, family) for family in families]
    try:
        _shelf().settle()
        versions = _versions(keys)
    except RedisError:
        return None
    if versions is None:
        return None
    query = sorted(request.args.items(multi=True))
    asked = [request.view_args, query, is_embedded_client(), versions]
    digest = sha256(json.dumps(asked, default=str).encode("utf-8", "surrogatepass")).hexdigest()
    return f"answers:{g.shop_id}:{request.endpoint}:{digest}"


def _versions(keys: list[str]) -> list[str] | None:
    """The families' versions, made where there are none yet; None while one of the families moves."""
    client = _shelf().redis
    asked = [*keys, *map(_moving, keys)]  # of one moment: what a worker tells stands in both or in neither
    found = cast("list[bytes | None]", client.mget(asked))
    if None in found[: len(keys)]:
        for key in keys:
            client.set(key, uuid4().hex, nx=True)
        found = cast("list[bytes | None]", client.mget(asked))
    if any(found[len(keys) :]):
        return None
    return [(version or b"").decode() for version in found[: len(keys)]]


def _kept_or_my_turn(place: str) -> bytes | None:
    """The kept answer; None when this request should compute it. One computes, the others wait a little."""
    client = _shelf().redis
    deadline = time.monotonic() + PATIENCE_SECONDS
    with suppress(RedisError):
        while not (kept := cast("bytes | None", client.get(place))):
            if client.set(f"{place}:turn", 1, nx=True, px=TURN_MILLISECONDS):
                return _kept_meanwhile(client, place)
            if time.monotonic() > deadline:
                return None
            time.sleep(POLL_SECONDS)
        return kept
    return None


def _kept_meanwhile(client: Redis, place: str) -> bytes | None:
    """What the last one kept between our look and our turn; the turn is then not needed."""
    kept = cast("bytes | None", client.get(place))
    if kept:
        _give_up_turn(place)
    return kept


def _keep(place: str, body: bytes, seconds: int) -> None:
    if len(body) <= BODY_MAX:
        with suppress(RedisError):
            _shelf().redis.set(place, body, ex=seconds)


def _give_up_turn(place: str) -> None:
    with suppress(RedisError):
        _shelf().redis.delete(f"{place}:turn")


def _lasting(response: Response) -> bytes | None:
    """The body without what belongs to one request; None for an answer that is not to be kept."""
    if response.status_code != 200 or response.is_streamed or not response.is_json:
        return None
    body = response.get_json()
    if not isinstance(body, dict) or body.get("success") is not True:
        return None
    lasting = {key: value for key, value in body.items() if key not in PER_REQUEST}
    return json.dumps(lasting, ensure_ascii=False, separators=(",", ":")).encode()


def _answer(body: bytes, result: str | None = None) -> Response:
    """The answer with this request's own id and time; 304 when the client has the same already."""
    own = json.dumps({"requestId": g.request_id, "timestamp": instant(now())})
    response = Response(body[:-1] + b"," + own[1:].encode(), mimetype="application/json")
    response.set_etag(sha256(body).hexdigest()[:32], weak=True)
    response.headers["Cache-Control"] = "private, no-cache"
    response.vary.update(("Authorization", "Origin"))
    if result:
        response.headers["X-Cache"] = result
    return cast(Response, response.make_conditional(request))
