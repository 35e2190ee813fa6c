"""Mitto's messaging API over HTTP: one call in, a typed answer or one of three typed errors out.

What a failed call proves decides its kind. It is safe to repeat only if the request never reached the carrier
or the carrier says that it refused it; in every other case the messages may have been sent.
"""

from __future__ import annotations

import json
import math
import ssl
import time
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as http
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from app.core.clock import now
from app.integrations.mitto.answers import read_bulk_answer, read_message
from app.integrations.mitto.errors import Ambiguous, MittoError, Refused, Unavailable
from app.integrations.mitto.types import BulkAnswer, MittoMessage, OutboundSms

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 4.0  # less than the keep-alive time of the usual servers (5 s and more)
CONNECTIONS = 32
LONGEST_WAIT_SECONDS = 3600.0

FAULT_OF_THE_CONTENT = frozenset({400, 413, 415, 422})
FAULT_OF_THE_ACCOUNT = frozenset({401, 402, 403, 404, 405})  # or of our address for it

# Each of these is raised before the first byte of the request is written. The order matters: the first is a
# kind of the second, which is a kind of the third.
NEVER_WRITTEN: tuple[tuple[type[Exception], str], ...] = (
    (http.NameResolutionError, "dns"),
    (http.NewConnectionError, "connect_failed"),
    (http.ConnectTimeoutError, "connect_timeout"),
    (http.ProxyError, "proxy"),
)


class MittoClient:
    """The carrier as one traffic account sees it. Threads may share one client; make it after a fork.

    `timeout_seconds` is the longest silence, not the longest call: a carrier that drips its answer is stopped
    by the job's own timeout, whose exception passes through here untouched. POSTs are never repeated, and a
    connection that was idle for `idle_seconds` is not used again.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        traffic_account_id: str,
        timeout_seconds: float,
        *,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._traffic_account_id = traffic_account_id
        self._timeout = (min(CONNECT_SECONDS, timeout_seconds), timeout_seconds)
        self._session = requests.Session()
        self._session.headers.update({"X-Mitto-API-Key": api_key, "Accept": "application/json"})
        # A jar would make calls of different threads depend on each other.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _FreshConnections(idle_seconds))

    def send_bulk(self, messages: Sequence[OutboundSms]) -> BulkAnswer:
        """Hand over `messages` in one call; the answer has one result for each, in their order.

        Not idempotent: the carrier knows no repetition. Raises Refused and Unavailable (certainly nothing was
        sent) and Ambiguous (any of them may have been).
        """
        if not messages:
            return BulkAnswer(None, ())
        body = json.dumps(
            {"messages": [self._as_json(message) for message in messages]},
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        response = self._exchange("POST", "/api/v1.1/Messages/sendmessagesbulk", body)
        _require_success(response)
        return read_bulk_answer(response.content, len(messages))

    def fetch(self, message_id: str) -> MittoMessage | None:
        """Look up one message; None if the carrier does not know it.

        Raises Refused, and Unavailable for everything else: a question may be asked again.
        """
        try:
            response = self._exchange("GET", f"/api/v1.1/Messages/{quote(message_id, safe='')}")
            if response.status_code == requests.codes.not_found:
                return None
            _require_success(response)
            return read_message(response.content, message_id)
        except Ambiguous as unanswered:
            raise Unavailable(unanswered.reason) from unanswered

    def probe(self) -> bool:
        """Does the carrier answer, and does it know our key? Raises nothing and sends nothing."""
        try:
            _require_success(self._exchange("GET", "/api/v1/trafficAccounts"))
        except MittoError:
            return False
        return True

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()

    def _as_json(self, message: OutboundSms) -> dict[str, Any]:
        return {
            "trafficAccountId": self._traffic_account_id,
            "destination": message.destination,
            "sms": {"text": message.text, "sender": message.sender},
        }

    def _exchange(self, method: str, path: str, body: bytes | None = None) -> requests.Response:
        """One request and its whole answer, whatever its status."""
        try:
            return self._session.request(
                method,
                self._base_url + path,
                data=body,
                headers={"Content-Type": "application/json"} if body else None,
                timeout=self._timeout,
                allow_redirects=False,
            )
        # Not `Exception`: that would file RQ's JobTimeoutException under the carrier's faults.
        except (requests.RequestException, http.HTTPError) as trouble:
            raise _what_it_proves(trouble) from trouble


def _what_it_proves(trouble: Exception) -> Unavailable | Ambiguous:
    # requests.ConnectionError alone proves nothing: refused and cut after writing are the same class.
    reason = trouble.args[0] if trouble.args else None
    if isinstance(reason, http.MaxRetryError):
        reason = reason.reason
    for kind, word in NEVER_WRITTEN:
        if isinstance(reason, kind):
            return Unavailable(word)
    if isinstance(reason, http.SSLError) and isinstance(reason.args[0], ssl.SSLCertVerificationError):
        return Unavailable("certificate")
    silent = isinstance(trouble, requests.ReadTimeout) or isinstance(reason, http.ReadTimeoutError)
    return Ambiguous("read_timeout" if silent else "connection_lost")


def _require_success(response: requests.Response) -> None:
    status = response.status_code
    if requests.codes.ok <= status < requests.codes.multiple_choices:
        return
    if status == requests.codes.too_many_requests:
        raise Unavailable("rate_limited", _retry_after_seconds(response.headers.get("Retry-After")))
    if status in FAULT_OF_THE_CONTENT | FAULT_OF_THE_ACCOUNT:
        raise Refused(f"http_{status}", retry=status in FAULT_OF_THE_ACCOUNT)
    # A redirect, a 408 or a 5xx may come from a machine in front of a carrier that has read everything.
    raise Ambiguous(f"http_{status}")


def _retry_after_seconds(header: str | None) -> float | None:
    """RFC 9110: seconds or a date. None if it is missing or unreadable; never longer than an hour."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        seconds = _seconds_until(header)
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS) if math.isfinite(seconds) else None


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return math.nan
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now()).total_seconds()


# --- connections that do not grow stale


class _FreshConnections(HTTPAdapter):
    """requests' adapter (which never repeats a request) over connections that expire when idle.

    A kept connection that the carrier closes while our request is on its way fails like one that is cut after
    the request was read, so the whole batch becomes unknown. The younger a connection, the rarer that is.
    """

    def __init__(self, idle_seconds: float) -> None:
        self._pools = _pools_of_fresh_connections(idle_seconds)
        super().__init__(pool_maxsize=CONNECTIONS)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools_of_fresh_connections(idle_seconds: float) -> dict[str, type[HTTPConnectionPool]]:
    """Pool classes by scheme. A pool asks `is_connected` before it uses a connection again, and opens a new
    one if it is not; these say no when their last answer is `idle_seconds` old.
    """

    class Connection(HTTPConnection):
        answered_at = math.inf

        @property
        def is_connected(self) -> bool:
            return super().is_connected and time.monotonic() - self.answered_at < idle_seconds

        def getresponse(self) -> Any:  # urllib3's response, where http.client promises its own
            response = super().getresponse()
            self.answered_at = time.monotonic()
            return response

    class TlsConnection(Connection, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = TlsConnection

    return {"http": Pool, "https": TlsPool}
